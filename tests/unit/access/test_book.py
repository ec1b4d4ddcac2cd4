"""What access keeps in memory of doors and rights: where it has not understood everything, it decides nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct
from msgspec.structs import replace

from libs.contracts.devices import DeviceRegistered, DeviceRetired
from libs.contracts.identity import HomeRegistered, ResidenceEnded, ResidenceStarted, ResidentErased
from libs.eventkit.decider import NotFound, NotYet, Refused
from libs.eventkit.recorded import Catalogue, Meta, Recorded
from libs.eventkit.sealed import Sealed
from services.access.book import KEPT_AFTER, DoorBook, Event
from services.access.domain.admission import KnownCredential, KnownRight
from services.access.domain.credentials import CredentialIssued, CredentialRevoked
from services.access.domain.doors import DoorInstalled
from services.access.domain.lifts import HomeFloorSet, LiftFloor, LiftInstalled
from services.access.domain.rights import RightGranted, RightRevoked
from services.access.domain.visitor_passes import VisitorPassIssued, VisitorPassRevoked
from services.access.known import KnownDoor
from services.access.lately import BELIEVED
from tests.kit import recorded

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
HERE, THERE, ANN = UUID(int=1), UUID(int=2), UUID(int=3)
CATALOGUE = Catalogue((DoorInstalled, RightGranted, RightRevoked))


def book_of(*rows: Recorded) -> DoorBook:
    book = DoorBook()
    book.memory.bind(None, CATALOGUE)  # type: ignore[arg-type]
    book.memory._take(rows)
    return book


def door(community: UUID, n: int) -> Recorded:
    event = DoorInstalled(door_id=UUID(int=n), name="gate", zone="community", device_id=UUID(int=n + 100), door_no=1)
    return recorded(event, community, position=n, stream=f"door:{n}")


def newer(community: UUID, kind: str) -> Recorded:
    """As a later version would write it."""
    return Recorded(9, 1, community, "right:9", 1, UUID(int=9), kind, 2, "{}", Meta(), None, None, NOW)


@pytest.mark.parametrize("kind", ["right_revoked", "right_granted", "door_installed"])
def test_a_community_of_which_something_cannot_be_read_has_no_judgement(kind: str) -> None:
    book = book_of(door(HERE, 11), door(THERE, 12), newer(HERE, kind))
    with pytest.raises(NotYet):
        book.judge(book.door(HERE, UUID(int=11)), "remote", NOW, person_id=ANN)
    assert not book.judge(book.door(THERE, UUID(int=12)), "remote", NOW, person_id=ANN).allowed


BUILDING, HOME, LIFT, PASS = (UUID(int=n) for n in range(20, 24))
KNOWN = Catalogue(Event.__args__)


def told(*events: Struct) -> DoorBook:
    book = DoorBook()
    book.memory.bind(None, KNOWN)  # type: ignore[arg-type]
    book.memory._take([recorded(e, HERE, position=n, stream=f"x:{n}", at=NOW) for n, e in enumerate(events, 1)])
    return book


LIVES = ResidenceStarted(UUID(int=30), ANN, HOME, BUILDING, 1, "owner", NOW.date())
MOVED = ResidenceEnded(UUID(int=30), ANN, HOME, BUILDING, NOW.date())
INSTALLED = LiftInstalled(LIFT, "lift", BUILDING, UUID(int=40), (LiftFloor(1, 11), LiftFloor(7, 17)))
RIGHT = RightGranted(UUID(int=31), ANN, f"building:{BUILDING}", "residence")


def issued(n: int = 0, until: datetime = NOW) -> VisitorPassIssued:
    return VisitorPassIssued(
        UUID(int=PASS.int + n), "courier", HOME, ANN, NOW, until, 1, ("community",), (), None, None, "visitor_pass_courier", "x")


def test_a_lift_takes_those_home_who_live_on_its_floor() -> None:
    book = told(INSTALLED, RIGHT, LIVES, HomeFloorSet(HOME, 7))
    seventh = book.lift(HERE, LIFT, 7)
    assert book.door_at(HERE, UUID(int=40), 17) == seventh
    assert book.judge(seventh, "remote", NOW, person_id=ANN).allowed
    assert not told(INSTALLED, RIGHT, LIVES).judge(seventh, "remote", NOW, person_id=ANN).allowed
    with pytest.raises(NotFound):
        book.lift(THERE, LIFT, 7)
    with pytest.raises(NotFound):
        book.lift(HERE, LIFT, 8)


def test_a_lift_of_one_building_knows_no_floor_of_a_home_in_another() -> None:
    elsewhere, their_home = UUID(int=25), UUID(int=26)
    too = ResidenceStarted(UUID(int=32), ANN, their_home, elsewhere, 1, "owner", NOW.date())
    their_right = RightGranted(UUID(int=33), ANN, f"building:{elsewhere}", "residence")
    book = told(INSTALLED, RIGHT, LIVES, HomeFloorSet(HOME, 3), too, their_right, HomeFloorSet(their_home, 7))
    judged = book.judge(book.lift(HERE, LIFT, 7), "remote", NOW, person_id=ANN)
    assert (judged.allowed, judged.reason) == (False, "floor_not_permitted")
    assert book.judge(book.lift(HERE, LIFT, 1), "remote", NOW, person_id=ANN).allowed


def test_a_lift_that_is_changed_gives_up_its_relays() -> None:
    book = told(INSTALLED, LiftInstalled(LIFT, "lift", BUILDING, UUID(int=40), (LiftFloor(1, 12),)))
    assert (book.door_at(HERE, UUID(int=40), 11), book.door_at(HERE, UUID(int=40), 17)) == (None, None)
    assert book.door_at(HERE, UUID(int=40), 12) == book.lift(HERE, LIFT, 1)


def test_a_door_that_is_moved_gives_up_its_relay() -> None:
    moved = DoorInstalled(UUID(int=50), "gate", "community", UUID(int=51), 2)
    book = told(GATE, moved)
    assert (book.door_at(HERE, UUID(int=51), 1), book.door_at(HERE, UUID(int=51), 2)) == (None, book.door(HERE, GATE.door_id))


def test_nothing_is_hung_on_a_device_that_was_retired_but_what_hung_there_stays_and_may_be_renamed() -> None:
    gone = DeviceRetired(GATE.device_id)
    book = told(GATE, gone, INSTALLED, DeviceRetired(INSTALLED.device_id))
    for hung, device_id in ((GATE.door_id, GATE.device_id), (LIFT, INSTALLED.device_id), (UUID(int=98), UUID(int=99))):
        book.hangs(HERE, hung, device_id)
    for other, device_id in ((UUID(int=98), GATE.device_id), (LIFT, GATE.device_id), (GATE.door_id, INSTALLED.device_id)):
        with pytest.raises(Refused, match="device_retired"):
            book.hangs(HERE, other, device_id)
        book.hangs(THERE, other, device_id)
    told(GATE, gone, DeviceRegistered(GATE.device_id, "hikvision-terminal", "gate")).hangs(HERE, UUID(int=98), GATE.device_id)


def test_a_door_or_lift_whose_device_was_retired_opens_from_afar_when_another_device_opens_it_or_that_one_is_back() -> None:
    retired, back = DeviceRetired(GATE.device_id), DeviceRegistered(GATE.device_id, "hikvision-terminal", "gate")
    everywhere = RightGranted(UUID(int=31), ANN, "everywhere", "duty")

    def why(*events: Struct) -> str:
        book = told(everywhere, GATE, *events)
        return book.judge(book.door(HERE, GATE.door_id), "remote", NOW, person_id=ANN).reason

    assert why(retired) == "device_retired"
    assert why() == why(retired, back) == why(retired, replace(GATE, device_id=UUID(int=99))) == "allowed_by_duty"
    lift = told(everywhere, INSTALLED, DeviceRetired(INSTALLED.device_id))
    assert lift.judge(lift.lift(HERE, LIFT, 7), "remote", NOW, person_id=ANN).reason == "device_retired"
    book = told(everywhere, GATE)
    book._apply(retired, recorded(retired, THERE))
    assert book.judge(book.door(HERE, GATE.door_id), "remote", NOW, person_id=ANN).allowed, "it is another community that said so"


def lately(*told_at: tuple[Struct, int], community: UUID = HERE) -> DoorBook:
    """Each so many minutes after NOW."""
    book = DoorBook()
    for event, minutes in told_at:
        book._apply(event, recorded(event, community, at=NOW + timedelta(minutes=minutes)))
    return book


def test_whoever_moved_out_had_their_floor_until_then_where_the_lift_took_them_by_itself() -> None:
    moved = RightRevoked(RIGHT.right_id, ANN, RIGHT.zone, "residence")
    book = lately((INSTALLED, 0), (RIGHT, 0), (LIVES, 0), (HomeFloorSet(HOME, 7), 0), (MOVED, 10), (moved, 10))
    card, seventh = KnownCredential(ANN, "card", None, HOME), book.lift(HERE, LIFT, 7)

    def allowed(minutes: int, let_in: bool = True) -> bool:
        return book.judge(seventh, "card", NOW + timedelta(minutes=minutes), let_in=let_in, ended=card).allowed

    assert (allowed(-1), allowed(0), allowed(9), allowed(10), allowed(9, let_in=False)) == (False, True, True, False, False)


def test_what_has_ended_is_remembered_for_as_long_as_a_devices_clock_is_believed_and_nothing_of_who_is_erased() -> None:
    def right(n: int, person: UUID = ANN) -> tuple[RightGranted, RightRevoked]:
        return (RightGranted(UUID(int=n), person, "community", "residence"), RightRevoked(UUID(int=n), person, "community", "residence"))

    (began, ended), (later, over) = right(60), right(61)
    known = ((began, 0), (ended, 10))
    month = int(BELIEVED / timedelta(minutes=1)) + 10
    at = NOW + timedelta(minutes=5)

    def rights(book: DoorBook, person: UUID = ANN, community: UUID = HERE) -> int:
        return len(book.lately.of(community, person, at, KnownRight))

    assert rights(lately(*known)) == rights(lately(*known, (later, 11), (over, month))) == 1
    assert rights(lately(*known, (later, 11), (over, month + 1))) == rights(lately(*known), THERE) == 0
    assert rights(lately(*known, community=THERE)) == 0, "another community's"
    erased = ResidentErased(ANN, ANN, "own_wish")
    assert rights(lately(*known, (erased, 11))) == rights(lately((began, 0), (erased, 9), (ended, 10))) == 0
    assert rights(lately((ended, 10))) == 0, "it had never begun"


def test_a_door_record_of_another_community_takes_no_relay_and_gives_none_up() -> None:
    theirs = replace(GATE, door_id=UUID(int=59))
    corrected = replace(theirs, device_id=UUID(int=60))
    book = told(GATE)
    for there in (theirs, corrected):
        book._apply(there, recorded(there, THERE))
        assert book.door_at(HERE, GATE.device_id, 1) == book.door(HERE, GATE.door_id)
    assert (book.door_at(THERE, GATE.device_id, 1), book.door_at(THERE, UUID(int=60), 1)) == (None, book.door(THERE, UUID(int=59)))


def test_a_lift_of_another_community_takes_no_relay_and_gives_none_up() -> None:
    theirs = replace(INSTALLED, lift_id=UUID(int=59))
    book = told(INSTALLED)
    for there in (theirs, replace(theirs, device_id=UUID(int=60))):
        book._apply(there, recorded(there, THERE))
        assert book.door_at(HERE, UUID(int=40), 17) == book.lift(HERE, LIFT, 7)


def test_who_lives_where_and_whose_passes_there_are() -> None:
    soon = NOW + timedelta(hours=1)
    passes = issued(0, soon), issued(1, soon), issued(2, NOW)
    book = told(HomeRegistered(HOME, BUILDING, 1, "1"), LIVES, *passes, VisitorPassRevoked(PASS, ANN, "x", "host"))
    assert book.building(HERE, HOME) == BUILDING and book.residence(HERE, ANN, HOME)
    assert book.open_passes_of(HERE, ANN, NOW, HOME) == book.open_passes_of(HERE, ANN, NOW) == [UUID(int=PASS.int + 1)]
    for nobody in ((HERE, ANN, NOW, UUID(int=29)), (HERE, THERE, NOW, HOME), (THERE, ANN, NOW, HOME), (HERE, ANN, soon, HOME)):
        assert book.open_passes_of(*nobody) == []
    revoked = book.visitor_pass(HERE, PASS)
    assert revoked and revoked.revoked and book.visitor_pass(THERE, PASS) is None
    assert not told(LIVES, MOVED).residence(HERE, ANN, HOME)
    with pytest.raises(NotFound):
        book.building(THERE, HOME)


def test_passes_long_over_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.access.book.PRUNED_EVERY", 3)
    book = told(issued(0, NOW - 2 * KEPT_AFTER), issued(1), issued(2))
    assert (book.visitor_pass(HERE, PASS), bool(book.visitor_pass(HERE, UUID(int=PASS.int + 1)))) == (None, True)


GATE = DoorInstalled(UUID(int=50), "gate", "community", UUID(int=51), 1)
AT_GATE = RightGranted(UUID(int=52), ANN, "community", "residence")
CARD = CredentialIssued(UUID(int=53), ANN, "card", Sealed(ANN, ANN, "number", "x"))


class Claims:
    """The claims of one card: its blind index, as the database would name it."""

    async def fetch(self, query: str, streams: list[str]) -> list[dict[str, Any]]:
        wanted = f"credential:{CARD.credential_id}"
        return [{"community_id": HERE, "stream": wanted, "scope": "card", "value": "blind"}] if wanted in streams else []


async def ready(*events: Struct) -> tuple[DoorBook, KnownDoor]:
    """A book that has looked up what its credentials are found by; and its gate."""

    async def fresh(position: int = 0) -> None: ...

    book = told(GATE, AT_GATE, *events)
    book.memory.fresh = fresh  # type: ignore[method-assign]
    await book.ready(Claims())  # type: ignore[arg-type]
    return book, book.door(HERE, GATE.door_id)


async def test_a_card_opens_until_it_is_revoked() -> None:
    book, gate = await ready(CARD)
    judged = book.judge(gate, "card", NOW, index="blind")
    assert (judged.allowed, judged.person_id) == (True, ANN)
    book._apply(CredentialRevoked(CARD.credential_id, ANN, "card"), recorded(CARD, HERE, stream="x:9"))
    assert book.judge(gate, "card", NOW, index="blind").reason == "credential_unknown"


async def test_a_card_is_no_pin_no_face_and_of_its_community_alone() -> None:
    book, gate = await ready(CARD)
    assert book.judge(gate, "pin", NOW, index="blind").reason == book.judge(gate, "face", NOW).reason == "credential_unknown"
    elsewhere = KnownDoor(THERE, gate.door_id, "gate", "community", gate.device_id, 1, gate.because)
    assert book.judge(elsewhere, "card", NOW, index="blind").reason == "credential_unknown"


async def test_a_right_that_was_revoked_opens_nothing_and_another_stays() -> None:
    revoked, again = RightRevoked(AT_GATE.right_id, ANN, "community", "residence"), RightGranted(UUID(int=54), ANN, "community", "duty")
    for events, opens in (((), True), ((revoked,), False), ((again, revoked), True)):
        book, gate = await ready(*events)
        assert book.judge(gate, "remote", NOW, person_id=ANN).allowed is opens


async def test_who_is_erased_opens_nothing_with_the_token_that_they_still_have() -> None:
    """Their residence is not over: bills hang on it."""
    book, gate = await ready(LIVES, ResidentErased(ANN, ANN, "own_wish"))
    judged = book.judge(gate, "remote", NOW, person_id=ANN)
    assert (judged.allowed, judged.rule, judged.reason) == (False, "erasure", "resident_erased")
    elsewhere, _ = await ready(LIVES)
    elsewhere._apply(ResidentErased(ANN, ANN, "own_wish"), recorded(LIVES, THERE))
    assert elsewhere.judge(gate, "remote", NOW, person_id=ANN).allowed


async def test_a_door_is_of_its_community() -> None:
    book, _ = await ready()
    for community, door in ((THERE, GATE.door_id), (HERE, UUID(int=99))):
        with pytest.raises(NotFound):
            book.door(community, door)
