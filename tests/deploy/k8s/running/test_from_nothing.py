"""`kubectl apply -k deploy/k8s/overlays/dev`, once, where nothing was: every pod ready, as restricted as it says; and once more."""

import json

import pytest
import yaml

from cli.providing.cluster import wanted
from tests.deploy.k8s.running.asking import pod
from tests.deploy.k8s.running.cluster import SPACE, Cluster, Failed, failed, is_ready, seen

STORIES = ("door", "visitor", "fire")


def test_everything_is_ready_soon(cluster: Cluster):
    if not cluster.took:
        pytest.skip("what is there was taken as it is")
    pods = cluster.pods()
    seen("from nothing", seconds=round(cluster.took), pods=len(pods), secrets="in the cluster" if cluster.in_cluster else "from outside")
    assert len(pods) > 30 and all(map(is_ready, pods))
    assert cluster.took < 400


def test_what_runs_is_restricted_and_nothing_else_would_be_let_in(cluster: Cluster):
    labels = json.loads(cluster("get", "namespace", SPACE, "-o", "json"))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    twin = pod(cluster.tools, "twin", {})
    cluster("create", "--dry-run=server", "-f", "-", given=yaml.safe_dump(twin))
    twin["spec"]["securityContext"]["runAsNonRoot"] = False
    with pytest.raises(Failed, match="violates PodSecurity"):
        cluster("create", "--dry-run=server", "-f", "-", given=yaml.safe_dump(twin))


def test_the_job_has_made_every_secret_in_the_cluster(cluster: Cluster):
    if cluster.took and not cluster.in_cluster:
        pytest.skip("pods of this cluster do not reach its API: secrets were made from outside, the job has not come to its end")
    there = {one["metadata"]["name"]: set(one.get("data") or ()) for one in cluster.objects("secrets")}
    assert {name: set(data) for name, data in wanted().items()} == {name: there.get(name) for name in wanted()}


def test_the_job_leaves_what_is_there_and_adds_what_is_missing(cluster: Cluster):
    """Once more, as after it is gone by itself: by then a key is missing, as after an upgrade."""
    if cluster.took and not cluster.in_cluster:
        pytest.skip("pods of this cluster do not reach its API")
    before = {one["metadata"]["name"]: one.get("data") for one in cluster.objects("secrets")}
    cluster("patch", "secret", "keys", "--type=json", "-p", '[{"op": "remove", "path": "/data/kek-webhook"}]')
    cluster("delete", "job", "secrets", "--ignore-not-found")
    cluster.apply()
    cluster("wait", "job/secrets", "--for=condition=complete", "--timeout=90s")
    assert cluster("logs", "job/secrets").strip() == "secrets made: keys"
    after = {one["metadata"]["name"]: one.get("data") for one in cluster.objects("secrets")}
    assert after["keys"].keys() == before["keys"].keys()
    assert after | {"keys": None} == before | {"keys": None}
    cluster("patch", "secret", "keys", "--type=merge", "-p", json.dumps({"data": before["keys"]}))


def test_the_same_once_more_changes_nothing(cluster: Cluster):
    before = {one["metadata"]["uid"] for one in cluster.pods()}
    cluster.apply()
    cluster.settle()
    assert {one["metadata"]["uid"] for one in cluster.pods()} == before


@pytest.mark.parametrize("story", STORIES)
def test_a_story_is_played_from_outside(cluster: Cluster, story: str):
    found = cluster.played(story)
    assert found["ok"], failed(found)
    seen(f"story {story}", seconds=found["seconds"])
