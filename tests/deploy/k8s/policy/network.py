"""Exactly the arrows of the architecture: what the policies let through, pod by pod, compared both ways with what has to pass.

What has to pass is derived here anew: who hears and who publishes from each service's own `main.py`, whom the gateway passes commands
on to from its routes.
"""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from cli.place import ROOT
from cli.providing import holders
from libs.contracts.topics import TOPICS
from tests.deploy.k8s.policy.beyond import beyond
from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.world import Workload, World, at, selects, title

SERVICES = tuple(TOPICS)
HTTP, POSTGRES, KAFKA, PANELS = 8080, 5432, 9092, 8130
Arrow = tuple[str, str, int]


@cache
def forwarded() -> frozenset[str]:
    """Whom the gateway's code passes something on to: the second argument of each `forward(…)`, a text or a name of a loop's texts."""
    found = set()
    for path in (ROOT / "services" / "gateway").rglob("*.py"):
        tree = ast.parse(path.read_text())
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in SERVICES}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "forward":
                to = node.args[1] if len(node.args) > 1 else None
                found |= {to.value} if isinstance(to, ast.Constant) else texts if isinstance(to, ast.Name) else set()
    return frozenset(found)


@cache
def speaking() -> frozenset[str]:
    """Services that hear or publish, each as it says of itself."""
    declared = {name: importlib.import_module(f"services.{name}.main").SERVICE for name in SERVICES}
    return frozenset(name for name, one in declared.items() if one.hears or one.publish is not None)


def wanted(world: World) -> set[Arrow]:
    """By the titles of workloads: who has to reach whom, at which port."""
    found: set[Arrow] = set()
    for one in world.workloads:
        if one.service not in SERVICES and one.service not in ("databases", "topics", "demo"):
            continue
        for other in world.workloads:
            if one.service in SERVICES and f"database-{one.service}" in other.labels:
                found.add((one.title, other.title, POSTGRES))
            if one.service == "databases" and f"database-{SERVICES[0]}" in other.labels:
                found.add((one.title, other.title, POSTGRES))
            if "kafka" in other.labels and (one.service == "topics" or (
                    one.service in speaking() and one.component in ("worker", "relay", "keeper", "operation", "all"))):
                found.add((one.title, other.title, KAFKA))
            if one.service == "gateway" and one.component in ("api", "all") and other.service in forwarded() and (
                    other.component in ("api", "all")):
                found.add((one.title, other.title, HTTP))
            found.update(demonstrated(one, other))
    return found


def demonstrated(one: Workload, other: Workload) -> Iterator[Arrow]:
    """The desk of a demonstration seeds six services and plays their devices."""
    if one.service == "demo" and other.service in holders.SEEDING and other.component in ("api", "all"):
        yield one.title, other.title, HTTP
    if one.service == "demo" and other.component == "panels":
        yield one.title, other.title, PANELS
    if other.service == "demo" and one.service == "devices" and one.component in ("api", "worker", "relay", "panels", "all"):
        yield from ((one.title, other.title, port) for port in (8100, 8101, 8120, 8121))


