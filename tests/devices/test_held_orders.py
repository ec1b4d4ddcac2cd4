"""An order whose device still waits for an answer: it is not called before, and not at all where it had its answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from libs.eventkit.commands import Context
from libs.eventkit.decider import Refused, Take
from libs.eventkit.service import App
from services.devices.performer import Order, Performer
from tests.devices.test_performer import Bells, order, over, story
from tests.kit import caught_up, until
from tests.toy.bells import RINGS, Attempt, Done, RingAttempted, RingOrdered
from tests.toy.main import service

HELD = 1.0


@pytest.fixture
def bells() -> Bells:
    return Bells()


@pytest.fixture
async def toy(app_of: Callable[..., Awaitable[App]], bells: Bells) -> App:
    """Its attempts take the one answer of a bell, as those of a camera's orders do."""

    def claims(command: Any, event: Any) -> Iterable[Take]:
        if isinstance(event, RingAttempted):
            yield Take("answer", "the bell", "answered_otherwise")

    toy = service(ring=bells.ring)
    app = await app_of(replace(toy, deciders=(toy.deciders[0], replace(RINGS, claims=claims)), reactions=lambda app: ()))
    performer: Performer = app.subscriptions[-1].take.__self__  # type: ignore[attr-defined]
    plan = performer.effect.on[RingOrdered]

    async def held(event: Any, row: Any) -> Order | None:
        planned = await plan(event, row)
        return None if planned is None else replace(planned, hold=HELD)

    performer.effect = replace(performer.effect, on={RingOrdered: held})
    return app


@pytest.fixture
async def pool(toy: App) -> asyncpg.Pool:
    return await toy.database.pool()


def context(community: UUID) -> Context:
    return Context(community_id=community, now=datetime.now(UTC))


async def test_a_device_that_still_waits_for_its_answer_is_not_called(
    toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID
):
    toy.start_worker()
    begun = datetime.now(UTC)
    ring = await order(toy, community)
    await asyncio.sleep(HELD / 2)
    assert (bells.rung, await story(pool, ring)) == ([], ["ring_ordered"])
    assert await over(pool, ring) == ["ring_ordered", "ring_attempted", "rung"]
    assert datetime.now(UTC) - begun >= timedelta(seconds=HELD) and bells.rung == [("gate", ring)]


async def test_the_wait_counts_from_the_request(toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID):
    toy.start_worker()
    begun = datetime.now(UTC)
    ring = await order(toy, community, asked=HELD + 0.1)
    assert (await over(pool, ring))[-1] == "rung"
    assert datetime.now(UTC) - begun < timedelta(seconds=HELD)


async def test_what_the_response_did_meanwhile_is_neither_called_nor_said_again(
    toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID
):
    toy.start_worker()
    ring = await order(toy, community)
    await toy.commands.handle(ring, Attempt(), context(community))
    await toy.commands.handle(ring, Done(), context(community))
    await caught_up(pool, "rings")
    assert await story(pool, ring) == ["ring_ordered", "ring_attempted", "rung"] and bells.rung == []


async def test_a_response_that_was_begun_and_never_told_of_is_concluded_and_not_called(
    toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID
):
    toy.start_worker()
    ring = await order(toy, community)
    await toy.commands.handle(ring, Attempt(), context(community))
    assert await over(pool, ring) == ["ring_ordered", "ring_attempted", "ring_unknown"] and bells.rung == []


async def test_an_order_whose_answer_was_a_fallback_expires(toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID):
    """Another stream holds the claim on the answer."""
    fallback = await order(toy, community, "fallback", asked=60.0)
    await toy.commands.handle(fallback, Attempt(), context(community))
    toy.start_worker()
    ring = await order(toy, community)
    assert await over(pool, ring) == ["ring_ordered", "ring_expired"] and ("gate", ring) not in bells.rung
    with pytest.raises(Refused, match="answered_otherwise"):
        await toy.commands.handle(await order(toy, community, "third"), Attempt(), context(community))


async def test_a_held_order_keeps_its_place_and_no_other_device(toy: App, pool: asyncpg.Pool, bells: Bells, community: UUID):
    toy.start_worker()
    rings = [await order(toy, community), await order(toy, community)]
    await until(lambda: bells.rung)
    await caught_up(pool, "rings")
    assert bells.rung == [("gate", rings[0])], "the second found the one answer taken"
    assert (await story(pool, rings[1]))[-1] == "ring_expired"
