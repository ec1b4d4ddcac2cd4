"""deploy/k8s/base/<service>/kustomization.yaml: what makes base/service the service of that name."""

from cli.manifests.arrows import COMPONENT, FORWARDED, HTTP, NAME, POSTGRES, SERVICES
from cli.manifests.plain import Object, document, kustomization, written
from cli.manifests.secrets import CONTAINERS, volumes

EXTRA = {"devices": ("panels.yaml",)}
"""What one service has beside what all have."""
TEMPLATE = ("Deployment", "StatefulSet", "Job")


def environment(service: str) -> list[str]:
    found = [
        f"SERVICE={service}", f"DATABASE_URL_{service.upper()}=postgresql://{service}-db-rw:{POSTGRES}/{service}",
        f"LIFANG_KAFKA_USER={service}"]
    if service == "gateway":
        found += [f"LIFANG_URL_{to.upper()}=http://{to}-api:{HTTP}" for to in FORWARDED]
    return found


def secrets_patch(service: str, component: str) -> Object:
    pod: Object = {"spec": {"volumes": volumes(CONTAINERS[component](service))}}
    spec: Object = {"template": pod}
    kinds = "|".join(TEMPLATE)
    if component == "operation":
        spec, kinds = {"jobTemplate": {"spec": spec}}, "CronJob"
    patch = {"apiVersion": "any", "kind": "any", "metadata": {"name": "any"}, "spec": spec}
    return {"target": {"kind": f"({kinds})", "labelSelector": f"{COMPONENT}={component}"}, "patch": written(patch)}


def components(service: str) -> list[str]:
    return [name for name in CONTAINERS if name != "panels" or service == "devices"]


def kustomization_of(service: str) -> Object:
    extra = EXTRA.get(service, ())
    return kustomization(
        namePrefix=f"{service}-", resources=["../service", *extra], **({"components": ["../hardened"]} if extra else {}),
        labels=[{"pairs": {NAME: service}, "includeSelectors": True}],
        images=[{"name": "lifang/service", "newName": f"lifang/{service}"}],
        configMapGenerator=[{"name": "environment", "literals": environment(service)}],
        patches=[secrets_patch(service, name) for name in components(service)])


def files() -> dict[str, str]:
    """By their place below deploy/k8s."""
    return {f"base/{service}/kustomization.yaml": document(kustomization_of(service)) for service in SERVICES}
