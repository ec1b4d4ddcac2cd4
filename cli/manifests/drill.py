"""deploy/k8s/operations/restore-drill: of each service its newest copy put back beside the live database, to be looked at."""

from typing import Any

from cli.manifests.arrows import SERVICES
from cli.manifests.plain import Object, document
from cli.manifests.postgres import PLUGIN, cluster

PLACE = "operations/restore-drill"
WHAT = "The newest copy, beside the live database: deploy/k8s/drill puts it there, looks at it and removes it."


def put_back(service: str) -> Object:
    """One instance from the archive of the live one: it archives nothing, and the live one's authority vouches for it too."""
    found = cluster(service)
    spec: dict[str, Any] = found["spec"]
    made = spec["bootstrap"]["initdb"]
    spec["bootstrap"] = {"recovery": {"source": "live", **{key: made[key] for key in ("database", "owner", "secret")}}}
    spec["externalClusters"] = [{"name": "live", "plugin": {
        "name": PLUGIN, "parameters": {"barmanObjectName": "archive", "serverName": f"{service}-db"}}}]
    spec |= {"instances": 1, "enablePDB": False, "certificates": {"serverCASecret": f"{service}-db-ca"}}
    del spec["postgresql"]["synchronous"], spec["topologySpreadConstraints"]
    return found | {"metadata": {"name": f"{service}-db-drill", "namespace": "lifang"}, "spec": spec}


def files() -> dict[str, str]:
    """By their place below deploy/k8s."""
    return {f"{PLACE}/{service}.yaml": document(put_back(service), what=WHAT) for service in SERVICES}
