"""The Secrets of a namespace, made on first use by a job in it: `python -m cli.providing.cluster`; or `--print`, for
`kubectl create -f -` from outside.

What is there is left as it is; a key that a newer version needs is added. None is ever shown but by `--print`.
"""

import base64
import json
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from os import environ
from pathlib import Path
from typing import Any

from cli.manifests.secrets import source
from cli.providing.holders import DEMO, SERVICES, holders
from cli.providing.secrets import for_kafka
from cli.stack.kafka_rules import ADMIN
from cli.stack.secrets import fresh

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
Secrets = dict[str, dict[str, str]]


def wanted() -> Secrets:
    """By name and key: new ones for every holder there is."""
    found: Secrets = {f"{service}-db": {"username": f"{service}_owner"} for service in SERVICES}
    for file in sorted({name for names in holders().values() for name in names} | {DEMO}):
        name, key = source(file)
        found.setdefault(name, {})[key] = fresh(file)
    return found | {"kafka": for_kafka(found["kafka-users"][f"kafka-{ADMIN}"])}


def secret(name: str, data: Mapping[str, str]) -> dict[str, Any]:
    kind = "kubernetes.io/basic-auth" if name.endswith("-db") else "Opaque"
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {
        "apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "lifang"}},
        "data": encoded}


class Cluster:
    """Asks the API of the cluster as the account of the job."""

    def __init__(self) -> None:
        host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
        namespace = (ACCOUNT / "namespace").read_text().strip()
        self._url = f"https://{f'[{host}]' if ':' in host else host}:{port}/api/v1/namespaces/{namespace}/secrets"
        self._trust = ssl.create_default_context(cafile=ACCOUNT / "ca.crt")

    def ask(self, method: str, name: str = "", body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """None where nothing is found, or where it is there already. Raises OSError."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = urllib.request.Request(
            f"{self._url}/{name}".rstrip("/"), json.dumps(body).encode() if body else None, method=method,
            headers={"Authorization": f"Bearer {(ACCOUNT / 'token').read_text().strip()}", "Content-Type": kind})
        try:
            with urllib.request.urlopen(request, context=self._trust, timeout=10) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            if error.code in (404, 409):
                return None
            raise


def decoded(found: Mapping[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in (found.get("data") or {}).items()}


def keep(cluster: Cluster) -> list[str]:
    """The names of those for which something was done. Kafka's own settings follow from its administrator's password."""
    done, new = [], wanted()
    users = cluster.ask("GET", "kafka-users")
    if users is not None and (password := decoded(users).get(f"kafka-{ADMIN}")):
        new["kafka"] = for_kafka(password)
    for name, data in new.items():
        there = cluster.ask("GET", name)
        if there is None:
            done += [name] if cluster.ask("POST", body=secret(name, data)) else []
        elif missing := {key: value for key, value in data.items() if key not in decoded(there)}:
            # of that version alone: whoever was faster is right
            version = {"metadata": {"resourceVersion": there["metadata"]["resourceVersion"]}}
            done += [name] if cluster.ask("PATCH", name, {"data": secret(name, missing)["data"]} | version) else []
    return done


def main() -> None:
    if sys.argv[1:] == ["--print"]:
        items = [secret(name, data) for name, data in wanted().items()]
        print(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    elif sys.argv[1:]:
        sys.exit("python -m cli.providing.cluster [--print]")
    else:
        print(f"secrets made: {', '.join(keep(Cluster())) or 'none'}")


if __name__ == "__main__":
    main()