class _Table:
    """What policies let through."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.policies = list(world.of("NetworkPolicy"))
        self.findings: list[str] = []
        self.pods = [*world.workloads, *_virtual(world)]

    def passes(self, way: str) -> tuple[set[Arrow], set[tuple[str, str, str, Any]]]:
        """Between our pods; and beyond them (pod, direction, peer as text, port)."""
        inside: set[Arrow] = set()
        beyond: set[tuple[str, str, str, Any]] = set()
        for policy in self.policies:
            spec = policy.get("spec") or {}
            if way not in (spec.get("policyTypes") or ()):
                continue
            mine = [one for one in self.pods if selects(spec.get("podSelector"), one.labels)]
            for rule in spec.get(way.lower()) or ():
                peers, ports = rule.get("to" if way == "Egress" else "from"), rule.get("ports")
                if not peers or not ports:
                    self.findings.append(f"{title(policy)}: a rule without a peer or a port")
                    continue
                for port in ports:
                    if not isinstance(port.get("port"), int) or port.get("protocol") not in ("TCP", "UDP") or "endPort" in port:
                        self.findings.append(f"{title(policy)}: {port} is no port")
                for peer in peers:
                    self._peer(peer, mine, ports, way, inside, beyond)
        return inside, beyond

    def _peer(self, peer: Object, mine: list[Workload], ports: list[Object], way: str, inside: set[Arrow],
              beyond: set[tuple[str, str, str, Any]]) -> None:
        numbers = [(port.get("port"), port.get("protocol")) for port in ports]
        if peer.keys() == {"podSelector"} and peer["podSelector"]:
            others = [one for one in self.pods if selects(peer["podSelector"], one.labels)]
            for one in mine:
                for other in others:
                    pair = (one.title, other.title) if way == "Egress" else (other.title, one.title)
                    inside.update((*pair, number) for number, protocol in numbers if protocol == "TCP")
            return
        beyond.update((one.title, way, repr(sorted(peer.items(), key=str)), number) for one in mine for number in numbers)


def _virtual(world: World) -> Iterator[Workload]:
    """Pods that operators make, by the labels that our resources give them."""
    for one in world.of("Cluster"):
        name = at(one, "metadata", "name")
        labels = {"cnpg.io/cluster": name, "cnpg.io/podRole": "instance"} | at(one, "spec", "inheritedMetadata", "labels", default={})
        yield Workload("Cluster", str(name), one, {"metadata": {"labels": labels}})
    for one in world.of("Kafka"):
        name = str(at(one, "metadata", "name"))
        labels = {"strimzi.io/cluster": name, "strimzi.io/name": f"{name}-kafka"}
        template = at(one, "spec", "kafka", "template", "pod", "metadata", "labels", default={})
        yield Workload("Kafka", name, one, {"metadata": {"labels": labels | template}})
        operator = {"strimzi.io/cluster": name, "strimzi.io/name": f"{name}-entity-operator"}
        template = at(one, "spec", "entityOperator", "template", "pod", "metadata", "labels", default={})
        yield Workload("KafkaOperator", name, one, {"metadata": {"labels": operator | template}})


def arrows(world: World) -> Iterator[str]:
    table = _Table(world)
    out, beyond_out = table.passes("Egress")
    come, beyond_in = table.passes("Ingress")
    yield from table.findings
    world_of_operators = World(world.objects)
    world_of_operators.__dict__["workloads"] = table.pods
    passing, has_to = out & come, wanted(world_of_operators)
    among_operators = {arrow for arrow in passing if arrow[0].partition("/")[0] in ("Cluster", "Kafka", "KafkaOperator")}
    yield from (f"{one} cannot reach {other}:{port}" for one, other, port in sorted(has_to - passing))
    yield from (f"{one} can reach {other}:{port}" for one, other, port in sorted(passing - has_to - among_operators))
    yield from (f"{one} may go to {other}:{port}, who does not let it in" for one, other, port in sorted(
        out - come) if one.partition("/")[0] not in ("Cluster", "Kafka", "KafkaOperator"))
    yield from expected_among(world, among_operators)
    yield from beyond(world, table.pods, beyond_out, "Egress")
    yield from beyond(world, table.pods, beyond_in, "Ingress")


def expected_among(world: World, passing: set[Arrow]) -> Iterator[str]:
    """What operators' own pods need among themselves, and nothing across."""
    for one, other, port in sorted(passing):
        kind = one.split("/")[0]
        if kind == "Cluster" and (other != one or port not in (POSTGRES, 8000)):
            yield f"{one} can reach {other}:{port}"
        if kind in ("Kafka", "KafkaOperator") and (other.split("/")[0] not in ("Kafka", "KafkaOperator") or port not in (
                8443, 9090, 9091)):
            yield f"{one} can reach {other}:{port}"
    for cluster in world.of("Cluster"):
        own = f"Cluster/{at(cluster, 'metadata', 'name')}"
        if not {(own, own, POSTGRES), (own, own, 8000)} <= passing:
            yield f"{own}: its instances do not reach each other"
    for kafka in world.of("Kafka"):
        own = f"Kafka/{at(kafka, 'metadata', 'name')}"
        if not {(own, own, port) for port in (8443, 9090, 9091)} <= passing:
            yield f"{own}: brokers do not reach each other"
        if not {(f"KafkaOperator/{at(kafka, 'metadata', 'name')}", own, port) for port in (9090, 9091)} <= passing:
            yield f"{own}: its operators do not reach it"
