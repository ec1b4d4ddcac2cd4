"""Every arrow of the architecture passes on the cluster, and every pair without one is blocked: from inside each pod, to each port at
which another listens."""

import time
from collections.abc import Iterator

import pytest
import yaml

from cli.manifests.network import of, pods, policy, tcp
from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.running.cluster import Cluster, seen
from tests.deploy.k8s.running.probing import Crossing, Place, api_of_the_cluster, compared, outsider, reached, standing_in
from tests.kit import until

PATIENCE = 30.0
"""Seconds until a changed policy is in force."""


@pytest.fixture(scope="module")
def crossing(cluster: Cluster) -> Iterator[Crossing]:
    found = Crossing(cluster)
    with standing_in(found):
        yield found


def test_exactly_the_arrows_pass(crossing: Crossing):
    begun, places = time.monotonic(), [*crossing.places(), outsider()]
    titles = {place.title for place in places}
    assert titles >= {one.title for one in crossing.world.workloads if one.stays}
    api = api_of_the_cluster()
    found = reached(places, places, [api])
    assert not compared(crossing, places, places, found)
    pairs = sum(len(to.ports) for one in places for to in places if to.ip != one.ip)
    passing = sum(len(one) for one in found.values())
    reaching_api = {place.title for place in places if api in found[place.pod]}
    assert "outside" not in reaching_api or reaching_api <= {"Job/secrets", "outside"}, "others than the job reach the cluster's API"
    seen("arrows", pods=len(places), pairs=pairs, passing=passing, reaches_api=sorted(reaching_api),
         seconds=round(time.monotonic() - begun))


def two(crossing: Crossing, *titles: str) -> list[Place]:
    return [next(place for place in crossing.places() if place.title == title) for title in titles]


async def test_twin_with_one_arrow_more_is_told(crossing: Crossing):
    pair = two(crossing, "StatefulSet/access-worker", "Deployment/identity-api")
    one, other = of("access", ("worker",)), of("identity", ("api",))
    more = [policy("twin-out", one, "Egress", pods(other), tcp(8080)), policy("twin-in", other, "Ingress", pods(one), tcp(8080))]
    with_more = yaml.safe_dump_all(more)
    assert look(crossing, pair) == []
    crossing.cluster("apply", "-f", "-", given=with_more)
    try:
        await until(lambda: look(crossing, pair) == ["StatefulSet/access-worker can reach Deployment/identity-api:8080"], PATIENCE)
    finally:
        crossing.cluster("delete", "-f", "-", given=with_more)
    await until(lambda: look(crossing, pair) == [], PATIENCE)


@pytest.mark.parametrize(("missing", "one", "other", "port"), [
    ("access-from-gateway", "Deployment/gateway-api", "Deployment/access-api", 8080),
    ("kafka-plain-from-services", "Deployment/alarm-relay", "StatefulSet/kafka", 9092)])
async def test_twin_without_one_arrow_is_told(crossing: Crossing, missing: str, one: str, other: str, port: int):
    places, told = two(crossing, one, other), f"{one} cannot reach {other}:{port}"
    policy_ = crossing.cluster.object(f"networkpolicy/{missing}")
    crossing.cluster("delete", "networkpolicy", missing)
    try:
        await until(lambda: look(crossing, places) == [told], PATIENCE)
    finally:
        crossing.cluster("apply", "-f", "-", given=yaml.safe_dump(bare(policy_)))
    await until(lambda: look(crossing, places) == [], PATIENCE)


async def test_twin_without_any_policy_is_told(crossing: Crossing):
    """`denied` away, and what else selects these two: a stranger reaches the database."""
    stranger = next(place for place in crossing.places() if place.title.startswith("Stranger/"))
    pair = [stranger, *two(crossing, "Deployment/neighbors-keeper", "Deployment/identity-api")]
    kept = [bare(one) for one in crossing.cluster.objects("networkpolicies")]
    crossing.cluster("delete", "networkpolicies", "--all")
    try:
        await until(lambda: f"{stranger.title} can reach Deployment/identity-api:8080" in look(crossing, pair), PATIENCE)
        assert "Deployment/neighbors-keeper can reach Deployment/identity-api:8080" in look(crossing, pair)
    finally:
        crossing.cluster("apply", "-f", "-", given=yaml.safe_dump_all(kept))
    await until(lambda: look(crossing, pair) == [], PATIENCE)


def look(crossing: Crossing, places: list[Place]) -> list[str]:
    return compared(crossing, places, places, reached(places, places))


def bare(of_: Object) -> Object:
    return {"apiVersion": of_["apiVersion"], "kind": of_["kind"], "metadata": {"name": of_["metadata"]["name"]}, "spec": of_["spec"]}
