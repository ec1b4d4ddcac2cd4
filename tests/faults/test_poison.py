"""Poison: what cannot be read is kept aside, what cannot be handled parks its key, what cannot be folded damages one community's view;
everybody else goes on, and what was tried again leaves nothing behind."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import json
from msgspec.structs import replace

from cli.operate import operate
from libs.eventkit import reactions
from libs.eventkit.commands import LARGEST
from libs.eventkit.reactions import Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App, Service
from tests.eventkit.topics import Message, chain, said, topic_of
from tests.faults import of_logs, of_toy
from tests.faults.findings import Broken, Finding, settle
from tests.faults.of_logs import log_of
from tests.faults.tally import Tally
from tests.kit import caught_up, until
from tests.toy import sums, twins_of_restores
from tests.toy.main import ECHO, note
from tests.toy.sums import POISON, VIEW

AppOf = Callable[..., Awaitable[App]]
JUNK: dict[str, Callable[[Message], Message]] = {
    "bad JSON": lambda m: replace(m, body=b'{"amount": 1'),
    "null": lambda m: replace(m, body=None),
    "1 MB": lambda m: replace(m, body=b'{"text": "%s"}' % (b"x" * LARGEST)),
    "not UTF-8": lambda m: replace(m, body=b'{"a": "\xff"}'),
    "no id": lambda m: m.without("ce_id"),
}


class Sick:
    """What the reaction does with poison, until it is cured."""

    def __init__(self) -> None:
        self.cured = False

    async def react(self, event: Any, row: Recorded) -> list[reactions.Do]:
        if event.amount == POISON and not self.cured:
            raise ValueError("poison")
        return await note(event, row)

    def service(self) -> Service:
        on = dict(ECHO.reactions(None)[0].on)  # type: ignore[arg-type, index]
        reaction = Reaction("notes", on=dict.fromkeys(on, self.react), key=lambda event, row: str(row.community_id))
        return replace(ECHO, reactions=lambda app: (reaction,))


async def poisoned(app_of: AppOf, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    sick, ill, well = Sick(), uuid4(), [uuid4() for _ in range(3)]
    service = sick.service()
    echo = await app_of(service)
    pool = await echo.database.pool()
    async with topic_of(echo.settings) as topic:
        echo.start_worker()
        good = {community: [added(m, 1) for m in chain(community, [1, 2, 3, 4, 5])] for community in (ill, *well)}
        good[ill][1] = added(good[ill][1], POISON)
        good[ill][3] = good[ill][3].having(ce_type=b"toy.never_heard_of")
        tally.rounds = len(JUNK) + 2
        for n in range(5):
            for community in good:
                await topic.put(good[community][n])
            await topic.put(*[spoil(said(ill, 90)) for spoil in list(JUNK.values())[n:n + 1]])
        try:
            await until(lambda: _noted(pool, *well, wanted=15), 15)
            await caught_up(pool, "notes", "sums")  # whatever order partitions were heard in
        except AssertionError:
            settle([Finding("I12", "poison of one community holds up others, or its reader", stuck=1)], tally)
        settle(await _ill_alone(pool, ill), tally)
        sick.cured = True
        monkeypatch.setattr(sums, "POISON", -1)
        await operate(App(service, echo.settings), "parked", ["retry"])
        await operate(App(service, echo.settings), "rebuild", ["sums"])
        await caught_up(pool, "notes", "sums")
    async with pool.acquire() as connection:
        log = await log_of(connection, [VIEW])
    tally.events += len(log.events)
    waiting = [one for one in log.waiting if one[0] != "kept aside"]
    settle([*(Finding("I12", one, stuck=1) for one in waiting), *of_logs.positions_and_versions_run(log.events),
            *of_toy.heard_and_noted_once(log.events), *of_logs.view_is_the_fold(log, ECHO.catalogue(), VIEW)], tally)


def added(message: Message, amount: int) -> Message:
    """To an account of its own."""
    return replace(message, body=json.encode({"account_id": uuid4(), "amount": amount}))


async def _noted(pool: asyncpg.Pool, *communities: UUID, wanted: int) -> bool:
    query = "select count(*) from events where type = 'noted' and community_id = any($1)"
    return int(await pool.fetchval(query, list(communities))) == wanted


async def _ill_alone(pool: asyncpg.Pool, ill: UUID) -> Iterator[Finding]:
    parked = [r[0] for r in await pool.fetch("select key from parked order by position")]
    damaged = [r[0] for r in await pool.fetch("select community_id from damaged")]
    aside = int(await pool.fetchval("select count(*) from kept_aside"))
    wrong = [
        *([Finding("I12", f"parked are {parked}", lost=1)] if parked != [str(ill)] * 3 else []),
        *([Finding("I12", f"damaged are {damaged}", lost=1)] if damaged != [ill] else []),
        *([Finding("I12", f"{aside} kept aside of {len(JUNK)}", lost=1)] if aside != len(JUNK) else [])]
    return iter(wrong)


@pytest.mark.fault(row="poison", invariants="I4 I5 I12")
async def test_poison_parks_one_key_and_what_is_tried_again_leaves_nothing_behind(
    app_of: AppOf, tally: Tally, monkeypatch: pytest.MonkeyPatch
):
    await poisoned(app_of, tally, monkeypatch)


@pytest.mark.parametrize("twin", ["tries_for_ever", "drops_what_fails"])
@pytest.mark.twin(row="poison", caught_by="I12")
async def test_the_broken_twin_is_caught(app_of: AppOf, tally: Tally, monkeypatch: pytest.MonkeyPatch, twin: str):
    for name in ("handle", "tried"):
        monkeypatch.setattr(reactions.Reactor, name, getattr(reactions.Reactor, name))
    monkeypatch.setattr(reactions, "TRIES", reactions.TRIES)
    twins_of_restores.TWINS[twin]()
    with pytest.raises(Broken) as broken:
        await poisoned(app_of, tally, monkeypatch)
    assert broken.value.invariant == "I12"
