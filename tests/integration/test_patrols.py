"""Patrols on a real database: rounds of a time when nobody looked, stops that are missed, and what a phone had kept."""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import json

from libs.contracts import identity
from libs.eventkit.service import App
from libs.eventkit.timers import Timers
from services.alarm.domain.kinds import Place
from services.alarm.domain.patrol_points import Ground, PatrolPointPlaced, PlacePatrolPoint
from services.alarm.domain.patrol_rounds import PatrolRoundJudged, PatrolStopVisited
from services.alarm.domain.patrol_routes import AT_ONCE, Course, PatrolRoundBegun, PatrolRouteSet, SetPatrolRoute, Stop, Timetable
from services.alarm.domain.patrol_scans import TellScan
from services.alarm.main import patrol_book_of
from services.alarm.patrol_book import tag_of
from tests.integration.alarm_desk import Desk, context, desk_at
from tests.kit import until

AppOf = Callable[..., Awaitable[App]]
GATE, ROOF = uuid4(), uuid4()
TAGS = {GATE: "04A1B2C3D4E5F6", ROOF: "https://lifang.example/points/2"}


@asynccontextmanager
async def gatehouse(app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """A desk with two points that patrols go by."""
    async with desk_at(app_of, community, monkeypatch) as found:
        await found.hears(identity.CommunityFounded(community, "里坊", "310104", "Asia/Shanghai"))
        for point_id, tag in TAGS.items():
            placed = PatrolPointPlaced(point_id, "point", Place(), None, tag_of(found.app.blind, community, tag))
            await found.app.commands.handle(point_id, PlacePatrolPoint(placed), context(community))
        yield found


@pytest.fixture
async def desk(app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    async with gatehouse(app_of, community, monkeypatch) as found:
        yield found


def nothing_falls_due(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(self: Timers) -> None:
        await asyncio.Future()

    monkeypatch.setattr(Timers, "_run", never)


def at(hours_ago: float) -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=hours_ago)


BOTH = (Stop(GATE, 0), Stop(ROOF, 10))


async def walks(desk: Desk, *starts: datetime, since: datetime | None = None, stops: tuple[Stop, ...] = BOTH) -> UUID:
    """A route that starts every day at these minutes, set at some time before."""
    route_id, minutes = uuid4(), tuple(sorted(one.hour * 60 + one.minute for one in starts))
    timetable = Timetable("UTC", (1, 2, 3, 4, 5, 6, 7), minutes)
    said = PatrolRouteSet(route_id, Course("night", stops, 5, 15), timetable, True, since or min(starts) - timedelta(minutes=30))
    await desk.app.commands.handle(route_id, SetPatrolRoute(said, 0), context(desk.community))
    return route_id


async def scans(desk: Desk, point_id: UUID, was: datetime, scan_id: UUID | None = None, **more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    scan = {"id": str(scan_id or uuid4()), "tag": TAGS[point_id], "means": "nfc", "scanned_at": was.isoformat(), **more}
    answer = await desk.ask("POST", "/patrol-scans", "guard", {"sent_at": now.isoformat(), "scans": [scan]})
    (told,) = answer.json()["items"]
    assert told["refused"] is None
    return dict(told)


async def rounds(desk: Desk, route_id: UUID, state: str = "judged") -> list[dict[str, Any]]:
    return list((await desk.get(f"/patrol-rounds?route_id={route_id}&state={state}&limit=100"))["items"])


async def test_a_round_that_nobody_walked_is_missed_and_judged_again_when_a_phone_tells_it(desk: Desk) -> None:
    begins = at(3)
    route = await walks(desk, begins)

    async def judged() -> Any:
        return await rounds(desk, route)

    (missed,) = await until(judged)
    assert (missed["missed"], missed["on_time"], missed["times"], [s["met"] for s in missed["stops"]]) == (2, 0, 1, ["missed"] * 2)
    await scans(desk, ROOF, begins + timedelta(minutes=17))

    async def again() -> Any:
        (one,) = await rounds(desk, route)
        return one if one["times"] == 2 else None

    found = await until(again)
    assert (found["missed"], found["late"], [s["met"] for s in found["stops"]]) == (1, 1, ["missed", "late"])
    assert found["id"] == missed["id"] and found["stops"][1]["by"] is not None
    told = [event for event in await desk.said(PatrolRoundJudged) if event.route_id == route]
    assert [(t.stops["missed"], t.times) for t in told] == [(2, 1), (1, 2)]
    await desk.settled()
    assert (await rounds(desk, route, "under_way")) == []


async def test_rounds_of_days_when_everything_stood_still_begin_once_and_in_order(desk: Desk) -> None:
    route = await walks(desk, at(5), at(2), since=at(3 * 24))

    async def all_judged() -> Any:
        found = await rounds(desk, route)
        return found if len(found) >= 6 else None

    found = await until(all_judged)
    starts = sorted(one["starts_at"] for one in found)
    assert len(starts) == len(set(starts)) == 6
    await desk.settled()
    begun = [event.round.starts_at for event in await desk.said(PatrolRoundBegun) if event.round.route_id == route]
    assert begun == sorted(begun) and len(begun) == 6


async def test_a_scan_that_is_told_before_its_round_has_begun_counts_in_it(
    app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What begins rounds in time stands still, as after a long stop: whoever hears of the scan begins them."""
    nothing_falls_due(monkeypatch)
    async with gatehouse(app_of, community, monkeypatch) as desk:
        begins = at(1)
        quarters = [begins + timedelta(minutes=15 * n) for n in range(96)]
        route = await walks(desk, *quarters, since=begins - timedelta(days=1, minutes=1), stops=(Stop(GATE, 0), Stop(ROOF, 1)))
        await desk.settled()
        assert await desk.said(PatrolRoundBegun) == []
        await scans(desk, GATE, begins + timedelta(minutes=2))

        async def counted() -> Any:
            return [one for one in await rounds(desk, route, "under_way") if one["stops"][0]["met"] == "on_time"]

        (found,) = await until(counted)
        assert found["starts_at"] == f"{begins:%Y-%m-%dT%H:%M:%SZ}" and found["stops"][1]["met"] is None
        begun = [event.round.starts_at for event in await desk.said(PatrolRoundBegun)]
        assert begun == sorted(set(begun)) and len(begun) > 2 * AT_ONCE, "more than one command begins"


async def test_what_is_told_twice_or_by_two_phones_counts_once_and_the_nearest_wins(desk: Desk) -> None:
    begins, scan_id = at(1), uuid4()
    route = await walks(desk, begins, stops=(Stop(GATE, 0),))
    await scans(desk, GATE, begins + timedelta(minutes=9))
    for _ in range(2):
        await scans(desk, GATE, begins - timedelta(minutes=1), scan_id)

    async def on_time() -> Any:
        return [one for one in await rounds(desk, route) if one["on_time"] == 1]

    (found,) = await until(on_time)
    assert (found["late"], found["missed"]) == (0, 0)
    await desk.settled()
    shown = {scan["id"]: scan["rounds"] for scan in (await desk.get("/patrol-scans"))["items"]}
    assert shown[str(scan_id)] == [found["id"]] and len(shown) == 2
    assert sum(e.visit.scan_id == scan_id for e in await desk.said(PatrolStopVisited)) == 1


async def test_rounds_and_scans_of_another_community_are_not_there(desk: Desk) -> None:
    route = await walks(desk, at(1))

    async def judged() -> Any:
        return await rounds(desk, route)

    (found,) = await until(judged)
    stranger = f"guard:{uuid4()}:{uuid4()}"
    await desk.ask("GET", f"/patrol-rounds/{found['id']}", stranger, status=404)
    for path in ("/patrol-rounds", "/patrol-scans", "/patrol-points", "/patrol-routes"):
        assert (await desk.get(path, stranger))["items"] == []
    now = datetime.now(UTC).isoformat()
    body = {"sent_at": now, "scans": [{"id": str(uuid4()), "tag": TAGS[GATE], "means": "qr", "scanned_at": now}]}
    told = await desk.ask("POST", "/patrol-scans", stranger, body)
    assert told.json()["items"][0]["refused"] == "no_such_point", "a tag is of its own community alone"


async def test_a_scan_that_is_told_again_is_answered_as_it_was_taken(desk: Desk) -> None:
    """Also where the phone has lost its position since, and with the place in the log of what was new beside it."""
    spot, scan_id = Ground(121.4737, 31.2304, 50), uuid4()
    placed = PatrolPointPlaced(GATE, "point", Place(), spot, tag_of(desk.app.blind, desk.community, TAGS[GATE]))
    await desk.app.commands.handle(GATE, PlacePatrolPoint(placed), context(desk.community))
    was = datetime.now(UTC)
    far = {"longitude": 121.5, "latitude": 31.0, "accuracy": 10}
    assert not (await scans(desk, GATE, was, scan_id, position=far))["there"]
    assert not (await scans(desk, GATE, was, scan_id))["there"]
    both = [{"id": str(i), "tag": TAGS[GATE], "means": "nfc", "scanned_at": was.isoformat()} for i in (uuid4(), scan_id)]
    answer = await desk.ask("POST", "/patrol-scans", "guard", {"sent_at": datetime.now(UTC).isoformat(), "scans": both})
    assert [told["there"] for told in answer.json()["items"]] == [True, False]
    shown = await desk.ask("GET", "/patrol-scans", **{"lifang-min-position": answer.headers["lifang-position"]})
    assert {scan["id"]: scan["there"] for scan in shown.json()["items"]} == {both[0]["id"]: True, both[1]["id"]: False}
    assert json.decode(urlsafe_b64decode(answer.headers["lifang-position"] + "=="))[1] > 0


async def test_a_tag_that_is_replaced_is_still_that_of_its_point_for_what_was_read_before(desk: Desk) -> None:
    """A phone without a network tells it later; meanwhile the tag hangs elsewhere."""
    was, blind = datetime.now(UTC) - timedelta(minutes=1), desk.app.blind
    for point_id, tag in ((GATE, "new"), (ROOF, TAGS[GATE])):
        placed = PatrolPointPlaced(point_id, "point", Place(), None, tag_of(blind, desk.community, tag))
        await desk.app.commands.handle(point_id, PlacePatrolPoint(placed), context(desk.community))
    assert (await scans(desk, GATE, was))["point_id"] == str(GATE)
    assert (await scans(desk, GATE, datetime.now(UTC)))["point_id"] == str(ROOF)


async def test_the_first_moment_of_a_round_counts_though_the_log_is_behind_the_clock_of_who_took_the_scan(
    app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing_falls_due(monkeypatch)
    async with gatehouse(app_of, community, monkeypatch) as desk:
        opens = (datetime.now(UTC) + timedelta(seconds=70)).replace(second=0, microsecond=0)
        route = await walks(desk, opens + timedelta(minutes=15), since=at(1), stops=(Stop(GATE, 0), Stop(ROOF, 1)))
        tell = TellScan(uuid4(), GATE, uuid4(), "nfc", opens, opens, opens, None, None)
        await desk.app.commands.handle(tell.scan_id, tell, context(community))

        async def counted() -> Any:
            return [one for one in await rounds(desk, route, "under_way") if one["stops"][0]["met"] == "early"]

        await until(counted)


async def test_no_scan_is_judged_where_a_newer_version_has_set_what_this_one_cannot_read(desk: Desk) -> None:
    book = patrol_book_of(desk.app)
    book.memory.unreadable.add(desk.community)
    now = datetime.now(UTC)
    body = {"sent_at": now.isoformat(), "scans": [{"id": str(uuid4()), "tag": "not-known", "means": "qr", "scanned_at": now.isoformat()}]}
    await desk.ask("POST", "/patrol-scans", "guard", body, 503)
    tell = TellScan(uuid4(), GATE, uuid4(), "nfc", now, now, now, None, None)
    await desk.app.commands.handle(tell.scan_id, tell, context(desk.community))
    pool = await desk.app.database.pool()
    waits = "select reason from parked where subscription = 'patrols' and community_id = $1"
    assert "not yet" in await until(lambda: pool.fetchval(waits, desk.community))
