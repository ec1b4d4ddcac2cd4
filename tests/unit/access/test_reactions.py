"""What access does when others speak: whose rights begin and end, and how an opening ended."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from libs.contracts import devices, identity, parking
from libs.eventkit.recorded import Catalogue, Meta
from libs.eventkit.sealed import Sealed
from services.access.book import DoorBook
from services.access.domain.admission import Fact
from services.access.domain.credentials import CredentialIssued
from services.access.domain.doors import DoorInstalled
from services.access.domain.openings import OPENINGS, ConcludeOpening, DoorOpened, DoorOpeningOrdered, DoorPassed, JudgeCredential
from services.access.domain.pass_history import VisitorPassIssued, VisitorPassUsed
from services.access.domain.rights import GrantRight, RevokeRight, RightGranted, right_id_of
from services.access.domain.visitor_passes import RecordArrival, ReturnUse, RevokePass
from services.access.reactions import (
    account_closed,
    account_opened,
    as_of,
    openings_concluded,
    passes_of_residents,
    reports,
    residence_ended,
    residence_started,
    session_begun,
    session_recognised,
)
from tests.kit import recorded

LIVING, ANN, HOME, BUILDING, ACCOUNT, ORDER, PASS, LOT = (UUID(int=n) for n in range(1, 9))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
ZONES = (f"building:{BUILDING}", "community")
STARTED = identity.ResidenceStarted(LIVING, ANN, HOME, BUILDING, 1, "owner", NOW.date())
ENDED = identity.ResidenceEnded(LIVING, ANN, HOME, BUILDING, NOW.date())


async def asked(react: Any, event: Any) -> list[Any]:
    return [do.command for do in await react(event, recorded(event, source="identity"))]


async def test_who_lives_here_passes_the_gates_and_the_doors_of_the_building_and_no_others() -> None:
    ids = [right_id_of(LIVING, zone) for zone in ZONES]
    assert await asked(residence_started, STARTED) == [
        GrantRight(i, ANN, zone, "residence") for i, zone in zip(ids, ZONES, strict=True)]
    assert await asked(residence_ended, ENDED) == [RevokeRight(i) for i in ids]


@pytest.mark.parametrize("role", ["staff", "guard", "resident", "grid", "police", "operator"])
async def test_staff_and_guards_alone_open_every_door_while_they_have_their_account(role: str) -> None:
    right_id, on_duty = right_id_of(ACCOUNT, "everywhere"), role in ("staff", "guard")
    assert await asked(account_opened, identity.AccountOpened(ACCOUNT, ANN, role)) == [
        GrantRight(right_id, ANN, "everywhere", "duty")] * on_duty
    assert await asked(account_closed, identity.AccountClosed(ACCOUNT, ANN, role)) == [RevokeRight(right_id)] * on_duty


USED = VisitorPassUsed(PASS, ANN, HOME, ORDER, "community", True, NOW, "visitor_pass", "allowed_by_visitor_pass")
DONE, FAILED = devices.DoorOrderCarriedOut(ORDER, LOT, 1), devices.DoorOrderFailed(ORDER, LOT, 1, "expired")


def ordered(*facts: Fact) -> DoorOpeningOrdered:
    return DoorOpeningOrdered(ORDER, HOME, LOT, 1, "qr", None, "visitor_pass", "x", facts)


async def concluded(event: Any, *said: Any, community: UUID = BUILDING) -> list[Any]:
    """What comes of the end of an order of which `said` is on record; LIVING is the event of a use."""
    rows = [recorded(event, community, stream=f"opening:{ORDER}") for event in said]
    use = recorded(USED, community, stream=f"visitor-pass:{PASS}", event_id=LIVING)

    async def stream(name: str) -> list[Any]:
        return [row for row in rows if row.stream == name]

    async def event_of(event_id: UUID) -> Any:
        return use if event_id == LIVING else None

    catalogue = Catalogue((DoorOpeningOrdered, DoorOpened, VisitorPassUsed))
    app: Any = SimpleNamespace(log=SimpleNamespace(stream=stream, event=event_of), catalogue=catalogue)
    react = openings_concluded(app).on[type(event)]
    return [do.command for do in await react(event, recorded(event, BUILDING, source="devices"))]


@pytest.mark.parametrize("said", [(), (ordered(Fact(HOME, "door")),)], ids=["nothing known", "no pass"])
async def test_an_opening_ends_as_its_device_said(said: tuple[Any, ...]) -> None:
    assert await concluded(DONE, *said) == [ConcludeOpening(ORDER)]
    assert await concluded(FAILED, *said) == [ConcludeOpening(ORDER, "expired")]


async def test_a_visitor_has_come_in_when_the_door_has_opened_and_keeps_the_use_where_it_has_not() -> None:
    by_pass = ordered(Fact(HOME, "door"), Fact(LIVING, "use"))
    assert await concluded(DONE, by_pass) == [ConcludeOpening(ORDER), RecordArrival(PASS, NOW, "door", ORDER)]
    assert await concluded(FAILED, by_pass) == [ConcludeOpening(ORDER, "expired"), ReturnUse(PASS, ORDER, "expired")]
    assert await concluded(FAILED, by_pass, DoorOpened(ORDER, HOME, None)) == [ConcludeOpening(ORDER, "expired")]
    assert await concluded(DONE, by_pass, community=HOME) == [ConcludeOpening(ORDER)], "an order of another community"


async def test_the_car_of_a_visitor_is_their_arrival_and_another_is_nobodys() -> None:
    car = parking.SessionBegun(ORDER, LOT, "ground", ANN, None, PASS, NOW)
    assert await asked(session_begun, car) == [RecordArrival(PASS, NOW, "plate")]
    assert await asked(session_begun, parking.SessionBegun(ORDER, LOT, "ground", ANN, HOME, None, NOW)) == []


async def test_a_car_that_is_recognised_as_a_visitors_is_their_arrival_too() -> None:
    (arrived,) = await asked(session_recognised, parking.SessionRecognised(ORDER, ANN, None, PASS))
    assert (arrived.pass_id, arrived.how) == (PASS, "plate")
    assert await asked(session_recognised, parking.SessionRecognised(ORDER, ANN, HOME, None)) == []


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What becomes of passes where this has been said."""
    async def ready(pool: object = None, position: int = 0) -> None: ...

    async def asked(event: Any, *said: Any) -> list[Any]:
        book = DoorBook()
        for one in said:
            book._apply(one, recorded(one, BUILDING))
        monkeypatch.setattr(book, "ready", ready)
        app: Any = SimpleNamespace(database=SimpleNamespace(pool=ready))
        react = passes_of_residents(app, book).on[type(event)]
        return [do.command for do in await react(event, recorded(event, BUILDING, at=NOW))]

    return asked


