"""Every workload of ours is restarted, one after the other, while people and devices go on asking: no request fails, not even once, and
nothing of what was acknowledged is lost."""

import time
from collections.abc import Iterable

from tests.deploy.k8s.running.asking import Load, Said, asked_all_along
from tests.deploy.k8s.running.cluster import PATIENCE, Cluster, seen
from tests.deploy.k8s.running.watching import Records

DATA = {"statefulset.apps/postgres", "statefulset.apps/kafka"}
Spans = dict[str, tuple[float, float]]


def restarted(cluster: Cluster, load: Load, workloads: Iterable[str]) -> Spans:
    """When each was; some load goes on after the last."""
    spans: Spans = {}
    for one in workloads:
        begun = time.time()
        cluster("rollout", "restart", one)
        cluster("rollout", "status", one, f"--timeout={PATIENCE}s")
        spans[one] = begun, time.time()
    load.under_way()
    return spans


def during(spans: Spans, said: Said) -> str:
    """Who was being restarted when it failed."""
    at = said.until - said.ms / 1000
    named = [one for one, (begun, ended) in spans.items() if begun <= said.until and at <= ended + 10]
    return f"{said.what} ({said.how} connections) while {', '.join(named) or 'nothing'}: {said.failed}"


def test_each_of_ours_is_restarted_and_nobody_notices(cluster: Cluster, records: Records):
    ours = [one for one in cluster.stays() if one not in DATA]
    assert len(ours) == 7 * 4 + 2
    with asked_all_along(cluster) as load:
        spans = restarted(cluster, load, ours)
    answers = load.answers
    found = records.check(answers.acknowledged)
    seen("rolling restart", workloads=len(ours), seconds=round(max(end for _, end in spans.values()) - min(b for b, _ in spans.values())),
         requests=len(answers.said), failed=len(answers.failed), acknowledged=found.acknowledged, events=found.events, heard=found.heard,
         views=found.views, slowest_ms=max(one.ms for one in answers.said), answered=answers.counted(),
         why=[during(spans, one) for one in answers.failed])
    assert not [during(spans, one) for one in answers.failed]
    assert {status for counts in answers.counted().values() for status in counts} <= {200, 201, 409}
    assert not answers.refused
    assert not found.findings
    assert found.acknowledged > 200


def test_the_broker_is_restarted_and_no_request_fails(cluster: Cluster, records: Records):
    """Whoever answers speaks to no broker; what it is to be told is told later."""
    with asked_all_along(cluster) as load:
        spans = restarted(cluster, load, ["statefulset.apps/kafka"])
    found = records.check(load.answers.acknowledged)
    seen("broker restarted", seconds=[round(b - a) for a, b in spans.values()], requests=len(load.answers.said),
         failed=len(load.answers.failed), acknowledged=found.acknowledged)
    assert not [during(spans, one) for one in load.answers.failed]
    assert not found.findings


def test_the_database_is_restarted_and_every_request_is_answered_in_the_end(cluster: Cluster, records: Records):
    """There is one of it: while it is away, so are answers (503). Asked again with the same key, each is answered, and once."""
    with asked_all_along(cluster) as load:
        spans = restarted(cluster, load, ["statefulset.apps/postgres"])
    answers = load.answers
    found = records.check(answers.acknowledged)
    seen("database restarted", seconds=[round(b - a) for a, b in spans.values()], requests=len(answers.said), failed=len(answers.failed),
         slowest_ms=max(one.ms for one in answers.said), acknowledged=found.acknowledged)
    assert not answers.never
    assert not found.findings
