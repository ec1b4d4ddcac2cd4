"""Everything that one kustomization renders, seen as a whole."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from tests.deploy.k8s.rendering import Object

NAME, COMPONENT, PART = "app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/part-of"
TEMPLATED = {"Deployment", "StatefulSet", "Job", "CronJob"}


def at(of: Any, *path: str | int, default: Any = None) -> Any:
    """What stands there; the default where something on the way does not."""
    for step in path:
        try:
            of = of[step]
        except (KeyError, IndexError, TypeError):
            return default
    return default if of is None else of


def selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """As the API has it: an empty selector selects all, none selects nothing."""
    if not isinstance(selector, dict):
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for one in selector.get("matchExpressions") or ():
        value, there = labels.get(one.get("key")), one.get("key") in labels
        values = one.get("values") or ()
        if not {"In": value in values, "NotIn": value not in values, "Exists": there, "DoesNotExist": not there}.get(
                one.get("operator"), False):
            return False
    return True


class Workload(NamedTuple):
    """Something that makes pods of a template."""

    kind: str
    name: str
    object: Object
    template: Object

    @property
    def pod(self) -> Object:
        return at(self.template, "spec", default={})

    @property
    def labels(self) -> dict[str, str]:
        return at(self.template, "metadata", "labels", default={})

    @property
    def component(self) -> str:
        return self.labels.get(COMPONENT, "")

    @property
    def service(self) -> str:
        return self.labels.get(NAME, "")

    @property
    def containers(self) -> list[Object]:
        return [*at(self.pod, "initContainers", default=[]), *at(self.pod, "containers", default=[])]

    @property
    def stays(self) -> bool:
        return self.kind in ("Deployment", "StatefulSet")

    @property
    def title(self) -> str:
        return f"{self.kind}/{self.name}"


def workload(of: Object) -> Workload | None:
    if of.get("kind") not in TEMPLATED:
        return None
    spec = at(of, "spec", "jobTemplate", "spec") if of["kind"] == "CronJob" else of.get("spec")
    return Workload(of["kind"], at(of, "metadata", "name", default=""), of, at(spec, "template", default={}))


class World:
    """`pinned`: images have to be named by their digests, and two of each have to run. `made`: secrets are made in the cluster."""

    def __init__(self, objects: list[Object]) -> None:
        self.objects = objects

    @cached_property
    def workloads(self) -> list[Workload]:
        return [found for one in self.objects if (found := workload(one))]

    @cached_property
    def named(self) -> dict[tuple[str, str], Object]:
        return {(one.get("kind", ""), at(one, "metadata", "name", default="")): one for one in self.objects}

    def of(self, *kinds: str) -> Iterator[Object]:
        return (one for one in self.objects if one.get("kind") in kinds)

    @cached_property
    def has_operators(self) -> bool:
        """Whether it is for several machines: databases and brokers are run by operators."""
        return any(one.get("kind") == "Cluster" for one in self.objects)

    def selected(self, labels: Mapping[str, str] | None) -> list[Workload]:
        """By a selector of labels alone, as a Service has it."""
        return [one for one in self.workloads if one.stays and labels and labels.items() <= one.labels.items()]


def title(of: Object) -> str:
    return f"{of.get('kind')}/{at(of, 'metadata', 'name')}"
