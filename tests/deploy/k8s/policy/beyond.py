"""Ways out of the namespace and into it: each is named here, with its ports and the pods that have it."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from tests.deploy.k8s.policy.crowd import Crowd, Pod, crowd_of, pods_of
from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.world import PART, World, at, title

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
NOT_OURS = ("100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8")


def namespace(name: str, labels: dict[str, str] | None = None) -> Object:
    """All of its pods, or those with these labels."""
    found: Object = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
    return found | ({"podSelector": {"matchLabels": labels}} if labels else {})


def blocks(*cidrs: str) -> list[Object]:
    return [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]


TCP = "TCP"
Way = tuple[str, str, str, Any]
"""A pod's title, the direction, the peer as text, port and protocol."""
Chosen = Callable[[Pod], bool]
WAYS: dict[str, tuple[str, Chosen, list[Object], set[tuple[int, str]]]] = {}
"""By what it is: direction, which pods, peers, ports."""


def way(what: str, direction: str, who: Chosen, peers: list[Object], *ports: int, protocols: tuple[str, ...] = (TCP,)) -> None:
    WAYS[what] = direction, who, peers, {(port, protocol) for port in ports for protocol in protocols}


def of(service: str, *components: str) -> Chosen:
    return lambda one: one.service == service and one.component in components


def labelled(key: str, value: str | None = None) -> Chosen:
    return lambda one: key in dict(one.labels) and value in (None, dict(one.labels)[key])


WEB = ("api", "worker", "relay", "panels", "all")
way("names", "Egress", lambda one: True, [namespace("kube-system", {"k8s-app": "kube-dns"})], 53, protocols=("UDP", TCP))
way("webhooks", "Egress", of("gateway", "worker", "all"),
    [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [*PRIVATE, *NOT_OURS]}}], 443, 8443)
way("devices", "Egress", of("devices", *WEB), blocks(*PRIVATE), 80, 443)
way("panels", "Ingress", of("devices", "panels"), blocks(*PRIVATE), 8130, protocols=(TCP, "UDP"))
way("people", "Ingress", lambda one: one.service in ("gateway", "devices") and one.component in ("api", "all"),
    [{"namespaceSelector": {"matchLabels": {"leads-to-lifang": "true"}}}], 8080)
way("prometheus", "Ingress", lambda one: one.component in WEB and (PART, "lifang") in one.labels,
    [namespace("monitoring", {"app.kubernetes.io/name": "prometheus"})], 8081)
way("keda", "Ingress", labelled("kafka"), [namespace("keda")], 9092)
way("secrets", "Egress", of("secrets", "secrets"), blocks(*PRIVATE), 443, 6443)
way("instances", "Egress", labelled("cnpg.io/cluster"), blocks(*PRIVATE), 443, 6443)
way("operator", "Ingress", labelled("cnpg.io/cluster"), [namespace("cnpg-system")], 8000, 5432)
way("archive", "Egress", labelled("cnpg.io/cluster"),
    [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16", "127.0.0.0/8"]}}], 443)
way("strimzi", "Ingress", labelled("strimzi.io/cluster"), [namespace("strimzi", {"strimzi.io/kind": "cluster-operator"})],
    8443, 9090, 9091)
way("strimzi's operators", "Egress", labelled("strimzi.io/name", "kafka-entity-operator"), blocks(*PRIVATE), 443, 6443)

ALWAYS = ("names", "webhooks", "devices")
NEEDED = {
    "panels": lambda world: any(at(one, "spec", "type") == "LoadBalancer" for one in world.of("Service")),
    "people": lambda world: any(world.of("Gateway", "Ingress")), "prometheus": lambda world: any(world.of("PodMonitor")),
    "keda": lambda world: any(world.of("ScaledObject")), "secrets": lambda world: ("Job", "secrets") in world.named,
    "instances": lambda world: any(world.of("Cluster")), "operator": lambda world: any(world.of("Cluster")),
    "archive": lambda world: any(world.of("ObjectStore")), "strimzi": lambda world: any(world.of("Kafka")),
    "strimzi's operators": lambda world: any(world.of("Kafka"))}


def text(peer: Object) -> str:
    return repr(sorted(peer.items(), key=str))


@cache
def found_ways(crowd: Crowd, ways: tuple[str, ...]) -> frozenset[Way]:
    return frozenset(
        (one.title, direction, text(peer), port) for direction, who, peers, ports in map(WAYS.__getitem__, ways)
        for one in crowd.pods if who(one) for peer in peers for port in ports)


def beyond(world: World, crowd: Crowd, passing: set[Way], direction: str) -> Iterator[str]:
    ways = tuple(what for what in WAYS if WAYS[what][0] == direction and (what in ALWAYS or NEEDED[what](world)))
    has_to = found_ways(crowd, ways)
    yield from (f"{one} has no way {way} {peer}:{port}" for one, way, peer, port in sorted(has_to - passing, key=str))
    yield from (f"{one} has a way {way} {peer}:{port}" for one, way, peer, port in sorted(passing - has_to, key=str))


def denied(world: World) -> Iterator[str]:
    """Whatever no policy allows, in both directions, for every pod."""
    crowd = crowd_of(pods_of(world))
    for way_ in ("Ingress", "Egress"):
        if not any(at(one, "spec", "podSelector") == {} and way_ in at(one, "spec", "policyTypes", default=[]) and not at(
                one, "spec", way_.lower()) for one in world.of("NetworkPolicy")):
            yield f"{way_} is not denied where nothing allows it"
    for one in world.of("NetworkPolicy"):
        spec = one.get("spec") or {}
        declared = {"Ingress", "Egress"} & {key.capitalize() for key in spec}
        if not declared <= set(spec.get("policyTypes") or ()):
            yield f"{title(one)}: its rules are of no type that it names"
        if set(spec.get("policyTypes") or ()) - {"Ingress", "Egress"} or not spec.get("policyTypes"):
            yield f"{title(one)}: is of no type"
        if not isinstance(spec.get("podSelector"), dict) or at(one, "metadata", "namespace") != "lifang":
            yield f"{title(one)}: is of no pods"
        if not world.has_operators and not crowd.selected(spec.get("podSelector")):
            yield f"{title(one)}: is of no pods"
