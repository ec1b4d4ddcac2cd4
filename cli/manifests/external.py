"""deploy/k8s/components/external-secrets: the Secrets of the namespace, from a store outside the cluster."""

from cli.manifests.arrows import SERVICES
from cli.manifests.plain import Object, document, kustomization
from cli.manifests.secrets import KEPT, ROLES, database_secret
from cli.providing import holders

PLACE = "components/external-secrets"
STORE = {"kind": "ClusterSecretStore", "name": "lifang"}


def secret(name: str, data: dict[str, str], kind: str = "Opaque", fixed: dict[str, str] | None = None) -> Object:
    """`data`: by the key in the Secret, the property of the store's entry of that name."""
    template: Object = {"type": kind, "engineVersion": "v2", "mergePolicy": "Merge"}
    if fixed:
        template["data"] = fixed
    return {
        "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": name, "namespace": "lifang"},
        "spec": {
            "refreshInterval": "1h", "secretStoreRef": STORE,
            "target": {"name": name, "creationPolicy": "Owner", "deletionPolicy": "Retain", "template": template},
            "data": [{"secretKey": key, "remoteRef": {"key": f"lifang/{name}", "property": of}} for key, of in data.items()]}}


def keys() -> Object:
    names = sorted({"blind-index", *(name for names in holders.OF.values() for name in names)})
    return secret(KEPT, {name: name for name in names})


def database(service: str) -> Object:
    passwords = {key: role for role, key in ROLES.items()}
    return secret(database_secret(service), passwords, "kubernetes.io/basic-auth", {"username": f"{service}_owner"})


def files() -> dict[str, str]:
    """By their place below deploy/k8s."""
    return {
        f"{PLACE}/secrets.yaml": document(keys(), *map(database, SERVICES)),
        f"{PLACE}/kustomization.yaml": document(
            kustomization("Component", resources=["secrets.yaml"]), what="Every secret from a store outside; nothing is made here.")}
