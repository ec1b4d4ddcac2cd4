"""Secrets are made once, in the cluster, by a job that talks to its API: never again, never over what is there."""

import base64
import json
import subprocess
import sys
import urllib.error
from typing import Any

import pytest

from cli.place import ROOT
from cli.providing import cluster
from cli.providing.holders import SERVICES, holders
from cli.stack import secrets as local
from tests.deploy.k8s.policy.platform import MADE
from tests.deploy.k8s.rendering import overlay
from tests.deploy.k8s.world import World, at


class Api(cluster.Cluster):
    """A cluster that holds Secrets, and answers as one does: a name once, a version that must not have changed."""

    def __init__(self) -> None:
        self.there: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []

    def ask(self, method: str, name: str = "", body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        self.asked.append(method)
        if method == "GET":
            return self.there.get(name)
        assert body is not None
        if method == "POST":
            name = body["metadata"]["name"]
            if name in self.there:
                return None
            self.there[name] = {**body, "metadata": body["metadata"] | {"resourceVersion": "1"}}
            return body
        assert method == "PATCH"
        kept = self.there[name]
        if body["metadata"]["resourceVersion"] != kept["metadata"]["resourceVersion"]:
            return None
        kept["data"] |= body["data"]
        return kept

    def file(self, name: str, key: str) -> str:
        return base64.b64decode(self.there[name]["data"][key]).decode()


def test_everything_is_made_at_first_and_nothing_again() -> None:
    api = Api()
    assert set(cluster.keep(api)) == set(cluster.wanted()) == MADE
    before = json.dumps(api.there, sort_keys=True)
    assert cluster.keep(api) == [] and json.dumps(api.there, sort_keys=True) == before


def test_what_is_missing_is_added_and_the_rest_left() -> None:
    api = Api()
    cluster.keep(api)
    old = api.file("keys", "kek-plate")
    del api.there["keys"]["data"]["kek-contact"], api.there["access-db"]
    assert cluster.keep(api) == ["access-db", "keys"]
    assert api.file("keys", "kek-plate") == old and api.file("keys", "kek-contact")


def test_kafka_and_its_administrator_know_one_password() -> None:
    """Also where a first run was ended between the two."""
    api = Api()
    cluster.keep(api)
    del api.there["kafka"]
    assert cluster.keep(api) == ["kafka"]
    assert f'user_admin="{api.file("kafka-users", "kafka-admin")}"' in api.file("kafka", "server.properties")


def test_whoever_was_faster_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    cluster.keep(api)
    before = json.dumps(api.there, sort_keys=True)
    monkeypatch.setattr(Api, "ask", lambda self, method, name="", body=None: None)
    assert cluster.keep(api) == [] and json.dumps(api.there, sort_keys=True) == before


def test_every_file_of_every_holder_has_its_secret() -> None:
    made = cluster.wanted()
    for names in holders().values():
        for file in names:
            name, key = cluster.source(file)
            assert len(made[name][key]) >= 8
    assert {f"{service}-db" for service in SERVICES} <= made.keys()


def test_secrets_are_of_the_kind_that_their_name_asks_for() -> None:
    keys = cluster.wanted()["keys"]
    assert all(len(base64.urlsafe_b64decode(keys[name] + "=")) == 32 for name in local.KEYS)
    assert bytes.fromhex(keys["dc09-key"]) and len(set(keys.values())) == len(keys)


def test_whatever_the_dev_overlay_mounts_is_made() -> None:
    made = cluster.wanted()
    for one in World(list(overlay("dev"))).workloads:
        for volume in at(one.pod, "volumes", default=[]):
            for source in at(volume, "projected", "sources", default=[]):
                for item in at(source, "secret", "items", default=[]):
                    assert item["key"] in made[source["secret"]["name"]], one.title


def test_printed_it_is_what_kubectl_creates() -> None:
    done = subprocess.run([sys.executable, "-m", "cli.providing.cluster", "--print"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["kind"] == "List" and {one["metadata"]["name"] for one in found["items"]} == MADE
    assert {one["type"] for one in found["items"]} == {"Opaque", "kubernetes.io/basic-auth"}


@pytest.mark.parametrize(("code", "raises"), [(404, False), (409, False), (403, True), (500, True)])
def test_the_api_is_asked_as_the_jobs_account(
        code: int, raises: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "token").write_text("a-token\n")
    (tmp_path / "namespace").write_text("lifang")
    monkeypatch.setattr(cluster, "ACCOUNT", tmp_path)
    monkeypatch.setattr(cluster.ssl, "create_default_context", lambda cafile: cafile)
    monkeypatch.setitem(cluster.environ, "KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setitem(cluster.environ, "KUBERNETES_SERVICE_PORT", "443")
    seen: list[Any] = []

    def answer(request: Any, context: Any, timeout: float) -> Any:
        seen.append((request.full_url, request.headers["Authorization"], context))
        raise urllib.error.HTTPError(request.full_url, code, "", {}, None)  # type: ignore[arg-type]

    monkeypatch.setattr(cluster.urllib.request, "urlopen", answer)
    if raises:
        with pytest.raises(urllib.error.HTTPError):
            cluster.Cluster().ask("GET", "keys")
    else:
        assert cluster.Cluster().ask("GET", "keys") is None
    assert seen == [("https://[fd00::1]:443/api/v1/namespaces/lifang/secrets/keys", "Bearer a-token", tmp_path / "ca.crt")]
