"""Emergency broadcasts on a real database: everybody in the building is told, nobody else, and nobody twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.neighbors.domain.broadcasts import broadcast_id_of
from services.neighbors.domain.tellings import telling_id_of
from services.neighbors.main import book_of
from services.neighbors.processes import telling
from tests.integration.neighborhood import Neighborhood, Provider, as_folded, service_with
from tests.kit import everything, until

AppOf = Callable[..., Awaitable[App]]
HOUSE, OTHER, ANN, BEN, CLEO, STAFF, GUARD = (uuid4() for _ in range(7))


@pytest.fixture
async def here(app_of: AppOf, community: UUID) -> AsyncIterator[Neighborhood]:
    push, sms = Provider("push"), Provider("sms")
    made = Neighborhood(await app_of(service_with((push, sms))), community, push, sms)
    await made.founded(HOUSE, OTHER)
    yield made


async def shown(here: Neighborhood, broadcast_id: UUID) -> dict[str, Any]:
    answer = await here.ask("GET", f"/v1/broadcasts/{broadcast_id}", "guard", GUARD)
    return answer.json() if answer.status_code == 200 else {}


async def test_a_verified_fire_reaches_all_of_its_building_and_nobody_else_though_a_channel_fails_first(here: Neighborhood):
    here.works()
    residents, incident = [uuid4() for _ in range(40)], uuid4()
    for resident in residents:
        await here.moves_in(resident, HOUSE)
    await here.moves_in(CLEO, OTHER)
    await here.settled()
    here.push.failing.update(dict.fromkeys(residents, 1))
    verified = await here.burns(HOUSE, incident)
    await until(lambda: here.push.reached() == here.sms.reached() == set(residents))
    broadcast_id = broadcast_id_of(incident)

    async def all_told() -> Any:
        found = await shown(here, broadcast_id)
        return found if found and found["told"] == 40 and found["waiting"] == 0 and all(
            c["state"] == "told" for r in found["residents"] for c in r["channels"]) else None

    found = await until(all_told)
    assert (found["audience"], found["not_told"], found["read"], found["rule"]) == (40, 0, 0, "incident_verified")
    [sent] = await here.said("broadcast_sent")
    assert sent["facts"] == [{"event_id": str(verified), "says": "incident_verified"}] and sent["by"] is None
    assert {key for _, key in here.push.asked} == {str(telling_id_of(broadcast_id, r, "push")) for r in residents}
    assert len(here.push.asked) == 80 and len(here.sms.asked) == 40
    assert {f["error"] for f in await here.said("telling_failed")} == {"ConnectionRefusedError"}
    assert not any("13800000001" in r.data for r in await everything(await here.app.database.pool()))
    await here.burns(HOUSE, incident)
    await here.burns(OTHER, uuid4(), silent=True)
    await here.settled()
    assert len(await here.said("broadcast_sent")) == 1, "one for an incident, none for a silent one"
    await here.put_out(HOUSE, incident)
    await here.settled()
    mine = (await here.ask("GET", "/v1/broadcasts", "resident", residents[0])).json()["items"]
    assert [(b["state"], b["ended_reason"], b["kind"]) for b in mine] == [("ended", "incident_resolved", "fire")]
    assert (await here.ask("GET", "/v1/broadcasts", "resident", CLEO)).json()["items"] == []
    assert await as_folded(here)


async def test_killed_between_an_answer_and_its_record_nobody_is_told_under_another_key(
    here: Neighborhood, app_of: AppOf, monkeypatch: pytest.MonkeyPatch,
):
    class Died(BaseException):
        pass

    await here.moves_in(ANN, HOUSE)
    book, incident = book_of(here.app), uuid4()
    for _ in range(2):
        for reactor in here.app.reactors:
            for row in await everything(await here.app.database.pool()):
                event = here.app.catalogue.read(row)
                if type(event) in reactor.reaction.on:
                    await reactor.handle(event, row)
        await here.burns(HOUSE, incident)
    key = telling_id_of(broadcast_id_of(incident), ANN, "push")
    timer = here.app.service.timers(here.app)[0]
    state, _ = await here.app.commands.state(timer.decider, key, here.community)
    with monkeypatch.context() as patched, pytest.raises(Died):
        async def dies(*_: object, **__: object) -> None:
            raise Died

        patched.setattr(here.app.commands, "handle", dies)
        await timer.fire(telling.Due(here.community, key, state, state.again_at, uuid4()))
    assert here.push.asked == [(ANN, str(key))] and await here.said("resident_told") == []
    second = await app_of(service_with((here.push, here.sms)), here.app)
    here.works(second)
    await until(lambda: len(here.push.asked) == 2 and here.sms.taken)
    assert here.push.asked == [(ANN, str(key))] * 2, "told again, under the same key"
    assert book.belongs(here.community, HOUSE, ANN)

    async def recorded_once() -> bool:
        return sorted(t["channel"] for t in await here.said("resident_told")) == ["push", "sms"]

    await until(recorded_once)


async def _tried_twice(here: Neighborhood) -> set[str]:
    """What a broadcast queues where the worker dies after it and begins again: the keys."""
    incident = uuid4()
    await here.burns(HOUSE, incident)
    await here.settled()
    [row] = [r for r in await everything(await here.app.database.pool()) if r.type == "broadcast_sent"]
    again: Recorded = replace(row)
    reactor = next(r for r in here.app.reactors if r.reaction.name == "telling")
    await reactor.handle(here.app.catalogue.read(again), again)
    return {t["telling_id"] for t in await here.said("telling_queued")}


@pytest.mark.parametrize("twin", ["as it is", "with keys of chance"])
async def test_a_rerun_queues_nobody_twice_and_a_twin_whose_keys_are_chance_is_caught(
    here: Neighborhood, twin: str, monkeypatch: pytest.MonkeyPatch,
):
    if twin != "as it is":
        monkeypatch.setattr(telling, "telling_id_of", lambda *_: uuid4())
    here.works()
    await here.moves_in(ANN, HOUSE)
    await here.settled()
    keys = await _tried_twice(here)
    assert (len(keys) == 2) == (twin == "as it is")


async def test_who_moves_in_while_it_runs_is_told_and_who_has_left_or_waits_at_its_end_is_not(here: Neighborhood):
    here.works()
    home, _ = await here.moves_in(ANN, HOUSE), await here.moves_in(BEN, HOUSE)
    await here.settled()
    here.push.failing.update({ANN: -1, BEN: -1})
    answer = await here.ask("POST", "/v1/broadcasts", "guard", GUARD, {"building_id": str(HOUSE), "kind": "water", "text": "停水"})
    assert answer.status_code == 201 and answer.json()["audience"] == 2
    key = {"idempotency-key": "x"}
    twice = [await here.ask("POST", "/v1/broadcasts", "guard", GUARD, {"building_id": str(OTHER), "text": "x"}, **key) for _ in "ab"]
    assert twice[0].json() == twice[1].json() and len(await here.said("broadcast_sent")) == 2
    broadcast_id = UUID(answer.json()["id"])
    await until(lambda: {ANN, BEN} <= {r for r, _ in here.push.asked} and here.sms.reached() == {ANN, BEN})
    await here.moves_out(home, ANN, HOUSE)
    await here.moves_in(CLEO, HOUSE)
    await until(lambda: CLEO in here.push.reached() and CLEO in here.sms.reached())

    async def reasons() -> dict[UUID, str]:
        return {UUID(n["resident_id"]): n["reason"] for n in await here.said("resident_not_told") if n["channel"] == "push"}

    async def gone() -> bool:
        return await reasons() == {ANN: "moved_out"}

    await until(gone)
    ended = await here.ask("POST", f"/v1/broadcasts/{broadcast_id}/endings", "staff", STAFF, {})
    assert ended.status_code == 201

    async def over() -> bool:
        return await reasons() == {ANN: "moved_out", BEN: "ended"}

    await until(over)
    late = uuid4()
    await here.moves_in(late, HOUSE)
    await here.settled()
    assert late not in {r for r, _ in here.push.asked}
    found = await shown(here, broadcast_id)
    assert (found["told"], found["not_told"], found["waiting"], found["state"], found["ended_by"]) == (3, 0, 0, "ended", str(STAFF))


async def test_five_hundred_go_out_and_a_channel_that_hangs_holds_up_none_of_the_other(here: Neighborhood):
    here.works()
    residents = [uuid4() for _ in range(500)]
    await asyncio.gather(*(here.moves_in(r, HOUSE) for r in residents))
    await here.settled()
    here.push.hangs = True
    await here.burns(HOUSE, uuid4())
    await until(lambda: here.sms.reached() == set(residents))
    assert here.push.taken == {} and len(here.push.asked) >= telling.AT_ONCE


async def test_who_was_told_confirms_it_wherever_they_live_now_and_who_came_after_its_end_does_not(here: Neighborhood):
    here.works()
    home, incident = await here.moves_in(ANN, HOUSE), uuid4()
    await here.settled()
    await here.burns(HOUSE, incident)
    await here.settled()
    await here.moves_in(BEN, HOUSE)
    await until(lambda: BEN in here.sms.reached())
    await here.moves_out(home, ANN, HOUSE)
    await here.put_out(HOUSE, incident)
    await here.settled()
    await here.moves_in(CLEO, HOUSE)
    await here.settled()
    path = f"/v1/broadcasts/{broadcast_id_of(incident)}/receipts"
    answers = [(await here.ask("POST", path, "resident", resident)).status_code for resident in (ANN, BEN, CLEO)]
    assert answers == [201, 201, 404]
    shown = [(await here.ask("GET", "/v1/broadcasts", "resident", resident)).json()["items"] for resident in (ANN, BEN, CLEO)]
    assert [[b["id"] for b in items] for items in shown] == [[str(broadcast_id_of(incident))]] * 2 + [[]]
    one = [await here.ask("GET", path.removesuffix("/receipts"), "resident", resident) for resident in (ANN, CLEO)]
    assert [answer.status_code for answer in one] == [200, 404]


async def test_a_broadcast_is_confirmed_by_who_was_told(here: Neighborhood):
    here.works()
    await here.moves_in(ANN, HOUSE)
    await here.moves_in(CLEO, OTHER)
    await here.settled()
    incident = uuid4()
    await here.burns(HOUSE, incident)
    await here.settled()
    path = f"/v1/broadcasts/{broadcast_id_of(incident)}"
    assert (await here.ask("POST", f"{path}/receipts", "resident", ANN)).status_code == 201
    assert (await here.ask("POST", f"{path}/receipts", "resident", CLEO)).status_code == 404
    assert (await here.ask("GET", path, "resident", CLEO)).status_code == 404
    await here.settled()
    assert (await shown(here, broadcast_id_of(incident)))["read"] == 1
    mine = (await here.ask("GET", path, "resident", ANN)).json()
    assert mine["read_at"] is not None and mine["state"] == "running" and "residents" not in mine and "by" not in mine
