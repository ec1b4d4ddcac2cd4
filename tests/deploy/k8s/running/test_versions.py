"""A new version that cannot serve leaves the old one serving: an image that is not there, one that does not start, a migration that fails.
And one that can: old and new side by side, forward and back, while people go on asking."""

import re

import pytest

from tests.deploy.k8s.running.asking import Answers, asked_all_along
from tests.deploy.k8s.running.cluster import PATIENCE, Cluster, Failed, failed, is_ready, seen
from tests.deploy.k8s.running.versions import FAILS, MIGRATES, MIGRATION, SERVICE, WORKLOADS, newer, older, with_image
from tests.deploy.k8s.running.watching import Records
from tests.deploy.k8s.world import COMPONENT, NAME, at

API = f"{COMPONENT}=api,{NAME}={SERVICE}"
STANDS = "--timeout=45s"


def answering(cluster: Cluster) -> set[str]:
    return {pod["metadata"]["name"] for pod in cluster.pods(API) if is_ready(pod)}


def nobody_noticed(answers: Answers) -> None:
    assert not [f"{one.what} ({one.how}): {one.failed}" for one in answers.failed]
    assert {status for counts in answers.counted().values() for status in counts} <= {200, 201, 409}
    assert not answers.refused


def why_not(cluster: Cluster) -> str:
    """What the pods that do not answer say of it."""
    waiting = [pod for pod in cluster.pods(API) if not is_ready(pod)]
    states = [at(pod, "status", "containerStatuses", 0, "state", default={}) for pod in waiting]
    events = cluster("get", "events", "--field-selector", f"involvedObject.name={waiting[0]['metadata']['name']}") if waiting else ""
    return f"{states} {events}"


@pytest.mark.parametrize(("image", "says"), [
    (f"{SERVICE}:never-made", "ErrImagePull|ImagePullBackOff"), ("parking", "CrashLoopBackOff|Error|BackOff")])
def test_an_image_that_cannot_serve_leaves_the_old_one_serving(cluster: Cluster, records: Records, image: str, says: str):
    named, _, tag = cluster.tools.rpartition(":")
    other = f"{named.removesuffix('tools')}{image}" + ("" if ":" in image else f":{tag}")
    before = answering(cluster)
    with asked_all_along(cluster) as load:
        with_image(cluster, other)
        with pytest.raises(Failed, match="timed out"):
            cluster("rollout", "status", WORKLOADS[0], STANDS)
        assert answering(cluster) == before and len(before) == 2
        assert re.search(says, why_not(cluster))
        load.under_way(200)
        older(cluster)
        cluster.settle()
        load.under_way()
    nobody_noticed(load.answers)
    found = records.check(load.answers.acknowledged)
    assert not found.findings
    seen(f"image {image}", requests=len(load.answers.said), failed=len(load.answers.failed), acknowledged=found.acknowledged)


def test_a_migration_that_fails_leaves_the_old_version_serving_and_one_that_passes_lets_the_new_one_in(
        cluster: Cluster, records: Records):
    before = answering(cluster)
    with asked_all_along(cluster) as load:
        newer(cluster, FAILS)
        with pytest.raises(Failed, match="timed out"):
            cluster("rollout", "status", WORKLOADS[0], STANDS)
        assert answering(cluster) == before and len(before) == 2
        assert "503" in why_not(cluster), why_not(cluster)
        assert "this migration fails" in cluster("logs", MIGRATION, "--tail=5")
        load.under_way(200)
        newer(cluster, MIGRATES)
        cluster("wait", MIGRATION, "--for=condition=complete", f"--timeout={PATIENCE}s")
        cluster.settle()
        assert not answering(cluster) & before
        load.under_way(200)
        story = cluster.played("door")
        assert story["ok"], failed(story)
        newest = answering(cluster)
        older(cluster)
        cluster.settle()
        assert not answering(cluster) & newest
        load.under_way()
    nobody_noticed(load.answers)
    found = records.check(load.answers.acknowledged)
    assert not found.findings
    story = cluster.played("door")
    assert story["ok"], failed(story)
    seen("newer and older", requests=len(load.answers.said), failed=len(load.answers.failed), acknowledged=found.acknowledged)


def test_what_is_alone_comes_back_when_its_image_is_mended(cluster: Cluster):
    """The pod that never became ready is replaced without anybody's doing."""
    panels = "statefulset/devices-panels"
    image = str(cluster.object(panels)["spec"]["template"]["spec"]["containers"][0]["image"])
    cluster("set", "image", panels, f"service={image.rpartition(':')[0]}:never-made")
    cluster("wait", "pod/devices-panels-0", "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImagePull",
            f"--timeout={PATIENCE}s")
    cluster("set", "image", panels, f"service={image}")
    cluster("rollout", "status", panels, f"--timeout={PATIENCE}s")
    cluster.settle()
