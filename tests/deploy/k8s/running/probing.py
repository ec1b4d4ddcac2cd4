"""Who reaches whom on the cluster: a connection from inside each pod to each port at which another one listens.

Pods that run are asked themselves; for what runs once, or by hand, and for strangers, a pod of the same labels stands in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property

import yaml
from msgspec import Struct

from tests.deploy.k8s.policy.crowd import STRANGERS, Crowd, crowd_of, pods_of
from tests.deploy.k8s.policy.network import Arrow, wanted
from tests.deploy.k8s.rendering import Object, overlay
from tests.deploy.k8s.running.asking import pod
from tests.deploy.k8s.running.cluster import PATIENCE, Cluster, kubectl
from tests.deploy.k8s.world import World, at

LISTENS = 8080
"""Where a stand-in does."""
AT_ONCE = 8
"""Pods that are asked at a time."""
EACH = 5
"""Of the strangers that the policies are compared with on paper: each so many."""
STANDS_IN, TITLE = "stands-in", "lifang-tested/title"
OUTSIDE = "lifang-tested-outside"
DATA = ("StatefulSet/postgres", "StatefulSet/kafka")
DEVICES = (8100, 8101, 8120, 8121)
SCRIPT = """
import asyncio, sys
async def look(to):
    host, _, port = to.rpartition(":")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), 4)
    except (OSError, TimeoutError):
        return
    writer.close()
    print(to)
async def main():
    await asyncio.gather(*map(look, sys.argv[1:]))
asyncio.run(main())"""
"""Says with whom a connection came about. Whoever may not reach a port hears nothing: a connection takes longer than any patience."""
WITHOUT_PYTHON = """for to; do (timeout 4 bash -c "exec 3<>/dev/tcp/${to/:/\\/}" 2>/dev/null && echo "$to") & done; wait"""


class Place(Struct, frozen=True):
    """One pod. `title`: of what makes it; `ports`: at which it listens."""

    title: str
    pod: str
    ip: str
    ports: tuple[int, ...]
    namespace: str


def listens(of: Object) -> tuple[int, ...]:
    ports = {port["containerPort"] for container in of["spec"]["containers"] for port in container.get("ports") or ()
             if port.get("protocol", "TCP") == "TCP"}
    return tuple(sorted(ports | (set(DEVICES) if at(of, "metadata", "labels", "app.kubernetes.io/name") == "demo" else set())))


class Crossing:
    """The world of the overlay, and the pods in which it stands on the cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.world = World(list(overlay("dev")))
        self.crowd: Crowd = crowd_of(pods_of(self.world))

    @cached_property
    def arrows(self) -> frozenset[Arrow]:
        return wanted(self.crowd)

    def stand_ins(self) -> Iterator[Object]:
        """Of each set of labels one; what runs by hand is one for all templates of a service."""
        seen = {tuple(sorted(one.labels.items())) for one in self.world.workloads if one.stays}
        few = {one.title for one in STRANGERS[::EACH]}
        for n, one in enumerate(one for one in self.crowd.pods if one.kind != "Stranger" or one.title in few):
            if one.labels in seen:
                continue
            seen.add(one.labels)
            made = pod(
                self.cluster.tools, f"{STANDS_IN}-{n}", dict(one.labels) | {STANDS_IN: "true"}, args=["http.server", str(LISTENS)],
                ports=[{"containerPort": LISTENS}])
            made["metadata"]["annotations"] = {TITLE: one.title}
            yield made

    def places(self) -> list[Place]:
        """Everybody who is there now: of replicas, whose labels are the same, one."""
        titles = {one.labels: one.title for one in self.crowd.pods}
        found: dict[str, Place] = {}
        for one in self.cluster.objects("pods"):
            labels = at(one, "metadata", "labels", default={})
            owner = at(one, "metadata", "ownerReferences", 0, "kind")
            if at(one, "metadata", "deletionTimestamp") or not at(one, "status", "podIP") or owner == "Job":
                continue
            title = at(one, "metadata", "annotations", TITLE) or titles.get(ours(labels))
            if title:
                found[title] = Place(title, one["metadata"]["name"], one["status"]["podIP"], listens(one), "lifang")
        return list(found.values())


def ours(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Without what controllers add."""
    added = ("pod-template-hash", "controller-revision-hash", "statefulset.kubernetes.io/", "apps.kubernetes.io/", STANDS_IN)
    return tuple(sorted((key, value) for key, value in labels.items() if not key.startswith(added)))


@contextmanager
def standing_in(crossing: Crossing) -> Iterator[None]:
    """And one outside, in a namespace of its own."""
    cluster = crossing.cluster
    outside = pod(cluster.tools, "outside", {}, args=["http.server", str(LISTENS)], ports=[{"containerPort": LISTENS}])
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OUTSIDE}}
    outside["metadata"]["namespace"] = OUTSIDE
    kubectl("apply", "-f", "-", given=yaml.safe_dump_all([space, outside]))
    cluster("apply", "-f", "-", given=yaml.safe_dump_all(crossing.stand_ins()))
    try:
        cluster("wait", "pod", "--selector", f"{STANDS_IN}=true", "--for=condition=Ready", f"--timeout={PATIENCE}s")
        kubectl("--namespace", OUTSIDE, "wait", "pod/outside", "--for=condition=Ready", f"--timeout={PATIENCE}s")
        yield
    finally:
        cluster("delete", "pod", "--selector", f"{STANDS_IN}=true", "--wait=false")
        kubectl("delete", "namespace", OUTSIDE, "--wait=false")


def outsider() -> Place:
    found = yaml.safe_load(kubectl("--namespace", OUTSIDE, "get", "pod/outside", "-o", "yaml"))
    return Place("outside", "outside", found["status"]["podIP"], (LISTENS,), OUTSIDE)


def api_of_the_cluster() -> str:
    """Its address, as pods see it."""
    found = yaml.safe_load(kubectl("--namespace", "default", "get", "service/kubernetes", "-o", "yaml"))["spec"]
    return f"{found['clusterIP']}:{found['ports'][0]['port']}"


def reached_from(place: Place, targets: Sequence[str]) -> set[str]:
    told = ("bash", "-c", WITHOUT_PYTHON, "-") if place.title in DATA else ("python", "-c", SCRIPT)
    return set(kubectl("--namespace", place.namespace, "exec", place.pod, "--", *told, *targets).split())


def reached(sources: Iterable[Place], places: Sequence[Place], beside: Sequence[str] = ()) -> dict[str, set[str]]:
    """By the name of each source: the addresses that it reaches. `beside`: others than those of places."""
    asking = list(sources)
    targets = [f"{place.ip}:{port}" for place in places for port in place.ports] + list(beside)

    def ask(source: Place) -> set[str]:
        return reached_from(source, [to for to in targets if to.rpartition(":")[0] != source.ip])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip((one.pod for one in asking), pool.map(ask, asking), strict=True))


def compared(crossing: Crossing, sources: Sequence[Place], places: Sequence[Place], found: Mapping[str, set[str]]) -> list[str]:
    """Both ways: what should pass and does not, and what passes and should not."""
    said = []
    for source in sources:
        for to in places:
            for port in to.ports:
                if to.ip == source.ip:
                    continue
                has_to, passes = (source.title, to.title, port) in crossing.arrows, f"{to.ip}:{port}" in found[source.pod]
                if has_to and not passes:
                    said.append(f"{source.title} cannot reach {to.title}:{port}")
                if passes and not has_to:
                    said.append(f"{source.title} can reach {to.title}:{port}")
    return sorted(set(said))
