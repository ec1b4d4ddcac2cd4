"""Exactly the arrows of the architecture: what the policies let through, pod by pod, compared both ways with what has to pass.

What has to pass is derived here anew: who hears and who publishes from each service's own `main.py`, whom the gateway passes commands
on to from its routes.
"""

import ast
import importlib
from collections.abc import Iterator
from functools import cache

from cli.place import ROOT
from cli.providing import holders
from libs.contracts.topics import TOPICS
from services.gateway.api.routes import PASSED_ON
from tests.deploy.k8s.policy.beyond import Way, beyond, text
from tests.deploy.k8s.policy.crowd import Crowd, Pod, crowd_of, pods_of
from tests.deploy.k8s.world import World, at, title

SERVICES = tuple(TOPICS)
HTTP, POSTGRES, KAFKA, PANELS = 8080, 5432, 9092, 8130
Arrow = tuple[str, str, int]


@cache
def forwarded() -> frozenset[str]:
    """Whom the gateway's code passes something on to: by a row of a table, or by a `forward(…)` to each of a loop's texts."""
    found = {row.service for table in PASSED_ON for row in table}
    for path in (ROOT / "services" / "gateway" / "api").glob("*.py"):
        tree = ast.parse(path.read_text())
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in SERVICES}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "forward":
                found |= texts if isinstance(node.args[1], ast.Name) else set()
    return frozenset(found)


@cache
def speaking() -> frozenset[str]:
    """Services that hear or publish, each as it says of itself."""
    declared = {name: importlib.import_module(f"services.{name}.main").SERVICE for name in SERVICES}
    return frozenset(name for name, one in declared.items() if one.hears or one.publish is not None)


@cache
def wanted(crowd: Crowd) -> frozenset[Arrow]:
    """Who has to reach whom, at which port."""
    ours = [one for one in crowd.pods if one.kind != "Stranger"]
    return frozenset(arrow for one in ours for other in ours for arrow in (*stored(one, other), *spoken(one, other), *shown(one, other)))


def stored(one: Pod, other: Pod) -> Iterator[Arrow]:
    """Each service speaks to its own database; who makes databases, to the server."""
    service = SERVICES[0] if one.service == "databases" else one.service
    if service in SERVICES and ((other.kind, other.name) == ("Cluster", f"{service}-db") or other.service == "postgres"):
        yield one.title, other.title, POSTGRES


def spoken(one: Pod, other: Pod) -> Iterator[Arrow]:
    """To Kafka who hears or tells it something; from the gateway to whom it passes commands on."""
    if (other.kind == "Kafka" or other.service == "kafka") and (one.service == "topics" or (
            one.service in speaking() and one.component in ("worker", "relay", "keeper", "operation", "all"))):
        yield one.title, other.title, KAFKA
    if one.service == "gateway" and other.service in forwarded() and {one.component, other.component} <= {"api", "all"}:
        yield one.title, other.title, HTTP


def shown(one: Pod, other: Pod) -> Iterator[Arrow]:
    """The desk of a demonstration seeds six services and plays their devices."""
    if one.service == "demo" and other.service in holders.SEEDING and other.component in ("api", "all"):
        yield one.title, other.title, HTTP
    if one.service == "demo" and other.component == "panels":
        yield one.title, other.title, PANELS
    if other.service == "demo" and one.service == "devices" and one.component in ("api", "worker", "relay", "panels", "all"):
        yield from ((one.title, other.title, port) for port in (8100, 8101, 8120, 8121))


class _Table:
    """What policies let through."""

    def __init__(self, world: World, crowd: Crowd) -> None:
        self.policies, self.crowd, self.findings = list(world.of("NetworkPolicy")), crowd, list[str]()

    def passes(self, way: str) -> tuple[set[Arrow], set[Way]]:
        """Between our pods; and beyond them."""
        inside, beyond = set[Arrow](), set[Way]()
        for policy in self.policies:
            spec = policy.get("spec") or {}
            if way not in (spec.get("policyTypes") or ()):
                continue
            mine = self.crowd.selected(spec.get("podSelector"))
            for rule in spec.get(way.lower()) or ():
                peers, ports = rule.get("to" if way == "Egress" else "from"), rule.get("ports")
                if not peers or not ports:
                    self.findings.append(f"{title(policy)}: a rule without a peer or a port")
                    continue
                for port in ports:
                    if not isinstance(port.get("port"), int) or port.get("protocol") not in ("TCP", "UDP") or "endPort" in port:
                        self.findings.append(f"{title(policy)}: {port} is no port")
                numbers = [(port.get("port"), port.get("protocol")) for port in ports]
                for peer in peers:
                    if peer.keys() == {"podSelector"} and peer["podSelector"]:
                        others = self.crowd.selected(peer["podSelector"])
                        pairs = [(one, other) if way == "Egress" else (other, one) for one in mine for other in others]
                        inside.update((*pair, number) for number, protocol in numbers if protocol == "TCP" for pair in pairs)
                    else:
                        beyond.update((one, way, text(peer), number) for one in mine for number in numbers)
        return inside, beyond


def arrows(world: World) -> Iterator[str]:
    crowd = crowd_of(pods_of(world))
    table = _Table(world, crowd)
    (out, beyond_out), (come, beyond_in) = table.passes("Egress"), table.passes("Ingress")
    yield from table.findings
    passing, has_to = out & come, wanted(crowd)
    among_operators = {arrow for arrow in passing if arrow[0].partition("/")[0] in ("Cluster", "Kafka", "KafkaOperator")}
    yield from (f"{one} cannot reach {other}:{port}" for one, other, port in sorted(has_to - passing))
    yield from (f"{one} can reach {other}:{port}" for one, other, port in sorted(passing - has_to - among_operators))
    yield from (f"{one} may go to {other}:{port}, who does not let it in" for one, other, port in sorted(out - come))
    yield from (f"{other} lets {one} in at {port}, who may not go there" for one, other, port in sorted(come - out))
    yield from expected_among(world, among_operators)
    yield from beyond(world, crowd, beyond_out, "Egress")
    yield from beyond(world, crowd, beyond_in, "Ingress")


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
