"""deploy/k8s/base/network: one policy an arrow and end, and no more than that."""

from collections.abc import Iterable
from typing import Any

from cli.manifests.arrows import (
    ANSWERING,
    BROKER,
    COMPONENT,
    DEVICE_NETWORK,
    FORWARDED,
    HTTP,
    KAFKA,
    NAME,
    OURSELVES,
    POSTGRES,
    REACHING,
    SENDING,
    SERVICES,
    SPEAKING,
    STORING,
    database_of,
    speaks_to_kafka,
)
from cli.manifests.plain import Object, document, kustomization


def selector(labels: dict[str, str], components: Iterable[str] = ()) -> Object:
    found: Object = {"matchLabels": labels}
    if components:
        found["matchExpressions"] = [{"key": COMPONENT, "operator": "In", "values": list(components)}]
    return found


def of(service: str, components: Iterable[str] = ()) -> Object:
    return selector({NAME: service}, components)


def among(services: Iterable[str], components: Iterable[str]) -> Object:
    """Of several services."""
    return {"matchExpressions": [
        {"key": NAME, "operator": "In", "values": list(services)}, {"key": COMPONENT, "operator": "In", "values": list(components)}]}


def tcp(*ports: int) -> list[Object]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def policy(name: str, about: Object, way: str, peers: list[Object], ports: list[Object]) -> Object:
    """`way`: Ingress or Egress."""
    side = "from" if way == "Ingress" else "to"
    spec: Any = {"podSelector": about, "policyTypes": [way], way.lower(): [{side: peers, "ports": ports}]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": spec}


def pods(*selectors: Object) -> list[Object]:
    return [{"podSelector": one} for one in selectors]


def block(cidr: str, but: Iterable[str] = ()) -> Object:
    return {"ipBlock": {"cidr": cidr} | ({"except": list(but)} if but else {})}


def policies_of(service: str) -> list[Object]:
    found = [policy(f"{service}-to-its-database", of(service, STORING), "Egress", pods(selector(database_of(service))), tcp(POSTGRES))]
    if speaks_to_kafka(service):
        found.append(policy(f"{service}-to-kafka", of(service, SPEAKING), "Egress", pods(selector(BROKER)), tcp(KAFKA)))
    if service in FORWARDED:
        found.append(policy(
            f"{service}-from-gateway", of(service, ANSWERING), "Ingress", pods(of("gateway", ANSWERING)), tcp(HTTP)))
    if service == "gateway":
        found.append(policy(
            "gateway-to-services", of("gateway", ANSWERING), "Egress", pods(*(of(to, ANSWERING) for to in FORWARDED)), tcp(HTTP)))
        found.append(policy(
            "gateway-to-webhooks", of("gateway", SENDING), "Egress", [block("0.0.0.0/0", OURSELVES)], tcp(443, 8443)))
    if service == "devices":
        places = [block(cidr) for cidr in DEVICE_NETWORK]
        found.append(policy("devices-to-devices", of("devices", REACHING), "Egress", places, tcp(80, 443)))
    return found


def files() -> dict[str, str]:
    """By their place below deploy/k8s."""
    found = {f"base/network/{service}.yaml": document(*policies_of(service)) for service in SERVICES}
    listed = kustomization(resources=["denied.yaml", *(f"{service}.yaml" for service in SERVICES)])
    return found | {"base/network/kustomization.yaml": document(listed, what="Who may speak to whom: cli/manifests/arrows.py.")}
