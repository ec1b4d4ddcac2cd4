"""deploy/k8s/components/demo: what the desk of a demonstration is told, and whom it may speak to."""

from cli.manifests.arrows import ANSWERING, HTTP, NAME, PANELS, REACHING, SERVICES
from cli.manifests.network import among, of, pods, policy, tcp
from cli.manifests.plain import Object, document, kustomization, written
from cli.manifests.secrets import volumes
from cli.providing.holders import DESK, SEEDING

PLACE, DESK_NAME, PORT = "components/demo", "demo-desk", 8090
PART = {"app.kubernetes.io/part-of": "lifang"}
DEVICES = (8100, 8101, 8120, 8121)
"""Ports of its simulated terminals and barriers."""


def environment() -> list[str]:
    seeded = [service for service in SERVICES if service in SEEDING]
    return [
        *(f"LIFANG_URL_{service.upper()}=http://{service}-api:{HTTP}" for service in seeded), f"LIFANG_DESK={DESK_NAME}",
        f"LIFANG_PANELS=devices-panels:{PANELS}", f"LIFANG_PORT={PORT}"]


def desk() -> Object:
    patch = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "desk"},
             "spec": {"template": {"spec": {"volumes": volumes(list(DESK))}}}}
    return kustomization(
        namePrefix="demo-", resources=["desk.yaml"], components=["../../../base/hardened"],
        labels=[{"pairs": {NAME: "demo"}, "includeSelectors": True}, {"pairs": PART, "includeTemplates": True}],
        configMapGenerator=[{"name": "environment", "literals": environment()}], patches=[{"patch": written(patch)}])


def network() -> list[Object]:
    own, services = of("demo", ("desk",)), among((service for service in SERVICES if service in SEEDING), ANSWERING)
    panels, devices = of("devices", ("panels",)), of("devices", REACHING)
    return [
        policy("demo-to-services", own, "Egress", pods(services), tcp(HTTP)),
        policy("services-from-demo", services, "Ingress", pods(own), tcp(HTTP)),
        policy("demo-to-panels", own, "Egress", pods(panels), tcp(PANELS)),
        policy("panels-from-demo", panels, "Ingress", pods(own), tcp(PANELS)),
        policy("devices-to-demo", devices, "Egress", pods(own), tcp(*DEVICES)),
        policy("demo-from-devices", own, "Ingress", pods(devices), tcp(*DEVICES))]


def files() -> dict[str, str]:
    """By their place below deploy/k8s."""
    return {f"{PLACE}/desk/kustomization.yaml": document(desk()), f"{PLACE}/network.yaml": document(*network())}
