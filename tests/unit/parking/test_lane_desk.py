"""What is put together of a vehicle before a camera: its own rights and stay, what it may be a misreading of, and when it was."""

import asyncio
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import astuple, replace

from libs.contracts.devices import FallbackGiven, PlateSeen
from libs.contracts.fields import SealedField
from libs.eventkit.db import Unavailable
from libs.eventkit.decider import NotYet
from libs.eventkit.privacy import Pending
from libs.eventkit.recorded import Meta
from services.parking.domain.lots import TariffAdopted
from services.parking.domain.passages import PASSAGES, JudgePassage, PassageCompleted, PassageJudged, Seen, decide_judge
from services.parking.domain.sessions import SESSIONS
from services.parking.domain.spaces import SpaceMarked
from services.parking.domain.stays import SessionEnded
from services.parking.lane_desk import begun, judged
from services.parking.reactions.cameras import cameras
from tests.kit import PartOfApp, recorded
from tests.unit.parking.samples import (
    ADOPTION,
    BEGUN,
    CAMERA,
    GRANTED,
    HOUR,
    INSTALLED,
    LOT,
    NOW,
    OPENED,
    PASSAGE,
    PLATE,
    RIGHT,
    SESSION,
)
from tests.unit.parking.test_lot_book import HERE, Site

OUT = replace(INSTALLED, direction="out")
SEEN = PlateSeen(
    report_id=PASSAGE, device_id=CAMERA, lane_no=1, plate=SealedField(*astuple(PLATE)), plate_colour="blue", vehicle_kind="car",
    confidence=98, direction=None, live=True, awaits_decision=True, device_time=NOW - HOUR, findings=())


class Lane(Site):
    """With keys that open every plate to `reads`, indexes that are the plates themselves, one stay as its stream has it, and one
    passage that is over."""

    def __init__(self, reads: Any = "京A12345", *stay: Any) -> None:
        super().__init__()

        async def opens(sealed: Any) -> Any:
            return reads.encode() if isinstance(reads, str) else reads

        async def pool() -> Any:
            return self

        async def state(decider: Any, *what: Any) -> Any:
            return (PASSAGES.fold(self.passed) if decider is PASSAGES else SESSIONS.fold(stay)), len(stay)

        self.passed: tuple[Any, ...] = ()

        self.app: Any = PartOfApp(
            database=SimpleNamespace(pool=pool), keyring=SimpleNamespace(open=opens), commands=SimpleNamespace(state=state),
            blind=SimpleNamespace(of=lambda community, scope, value: value))

    async def asks(self, event: PlateSeen = SEEN, said_at: datetime | None = None, at: datetime = NOW) -> JudgePassage:
        row = recorded(event, HERE, position=len(self.rows), source="devices", meta=Meta(source_time=said_at), at=at)
        found = await judged(self.app, self.book, event, row)
        assert found is not None
        return found


async def test_a_car_under_a_right_is_judged_by_it_and_no_misreading_is_looked_for() -> None:
    lane = Lane()
    await lane.say(OPENED, INSTALLED, GRANTED, right="京A12345")
    said = await lane.asks()
    assert (said.judgement.rule, said.judgement.finding, said.displaced, said.waits) == ("permit", None, None, True)
    assert begun(said, lane.book.lot(HERE, LOT)).under is not None  # type: ignore[arg-type]


async def test_a_car_that_may_be_a_misreading_is_held_against_what_it_resembles() -> None:
    lane = Lane()
    await lane.say(OPENED, INSTALLED, GRANTED, right="京A1Z345")
    said = await lane.asks(replace(SEEN, awaits_decision=False))
    assert (said.judgement.rule, said.judgement.candidates, said.waits) == ("tariff", (RIGHT,), False)
    assert begun(said, lane.book.lot(HERE, LOT)).under is None  # type: ignore[arg-type]


async def test_a_lapsed_right_of_the_very_plate_is_no_look_alike_of_itself() -> None:
    lane = Lane()
    await lane.say(OPENED, INSTALLED, replace(GRANTED, kind="declared"), right="京A12345")
    assert (await lane.asks()).judgement.candidates == ()


async def test_a_car_that_comes_in_again_displaces_its_stay_and_finds_its_own_space() -> None:
    lane = Lane("京A12345", BEGUN)
    await lane.say(replace(OPENED, spaces={"ground": 1}), INSTALLED, BEGUN, session="京A12345")
    said = await lane.asks()
    assert (said.judgement.rule, said.displaced) == ("tariff", SESSION)


SECONDS = timedelta(seconds=1)