def invited(n: int, until: datetime) -> VisitorPassIssued:
    return VisitorPassIssued(UUID(int=n), "courier", HOME, ANN, NOW, until, 1, ("community",), (), None, None, "x", "x")


async def test_with_the_residence_end_the_passes_that_are_not_over_and_nobody_hears_of_the_others(home: Any) -> None:
    over, open_ = invited(30, NOW), invited(31, NOW + timedelta(hours=1))
    assert await home(ENDED, STARTED, over, open_, ENDED) == [RevokePass(open_.pass_id, "residence_ended", NOW)]
    assert await home(ENDED, STARTED, open_) == [], "moved in again"


async def test_a_pass_that_was_stored_when_its_host_had_just_moved_out_ends_too(home: Any) -> None:
    late = invited(30, NOW + timedelta(hours=1))
    assert await home(late, STARTED, ENDED, late) == [RevokePass(late.pass_id, "residence_ended", NOW)]
    assert await home(late, STARTED, late) == []


@pytest.mark.parametrize(("live", "waits", "told", "judged"), [
    (False, False, NOW, NOW), (False, True, NOW, NOW), (False, False, None, NOW + timedelta(minutes=5)),
    (True, False, NOW, NOW + timedelta(minutes=5)), (True, True, NOW, NOW + timedelta(hours=2))])
async def test_what_a_reader_has_done_is_judged_as_of_then_and_what_waits_for_us_as_of_now(
    live: bool, waits: bool, told: datetime | None, judged: datetime,
) -> None:
    """Devices recorded it after five minutes, and we heard of it after two hours."""
    said = devices.DeviceReported(ORDER, LOT, "card_read", "5/1", None, 1, 1, live, waits, told, 0.0, ())
    row = recorded(said, source="devices", at=NOW + timedelta(hours=2), meta=Meta(source_time=NOW + timedelta(minutes=5)))
    assert as_of(said, row) == judged


async def test_a_card_that_ran_out_after_the_reader_had_let_them_in_was_good(monkeypatch: pytest.MonkeyPatch) -> None:
    book, gate = DoorBook(), DoorInstalled(UUID(int=22), "gate", "community", LOT, 1)
    card = CredentialIssued(UUID(int=23), ANN, "card", Sealed(ANN, ANN, "number", "x"), NOW + timedelta(minutes=30))
    for event in (gate, RightGranted(UUID(int=24), ANN, "community", "residence"), card):
        book._apply(event, recorded(event, BUILDING))
    book._by_index[BUILDING, "card", "blind"] = card.credential_id

    async def ready(pool: object = None, position: int = 0) -> None: ...

    async def blind(*asked: Any) -> str:
        return "blind"

    monkeypatch.setattr(book, "ready", ready)
    monkeypatch.setattr("services.access.reactions.blind_index", blind)
    react = reports(SimpleNamespace(database=SimpleNamespace(pool=ready)), book, None).on[devices.DeviceReported]  # type: ignore[arg-type]
    for minutes, entitled in ((29, True), (30, False)):
        told = devices.DeviceReported(
            ORDER, LOT, "card_read", "5/1", None, 1, 1, False, False, NOW + timedelta(minutes=minutes), 0.0, ())
        (do,) = await react(told, recorded(told, BUILDING, source="devices", at=NOW + timedelta(hours=2)))
        passed = OPENINGS.decide[JudgeCredential](do.command, OPENINGS.initial)[1]
        assert isinstance(passed, DoorPassed) and passed.entitled is entitled


async def test_a_device_speaks_for_doors_of_its_own_community_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there, door = UUID(int=20), UUID(int=21), UUID(int=22)
    book = DoorBook()
    book._apply(DoorInstalled(door, "gate", "community", LOT, 1), recorded(DoorInstalled(door, "gate", "community", LOT, 1), here))

    async def ready(pool: object, position: int = 0) -> None: ...

    async def pool() -> None: ...

    monkeypatch.setattr(book, "ready", ready)
    react = reports(SimpleNamespace(database=SimpleNamespace(pool=pool)), book, None).on[devices.DeviceReported]  # type: ignore[arg-type]
    forced = devices.DeviceReported(ORDER, LOT, "door_forced", "5/75", None, 1, 1, True, False, NOW, 0.0, ())
    assert [do.name for do in await react(forced, recorded(forced, here, source="devices"))] == ["note"]
    assert await react(forced, recorded(forced, there, source="devices")) == []
    theirs = DoorInstalled(UUID(int=23), "gate", "community", LOT, 1)
    book._apply(theirs, recorded(theirs, there))
    assert [do.command.door_id for do in await react(forced, recorded(forced, here, source="devices"))] == [door], "whoever else names it"
