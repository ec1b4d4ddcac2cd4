"""All pods that there are or might be: ours, those that operators make for us, and strangers."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from libs.contracts.topics import TOPICS
from tests.deploy.k8s.world import COMPONENT, NAME, World, at, selects


class Pod(NamedTuple):
    kind: str
    name: str
    labels: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, kind: str, name: str, labels: dict[str, str]) -> "Pod":
        return cls(kind, name, tuple(sorted(labels.items())))

    @property
    def title(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def service(self) -> str:
        return dict(self.labels).get(NAME, "")

    @property
    def component(self) -> str:
        return dict(self.labels).get(COMPONENT, "")


def stranger(**labels: str) -> Pod:
    found = {f"app.kubernetes.io/{key.replace('_', '-')}": value for key, value in labels.items()}
    return Pod.of("Stranger", " ".join(f"{key}={value}" for key, value in labels.items()), found)


STRANGERS = (
    stranger(), stranger(part_of="lifang"), *(stranger(part_of="lifang", component=component) for component in (
        "api", "worker", "relay", "keeper", "migrate", "operation", "all", "panels", "data", "provide", "desk", "secrets")),
    *(stranger(component=component) for component in ("api", "worker", "relay", "keeper", "operation", "all")),
    *(stranger(part_of="lifang", name="other", component=component) for component in ("api", "worker", "all")),
    *(stranger(part_of="lifang", name=name) for name in (*TOPICS, "demo", "databases", "topics", "secrets")),
    *(stranger(name=name, component="other") for name in (*TOPICS, "demo")))
"""Pods that somebody else might run here, like ours in some of their labels: nobody lets them in, and they go nowhere."""


def pods_of(world: World) -> tuple[Pod, ...]:
    return (*(Pod.of(one.kind, one.name, one.labels) for one in world.workloads), *by_operators(world), *STRANGERS)


def by_operators(world: World) -> Iterator[Pod]:
    """By the labels that our resources give them."""
    for one in world.of("Cluster"):
        name = str(at(one, "metadata", "name"))
        labels = {"cnpg.io/cluster": name, "cnpg.io/podRole": "instance"}
        yield Pod.of("Cluster", name, labels | at(one, "spec", "inheritedMetadata", "labels", default={}))
    for one in world.of("Kafka"):
        name = str(at(one, "metadata", "name"))
        for kind, ending, path in (("Kafka", "kafka", "kafka"), ("KafkaOperator", "entity-operator", "entityOperator")):
            labels = {"strimzi.io/cluster": name, "strimzi.io/name": f"{name}-{ending}"}
            yield Pod.of(kind, name, labels | at(one, "spec", path, "template", "pod", "metadata", "labels", default={}))


class Crowd:
    """Pods, and whom each selector that was ever asked about selects of them."""

    def __init__(self, pods: tuple[Pod, ...]) -> None:
        self.pods, self._labels, self._selected = pods, [(pod.title, dict(pod.labels)) for pod in pods], dict[str, list[str]]()

    def selected(self, selector: Any) -> list[str]:
        """Their titles."""
        key = repr(selector)
        if key not in self._selected:
            self._selected[key] = [title for title, labels in self._labels if selects(selector, labels)]
        return self._selected[key]


@lru_cache(maxsize=2000)
def crowd_of(pods: tuple[Pod, ...]) -> Crowd:
    return Crowd(pods)
