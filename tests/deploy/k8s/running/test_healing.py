"""Whatever pod is deleted, one of each kind of every service at once, the broker's and the database's too: all is ready again without
anybody's doing, a story passes, and nothing of what was acknowledged is lost."""

import time

import pytest

from tests.deploy.k8s.running.asking import asked_all_along
from tests.deploy.k8s.running.cluster import Cluster, failed, seen
from tests.deploy.k8s.running.watching import Records

KINDS = ("api", "worker", "relay", "keeper", "panels", "desk", "data")
STAYS = {"api", "relay", "keeper", "panels", "worker"}
"""Of these no request fails when one is deleted: another answers, or nobody waits for them."""


def one_of_each(cluster: Cluster, kind: str) -> list[str]:
    """Of every service; of those that answer one of two."""
    by_owner: dict[str, str] = {}
    for name in cluster.pods_of(kind):
        by_owner[name.partition("-")[0]] = name
    return list(by_owner.values())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_deleted_comes_back_by_itself(cluster: Cluster, records: Records, kind: str):
    pods = one_of_each(cluster, kind)
    assert len(pods) == {"panels": 1, "desk": 1, "data": 2}.get(kind, 7)
    with asked_all_along(cluster) as load:
        begun = time.monotonic()
        cluster.deleted(pods)
        took = time.monotonic() - begun
        load.under_way()
    answers = load.answers
    found = records.check(answers.acknowledged)
    seen(f"deleted {kind}", pods=len(pods), seconds=round(took), requests=len(answers.said), failed=len(answers.failed),
         acknowledged=found.acknowledged)
    assert took < 180
    assert not answers.never
    assert not found.findings
    if kind in STAYS:
        assert not [f"{one.what} ({one.how}): {one.failed}" for one in answers.failed]
    story = cluster.played("door")
    assert story["ok"], failed(story)