async def test_a_car_read_again_under_the_rising_barrier_is_answered_as_before_and_its_stay_goes_on() -> None:
    """Also under a pass for one entry, which that entry has used up."""
    lane, again = Lane("京A12345", BEGUN), replace(SEEN, report_id=UUID(int=99))
    guest = replace(GRANTED, kind="visitor_pass", uses=1)
    await lane.say(OPENED, INSTALLED, guest, right="京A12345")
    first = await lane.asks(replace(SEEN, report_id=SESSION))
    lane.passed = (*decide_judge(first, PASSAGES.initial), PassageCompleted(SESSION, "barrier"))
    await lane.say(begun(first, lane.book.lot(HERE, LOT)), session="京A12345")
    for seconds in (2, 30):
        said = await lane.asks(again, at=NOW + seconds * SECONDS)
        assert (said.judgement, said.displaced) == (replace(first.judgement, session_id=SESSION), None)
    later = await lane.asks(again, at=NOW + 31 * SECONDS)
    assert (later.judgement.rule, later.judgement.session_id, later.displaced) == ("tariff", None, SESSION)
    await lane.say(replace(INSTALLED, lane_id=UUID(int=90)))
    assert (await lane.asks(again, at=NOW + SECONDS)).displaced == SESSION, "at another lane it has come in again"


async def test_a_car_read_again_while_it_drives_out_is_answered_as_before_and_nothing_is_found() -> None:
    lane = Lane("京A12345", BEGUN)
    await lane.say(OPENED, OUT, BEGUN, session="京A12345")
    first = await lane.asks()
    lane.passed = (PassageJudged(PASSAGE, OUT, Seen(at=NOW), first.judgement), PassageCompleted(PASSAGE, "barrier"))
    await lane.say(SessionEnded(SESSION, LOT, "ground", "exit", NOW, 0, 0, None, None, PASSAGE))
    again = await lane.asks(replace(SEEN, report_id=UUID(int=99)), at=NOW + 3 * SECONDS)
    assert again.judgement == first.judgement and again.judgement.admitted
    assert (await lane.asks(replace(SEEN, report_id=UUID(int=99)), at=NOW + 31 * SECONDS)).judgement.finding == "no_entry"


async def test_a_car_whose_space_is_in_the_garage_leaves_the_ground_that_it_comes_in_by_to_others() -> None:
    lane, space = Lane(), UUID(int=40)
    await lane.say(
        replace(OPENED, spaces={"ground": 1, "below": 1}), INSTALLED, SpaceMarked(space, LOT, "below", "B-1"),
        replace(GRANTED, space_id=space), right="京A12345")
    said = await lane.asks()
    stay = begun(said, lane.book.lot(HERE, LOT))  # type: ignore[arg-type]
    await lane.say(stay)
    lot = lane.book.lot(HERE, LOT)
    assert (stay.zone, lane.book.room(lot, "ground", NOW), lane.book.room(lot, "below", NOW)) == ("below", 1, 0)
    await lane.say(SessionEnded(stay.session_id, LOT, stay.zone, "exit", NOW, 0, 0, None, None))
    assert [lane.book.room(lot, zone, NOW) for zone in ("ground", "below")] == [1, 0], "and its space is kept"


@pytest.mark.parametrize(("hours", "reason"), [(1, "nothing_due"), (2, "not_paid")])
async def test_at_the_exit_a_car_owes_what_its_stay_owes_now(hours: int, reason: str) -> None:
    lane = Lane("京A12345", BEGUN)
    await lane.say(OPENED, OUT, TariffAdopted(LOT, ADOPTION), BEGUN, session="京A12345")
    said = await lane.asks(at=NOW + hours * HOUR)
    assert (said.judgement.reason, said.judgement.session_id, said.displaced) == (reason, SESSION, None)


async def test_at_the_exit_a_car_is_no_other_for_that_their_plates_look_alike_and_are_both_blue() -> None:
    lane = Lane("京A1Z345", BEGUN)
    await lane.say(OPENED, OUT, BEGUN, session="京A12345")
    said = (await lane.asks()).judgement
    assert (said.admitted, said.session_id, said.finding, said.candidates) == (False, None, "look_alike", (SESSION,))
    await lane.say(GRANTED, right="京A1Z345")
    resident = (await lane.asks()).judgement
    assert (resident.admitted, resident.rule, resident.session_id, resident.finding) == (True, "permit", None, "no_entry")


async def test_what_is_live_is_dated_by_us_and_history_by_its_device() -> None:
    lane = Lane()
    await lane.say(OPENED, INSTALLED)
    assert (await lane.asks(at=NOW + HOUR)).seen.at == NOW + HOUR
    assert (await lane.asks(said_at=NOW, at=NOW + HOUR)).seen.at == NOW
    past = replace(SEEN, live=False)
    assert (await lane.asks(past)).seen.at == NOW - HOUR
    assert (await lane.asks(replace(past, device_time=None))).seen.at == NOW
    assert [(await lane.asks(event)).seen.dated for event in (SEEN, past, replace(past, device_time=None))] == [True, True, False]


