"""Who leaves the community leaves the car park: which permits end with a vehicle, and which with their holder's departure."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.contracts.identity import PersonLeft, ResidenceEnded, ResidenceStarted, VehicleRemoved
from libs.eventkit.recorded import Catalogue, Meta
from services.parking.domain.plate_rights import EndPlateRight
from services.parking.reactions.rights import rights_of_plates
from services.parking.residents import Residents
from tests.kit import recorded
from tests.unit.parking.samples import ANN, GRANTED, NOW
from tests.unit.parking.test_lot_book import HERE, Site

CAR, FLAT, HOUSE, ONE, TWO, BEN = (UUID(int=n) for n in range(80, 86))
HERS, OF_THE_CAR, OF_BOTH, HIS, LISTED = (UUID(int=n) for n in range(90, 95))
GRANTS = (
    replace(GRANTED, right_id=HERS, person_id=ANN), replace(GRANTED, right_id=OF_THE_CAR, source_id=CAR),
    replace(GRANTED, right_id=OF_BOTH, person_id=ANN, source_id=CAR), replace(GRANTED, right_id=HIS, person_id=BEN),
    replace(GRANTED, right_id=LISTED, kind="black", person_id=ANN, source_id=CAR))
LIVES, BEN_LIVES = (ResidenceStarted(i, who, FLAT, HOUSE, 1, "tenant", date(2026, 1, 1)) for i, who in ((ONE, ANN), (TWO, BEN)))
MOVED_OUT = ResidenceEnded(ONE, ANN, FLAT, HOUSE, date(2026, 3, 1))
LEFT = PersonLeft(ANN, NOW)
REMOVED = VehicleRemoved(CAR, FLAT)
RESIDENCES = (ResidenceStarted, ResidenceEnded)


async def ended(*heard: Struct) -> list[tuple[UUID, str]]:
    """Which rights are ended at the last of these, which the one before it has caused, and why."""
    site, residents = Site(), Residents()
    residents.memory.bind(site, Catalogue(RESIDENCES))  # type: ignore[arg-type]
    await site.say(*GRANTS, at=NOW)
    await site.say(*heard, at=NOW + timedelta(hours=1))

    async def pool() -> Any:
        return site

    async def event(event_id: UUID) -> Any:
        return next((row for row in site.rows if row.event_id == event_id), None)

    app: Any = SimpleNamespace(
        database=SimpleNamespace(pool=pool), catalogue=Catalogue(RESIDENCES), log=SimpleNamespace(event=event))
    caused_by = (site.rows[-2].event_id, UUID(int=9))
    row = recorded(heard[-1], HERE, position=len(site.rows), meta=Meta(caused_by=caused_by), at=NOW)
    dos = await rights_of_plates(app, site.book, residents).on[type(heard[-1])](heard[-1], row)
    assert all(do.subject_id == do.command.right_id for do in dos if isinstance(do.command, EndPlateRight))
    return [(do.subject_id, do.command.reason) for do in dos if isinstance(do.command, EndPlateRight)]


async def test_when_somebody_has_left_their_own_permits_end() -> None:
    assert await ended(LIVES, MOVED_OUT, LEFT) == [(HERS, "left"), (OF_BOTH, "left")]


async def test_a_permit_that_was_given_to_them_afterwards_stays_and_one_that_was_changed_is_as_old_as_it_is() -> None:
    changed = replace(GRANTED, right_id=HERS, person_id=ANN, reason="again")
    since = replace(LEFT, since=NOW - timedelta(seconds=1))
    assert await ended(LIVES, MOVED_OUT, since) == [], "all of them are younger"
    assert (HERS, "left") in await ended(LIVES, changed, MOVED_OUT, LEFT)


async def test_with_a_home_no_permit_ends() -> None:
    assert ResidenceEnded not in rights_of_plates(SimpleNamespace(), Site().book, Residents()).on  # type: ignore[arg-type]


async def test_with_a_vehicle_the_permits_end_that_name_it() -> None:
    gone = [(right, "vehicle_removed") for right in (CAR, OF_THE_CAR, OF_BOTH)]
    assert await ended(LIVES, REMOVED) == gone, "it was sold"
    assert await ended(MOVED_OUT, REMOVED) == gone, "to somebody from outside the permit was given for the vehicle"


async def test_a_vehicle_that_moves_out_leaves_a_residents_own_permit() -> None:
    assert [right for right, _ in await ended(LIVES, MOVED_OUT, REMOVED)] == [CAR, OF_THE_CAR]
    family = replace(GRANTED, right_id=OF_BOTH, person_id=BEN, source_id=CAR)
    assert [right for right, _ in await ended(LIVES, BEN_LIVES, family, MOVED_OUT, REMOVED)] == [CAR, OF_THE_CAR]
