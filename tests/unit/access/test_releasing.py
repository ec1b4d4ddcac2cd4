"""A verified fire releases its building, wherever that is known to stand; what devices say of relays finds its release."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from libs.contracts import alarm, devices
from libs.contracts.identity import BuildingRegistered
from libs.eventkit.db import is_away
from libs.eventkit.problems import Problem
from services.access.book import DoorBook
from services.access.domain.admission import Fact
from services.access.domain.doors import DoorInstalled
from services.access.domain.lifts import LiftFloor, LiftInstalled
from services.access.domain.releases import BeginRelease, FireReleaseBegun, RecordFireOver, RecordRelay, ReleasedRelay
from services.access.releasing import fire_releases, relays_released
from tests.kit import recorded

HERE, THERE, FIRE, BUILDING, ANOTHER, DEVICE, GUARD = (UUID(int=n) for n in range(1, 8))
EAST, WEST, PLANT, GATE, LIFT, CELLAR = (UUID(int=n) for n in range(20, 26))
ZONE = f"building:{BUILDING}"
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
DOORS = (
    DoorInstalled(WEST, "west", ZONE, DEVICE, 2), DoorInstalled(EAST, "east", ZONE, DEVICE, 1),
    DoorInstalled(PLANT, "plant room", ZONE, DEVICE, 3, evacuation=False), DoorInstalled(GATE, "gate", "community", DEVICE, 4),
    DoorInstalled(ANOTHER, "next door", f"building:{ANOTHER}", DEVICE, 5))
LIFTS = (
    LiftInstalled(LIFT, "lift", BUILDING, DEVICE, (LiftFloor(-1, 10), LiftFloor(1, 11), LiftFloor(7, 17))),
    LiftInstalled(CELLAR, "goods", BUILDING, DEVICE, (LiftFloor(-1, 20),)))
STANDS = BuildingRegistered(BUILDING, "1", 2)
RELAYS = (
    ReleasedRelay(EAST, DEVICE, 1, "held_open"), ReleasedRelay(WEST, DEVICE, 2, "held_open"), ReleasedRelay(LIFT, DEVICE, 11, "recalled"))


def book_of(*events: Any, community: UUID = HERE) -> DoorBook:
    book = DoorBook()
    for event in events:
        book._apply(event, recorded(event, community))
    return book


def verified(kind: Any = "fire", building: UUID | None = BUILDING) -> alarm.IncidentVerified:
    return alarm.IncidentVerified(FIRE, kind, "critical", False, alarm.Place(building), GUARD, "camera", NOW)


def resolved(kind: Any = "fire", building: UUID | None = BUILDING) -> alarm.IncidentResolved:
    return alarm.IncidentResolved(FIRE, kind, "critical", False, alarm.Place(building), GUARD, "put_out")


FALSE = alarm.IncidentFoundFalse(FIRE, "fire", "critical", False, alarm.Place(BUILDING), GUARD, "cooking")


async def done(book: DoorBook, event: Any, community: UUID = HERE, ready: Any = None) -> list[Any]:
    async def nothing(*asked: object) -> None: ...

    book.ready = ready or nothing  # type: ignore[method-assign]
    app: Any = SimpleNamespace(database=SimpleNamespace(pool=nothing))
    on = {**fire_releases(app, book).on, **relays_released(app, book).on}
    row = recorded(event, community, source="alarm", event_id=UUID(int=99))
    return [(do.subject_id, do.command) for do in await on[type(event)](event, row)]


async def test_a_verified_fire_opens_the_evacuation_doors_and_calls_the_lifts_of_its_building_and_no_others() -> None:
    begin = BeginRelease(FIRE, BUILDING, FIRE, None, RELAYS, "fire_verified", (Fact(UUID(int=99), "fire_verified"),))
    assert await done(book_of(STANDS, *DOORS, *LIFTS), verified()) == [(BUILDING, begin)]


async def test_a_building_of_which_nothing_is_known_is_released_with_nothing_to_open() -> None:
    ((_, begin),) = await done(book_of(), verified())
    assert (begin.release_id, begin.relays) == (FIRE, ())


@pytest.mark.parametrize("event", [
    verified("gas"), verified("duress"), verified(building=None), resolved("burglary"), resolved(building=None)])
async def test_what_is_no_fire_in_a_building_releases_and_ends_nothing(event: Any) -> None:
    assert await done(book_of(STANDS, *DOORS), event) == []


async def test_nobody_opens_the_doors_of_another_community() -> None:
    assert await done(book_of(STANDS, *DOORS), verified(), THERE) == await done(book_of(STANDS), resolved(), THERE) == []
    ((_, begin),) = await done(book_of(*DOORS), verified(), THERE)
    assert begin.relays == (), "whoever it is that names a building of which nobody has spoken: these doors are not theirs"


@pytest.mark.parametrize(("event", "how"), [(resolved(), "resolved"), (FALSE, "found_false")])
async def test_a_fire_that_is_over_is_told_its_release_and_opens_nothing_when_it_is_heard_late(event: Any, how: Any) -> None:
    assert await done(book_of(STANDS), event) == [(BUILDING, RecordFireOver(BUILDING, FIRE, how))]
    assert await done(book_of(STANDS, *DOORS, event), verified()) == []
    assert len(await done(book_of(STANDS, *DOORS, resolved("gas")), verified())) == 1


BEGUN = FireReleaseBegun(FIRE, BUILDING, FIRE, None, RELAYS, "fire_verified", "fire_is_real", ())


async def test_what_a_device_says_of_a_relay_goes_to_the_release_of_its_building() -> None:
    held = devices.HoldCarriedOut(FIRE, DEVICE, 1, "held_open")
    failed = devices.HoldFailed(FIRE, DEVICE, 11, "normal", "refused", 1, NOW)
    assert await done(book_of(BEGUN), held) == [(BUILDING, RecordRelay(FIRE, DEVICE, 1, True))]
    assert await done(book_of(BEGUN), failed) == [(BUILDING, RecordRelay(FIRE, DEVICE, 11, False, "refused"))]
    assert await done(book_of(), held) == await done(book_of(BEGUN), held, THERE) == []


async def test_a_book_that_cannot_be_read_is_waited_for_and_the_fire_is_not_put_aside() -> None:
    """A reaction that fails is parked until somebody looks; one whose database is away is tried until it is there."""
    async def not_ready(*asked: object) -> None:
        raise Problem(503, "not_ready")

    with pytest.raises(Exception) as raised:
        await done(book_of(STANDS, *DOORS), verified(), ready=not_ready)
    assert is_away(raised.value)


def test_a_release_is_known_to_its_community_alone() -> None:
    book = book_of(BEGUN)
    assert book.released_building(HERE, FIRE) == BUILDING
    assert book.released_building(THERE, FIRE) is None