async def test_what_is_old_and_told_as_new_is_in_doubt() -> None:
    lane = Lane()
    await lane.say(OPENED, INSTALLED)
    replay = replace(SEEN, live=False, device_time=None, findings=("replay_unmarked",))
    assert [(await lane.asks(event)).doubted for event in (SEEN, replace(SEEN, live=False), replay)] == [False, False, True]


@pytest.mark.parametrize(("live", "seconds", "waits"), [(True, 0, False), (True, 5, False), (True, 6, True), (False, 0, True)])
async def test_what_no_camera_waits_for_any_more_is_judged_when_the_stays_before_it_have_begun(
    live: bool, seconds: int, waits: bool,
) -> None:
    """As after an hour without Kafka: the exit lies right behind its entry, of which no stay has begun yet."""
    async def begins(*query: Any) -> bool:
        return True

    lane, event = Lane(), replace(SEEN, live=live)
    lane.fetchval = begins  # type: ignore[attr-defined]
    await lane.say(OPENED, OUT)
    row = recorded(event, HERE, position=2, source="devices", meta=Meta(source_time=NOW), at=NOW + timedelta(seconds=seconds))
    seen = cameras(lane.app, lane.book).on[PlateSeen](event, row)
    if waits:
        with pytest.raises(NotYet, match="passages before"):
            await seen
    else:
        assert [do.name for do in await seen] == ["judge"]


async def test_a_fallback_at_a_lane_that_is_not_ours_keeps_nobody_of_its_camera_waiting() -> None:
    """Of a camera that sees two lanes one may be installed here, or neither when it saw the car and one a moment later."""
    lane, given = Lane(), FallbackGiven(SEEN.report_id, SEEN.device_id, True)
    await lane.say(OPENED, INSTALLED)
    react = cameras(lane.app, lane.book).on
    elsewhere = replace(SEEN, lane_no=2)
    assert await react[PlateSeen](elsewhere, recorded(elsewhere, HERE, position=2, source="devices", at=NOW)) == []
    assert await react[FallbackGiven](given, recorded(given, HERE, position=2, source="devices")) == []
    lane.passed = (PassageJudged(SEEN.report_id, INSTALLED, Seen(at=NOW), (await lane.asks()).judgement),)
    found = await react[FallbackGiven](given, recorded(given, HERE, position=2, source="devices"))
    assert [do.name for do in found] == ["complete", "finding unclear_passage"]


@pytest.mark.parametrize(("reads", "new_energy"), [("京AD12345", True), ("京A12345D", True), ("京A12345", False)])
async def test_a_plate_says_whether_its_car_is_new_energy(reads: str, new_energy: bool) -> None:
    lane = Lane(reads)
    await lane.say(OPENED, INSTALLED)
    assert (await lane.asks()).seen.new_energy is new_energy


async def test_a_picture_of_a_plate_lifts_nothing_displaces_nobody_and_is_shown_with_what_was_read() -> None:
    lane, fake = Lane("京A12345", BEGUN), replace(SEEN, findings=("fake_plate",))
    await lane.say(OPENED, INSTALLED, GRANTED, BEGUN, right="京A12345", session="京A12345")
    said = await lane.asks(fake)
    assert (said.judgement.admitted, said.judgement.finding, said.displaced, said.seen.plate) == (False, "fake_plate", None, PLATE)
    await lane.say(OUT)
    assert (await lane.asks(fake)).judgement.session_id is None and (await lane.asks()).judgement.session_id == SESSION


@pytest.mark.parametrize("reads", ["无牌", None])
async def test_a_car_without_a_plate_that_can_be_read_keeps_none(reads: Any) -> None:
    lane = Lane(reads)
    await lane.say(OPENED, INSTALLED)
    for event in (SEEN, replace(SEEN, plate=None)):
        said = await lane.asks(event)
        assert (said.judgement.rule, said.seen.plate) == ("no_plate", None)


async def test_a_plate_whose_key_has_not_come_is_waited_for() -> None:
    lane = Lane(Pending())
    await lane.say(OPENED, INSTALLED)
    with pytest.raises(NotYet):
        await lane.asks()
    lane.app.keys_heard = asyncio.Event()
    with pytest.raises(Unavailable):  # nothing is put aside while the keys are read that came before this process
        await lane.asks()
    lane.app.keys_heard.set()
    with pytest.raises(NotYet):
        await lane.asks()


async def test_a_camera_at_no_lane_of_ours_is_not_judged() -> None:
    lane = Lane()
    await lane.say(OPENED, INSTALLED)
    for event in (replace(SEEN, lane_no=2), replace(SEEN, device_id=UUID(int=99))):
        assert await judged(lane.app, lane.book, event, recorded(event, HERE, position=2, source="devices")) is None
