"""What parking keeps in memory: rights by plate, room by zone; each community for itself, and only where all is understood."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import NotFound, NotYet
from libs.eventkit.recorded import Catalogue, Meta, Recorded
from services.parking.book import EVENTS, LotBook, unknown
from services.parking.domain.bill_lines import Line, carried
from services.parking.domain.billing import Bill
from services.parking.domain.lots import TariffAdopted
from services.parking.domain.plate_rights import PlateRightEnded
from services.parking.domain.stays import RightAssigned, SessionEnded, SessionQuarantined, Under
from tests.kit import recorded
from tests.unit.parking.samples import (
    ADOPTION,
    BEGUN,
    CAMERA,
    GRANTED,
    HOUR,
    INSTALLED,
    LANE,
    LOT,
    NOW,
    OPENED,
    RIGHT,
    SESSION,
    UNDER,
)

HERE, THERE = UUID(int=60), UUID(int=61)
QUARANTINED = SessionQuarantined(SESSION, LOT, "ground", "entered_again")
ENDED = SessionEnded(SESSION, LOT, "ground", "exit", NOW, 0, 0, None, None)


class Site:
    """A book with a log behind it, and the claims as the database has them: of the pool only their reading is needed."""

    def __init__(self, opened: Any = unknown) -> None:
        self.book, self.rows = LotBook(opened), list[Recorded]()
        self.claims: dict[str, tuple[UUID, str]] = {}
        self.book.memory.bind(self, Catalogue(EVENTS))  # type: ignore[arg-type]

    async def last(self) -> int:
        return len(self.rows)

    async def read(self, after: int, limit: int, types: Any) -> list[Recorded]:
        return [row for row in self.rows[after : after + limit] if row.type in types]

    async def fetch(self, query: str, streams: list[str]) -> list[dict[str, Any]]:
        return [{"community_id": c, "stream": s, "value": v} for s, (c, v) in self.claims.items() if s in streams]

    def newer(self, kind: str, community: UUID = HERE) -> None:
        n = len(self.rows) + 1
        self.rows.append(Recorded(n, 1, community, "x:9", 1, UUID(int=9), kind, 9, "{}", Meta(), None, None, NOW))

    async def say(self, *events: Struct, community: UUID = HERE, at: datetime | None = None, **claims: str) -> LotBook:
        """`claims`: the index that the stream of a right or of a session holds from now on; empty: none."""
        names = {"right": f"plate-right:{RIGHT}", "session": f"session:{SESSION}"}
        for name, value in claims.items():
            self.claims.pop(names[name], None)
            self.claims |= {names[name]: (community, value)} if value else {}
        for event in events:
            n = len(self.rows) + 1
            self.rows.append(recorded(event, community, position=n, stream="x:1", event_id=UUID(int=1000 + n), at=at))
        await self.book.ready(self, community, len(self.rows))  # type: ignore[arg-type]
        return self.book


async def test_a_plate_finds_its_right_and_its_stay() -> None:
    book = await Site().say(OPENED, GRANTED, BEGUN, right="one", session="one")
    (right,), (stay,) = book.rights(HERE, LOT, ["one", "zero"]), book.stays(HERE, LOT, ["one"])
    assert (right.right_id, right.because, stay.begun) == (RIGHT, UUID(int=1002), BEGUN)
    assert book.rights(HERE, LOT, ["other"]) == book.stays(HERE, LOT, []) == ()


async def test_a_right_that_changes_its_plate_is_found_by_the_new_one_alone() -> None:
    site = Site()
    await site.say(GRANTED, right="one")
    book = await site.say(replace(GRANTED, reason="moved"), right="two")
    assert book.rights(HERE, LOT, ["one"]) == () != book.rights(HERE, LOT, ["two"])


async def test_a_right_that_ended_is_found_no_more() -> None:
    site = Site()
    await site.say(GRANTED, right="one")
    book = await site.say(PlateRightEnded(RIGHT, "permit", LOT, "by_staff"), right="")
    assert book.rights(HERE, LOT, ["one"]) == () and book.right(RIGHT) is None


async def test_a_right_is_used_up_by_stays_that_began_under_it() -> None:
    site = Site()
    book = await site.say(replace(GRANTED, kind="visitor_pass", uses=2), right="one")
    for left in (2, 1, 0, 0):
        assert [r.uses_left for r in book.rights(HERE, LOT, ["one"])] == [left]
        await site.say(replace(BEGUN, under=UNDER), ENDED)


async def test_a_stay_put_under_another_right_gives_the_first_one_back() -> None:
    site, other = Site(), Under(UUID(int=70), "white")
    book = await site.say(replace(GRANTED, uses=1), BEGUN, RightAssigned(SESSION, UNDER), right="one")
    assert book.rights(HERE, LOT, ["one"])[0].uses_left == 0
    await site.say(RightAssigned(SESSION, other))
    assert book.rights(HERE, LOT, ["one"])[0].uses_left == 1
    stay = book.stay(SESSION)
    assert stay is not None and stay.begun.under == other


@pytest.mark.parametrize(("change", "found"), [({"lot_id": None}, 1), ({"lot_id": CAMERA}, 0), ({"kind": "declared"}, 0)])
async def test_a_right_counts_in_its_lot_or_in_all_and_what_is_only_declared_in_none(change: Any, found: int) -> None:
    book = await Site().say(replace(GRANTED, **change), right="one")
    assert len(book.rights(HERE, LOT, ["one"])) == found


@pytest.mark.parametrize("over", [QUARANTINED, ENDED])
async def test_a_stay_that_is_over_or_in_question_takes_no_space_and_that_once(over: Any) -> None:
    site = Site()
    book = await site.say(OPENED, BEGUN, session="one")
    lot = book.lot(HERE, LOT)
    assert [book.occupied(LOT, "ground"), *(book.room(lot, zone, NOW) for zone in ("ground", "below", "roof"))] == [1, 1, 0, 0]
    await site.say(over, ENDED, session="")
    assert (book.occupied(LOT, "ground"), book.stay(SESSION), book.stays(HERE, LOT, ["one"])) == (0, None, ())


async def test_another_community_sees_nothing() -> None:
    book = await Site().say(OPENED, INSTALLED, GRANTED, BEGUN, right="one", session="one")
    assert book.rights(THERE, LOT, ["one"]) == book.stays(THERE, LOT, ["one"]) == ()
    assert book.lane_at(THERE, CAMERA, 1) is None
    for look in (lambda: book.lot(THERE, LOT), lambda: book.lane(THERE, LANE)):
        with pytest.raises(NotFound):
            look()


async def test_another_community_that_names_our_camera_takes_nothing_from_us() -> None:
    site = Site()
    await site.say(OPENED, INSTALLED)
    book = await site.say(replace(INSTALLED, lane_id=UUID(int=80)), community=THERE)
    ours, theirs = book.lane_at(HERE, CAMERA, 1), book.lane_at(THERE, CAMERA, 1)
    assert ours is not None and theirs is not None and (ours.installed.lane_id, theirs.installed.lane_id) == (LANE, UUID(int=80))


async def test_a_lane_is_where_its_camera_is_now() -> None:
    book = await Site().say(INSTALLED, replace(INSTALLED, lane_no=2))
    assert book.lane_at(HERE, CAMERA, 1) is None and book.lane_at(HERE, CAMERA, 2) is not None


async def test_a_lot_said_again_keeps_its_tariffs() -> None:
    book = await Site().say(OPENED, TariffAdopted(LOT, ADOPTION), replace(OPENED, grace=0))
    assert (book.lot(HERE, LOT).adoptions, book.lot(HERE, LOT).opened.grace) == ((ADOPTION,), 0)


@pytest.mark.parametrize("kind", ["plate_right_granted", "lot_opened", "session_begun"])
async def test_a_community_of_which_something_cannot_be_read_gets_no_judgement_and_others_do(kind: str) -> None:
    site = Site()
    site.newer(kind)
    with pytest.raises(NotYet):
        await site.say(TariffAdopted(LOT, ADOPTION))
    await site.say(OPENED, community=THERE)


# what was billed of a day that is not over

DAY = {"day": "2026-03-01"}
LINE = Line(code="step", stay=0, starts=NOW, ends=NOW + HOUR, units=1, unit_fen=500, amount_fen=500, facts=DAY)
BILL = Bill(tariff="A", version=1, vehicle_class="small", lines=(LINE,), total_fen=500)
OVER = replace(ENDED, bill=BILL, total=500, bill_until=NOW + HOUR)
NEXT_DAY = NOW + 16 * HOUR


async def test_what_was_billed_to_a_plate_today_is_known_to_its_next_stay() -> None:
    book = await (site := Site()).say(OPENED, BEGUN, session="one")
    await site.say(OVER, session="")
    assert await book.over.billed(HERE, LOT, "one", NOW + 2 * HOUR) == (LINE,)
    assert await book.over.billed(HERE, LOT, "one", NEXT_DAY) == (), "another day"
    for where in ((HERE, LOT, "two"), (HERE, UUID(int=90), "one"), (HERE, LOT, "")):
        assert await book.over.billed(*where, NOW + 2 * HOUR) == ()


async def test_a_process_that_was_not_there_finds_the_plate_in_what_is_sealed() -> None:
    """The last stay of a plate knows what was before it; an erased plate is nobody's; until a key has come it is waited for."""
    other = replace(BEGUN, session_id=UUID(int=90), earlier=(LINE,), entered_at=NOW + 2 * HOUR)
    more = replace(LINE, starts=NOW + 2 * HOUR, ends=NOW + 3 * HOUR)
    for found in ("one", ""):
        async def opened(community: UUID, plate: Any, found: str = found) -> str:
            return found

        site = Site(opened)
        await site.say(OPENED, BEGUN, OVER, other, replace(OVER, session_id=UUID(int=90), bill=replace(BILL, lines=(more,))))
        assert await site.book.over.billed(HERE, LOT, "one", NOW + 4 * HOUR) == ((LINE, more) if found else ())
        assert await site.book.over.billed(HERE, LOT, "one", NOW + 4 * HOUR) == ((LINE, more) if found else ())


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("settled_first", [False, True])
async def test_what_a_person_has_settled_counts_for_the_stays_that_begin_after(settled_first: bool, restarted: bool) -> None:
    """The exit of the first stay was missed; the second began before that was settled, and ends after it or before."""
    async def opened(community: UUID, plate: Any) -> str:
        return "one"

    other = UUID(int=90)
    second = replace(BEGUN, session_id=other, entered_at=NOW + 2 * HOUR)
    more = replace(LINE, starts=NOW + 2 * HOUR, ends=NOW + 3 * HOUR)
    settled, ended = replace(OVER, how="settled"), replace(OVER, session_id=other, bill=replace(BILL, lines=(more,)))
    site = Site(opened)
    if restarted:
        await site.say(OPENED, BEGUN, QUARANTINED, second, *((settled, ended) if settled_first else (ended, settled)))
    else:
        await site.say(OPENED, BEGUN, session="one")
        await site.say(QUARANTINED, session="")
        site.claims[f"session:{other}"] = (HERE, "one")
        await site.say(second)
        for event in (settled, ended) if settled_first else (ended, settled):
            await site.say(event)
    found = await site.book.over.billed(HERE, LOT, "one", NOW + 4 * HOUR)
    assert sorted(found, key=lambda line: line.starts) == [LINE, more]
    assert await site.book.over.billed(HERE, LOT, "one", NEXT_DAY) == ()


async def test_a_pass_is_known_as_long_as_it_runs() -> None:
    bought = Line(code="day_pass", stay=0, starts=NOW, ends=NOW + 24 * HOUR, amount_fen=500)
    assert carried((bought, LINE), NEXT_DAY, "Asia/Shanghai") == (bought,)
    assert carried((bought,), NOW + 24 * HOUR, "Asia/Shanghai") == ()
    free = replace(LINE, code="free_period")
    assert carried((free, LINE), NOW, "Asia/Shanghai") == (LINE,)
