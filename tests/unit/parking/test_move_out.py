"""Who leaves the community leaves the car park: which permits end with a vehicle, and which with the last home."""

from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.contracts.identity import ResidenceEnded, ResidenceStarted, VehicleRemoved
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
LIVES, LIVES_ELSEWHERE_TOO = (ResidenceStarted(i, ANN, FLAT, HOUSE, 1, "tenant", date(2026, 1, 1)) for i in (ONE, TWO))
MOVED_OUT = ResidenceEnded(ONE, ANN, FLAT, HOUSE, date(2026, 3, 1))
REMOVED = VehicleRemoved(CAR, FLAT)
RESIDENCES = (ResidenceStarted, ResidenceEnded)


async def ended(*heard: Struct) -> list[tuple[UUID, str]]:
    """Which rights are ended at the last of these, which the one before it has caused, and why."""
    site, residents = Site(), Residents()
    residents.memory.bind(site, Catalogue(RESIDENCES))  # type: ignore[arg-type]
    await site.say(*GRANTS, *heard)

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


async def test_with_the_last_home_a_persons_own_permits_end() -> None:
    assert await ended(LIVES, MOVED_OUT) == [(HERS, "residence_ended"), (OF_BOTH, "residence_ended")]


async def test_who_lives_in_another_home_here_keeps_their_permits() -> None:
    assert await ended(LIVES, LIVES_ELSEWHERE_TOO, MOVED_OUT) == []
    last = replace(MOVED_OUT, residence_id=TWO)
    assert [right for right, _ in await ended(LIVES, LIVES_ELSEWHERE_TOO, MOVED_OUT, last)] == [HERS, OF_BOTH]


async def test_with_a_vehicle_the_permits_end_that_name_it() -> None:
    gone = [(right, "vehicle_removed") for right in (CAR, OF_THE_CAR, OF_BOTH)]
    assert await ended(LIVES, REMOVED) == gone, "it was sold"
    assert await ended(LIVES, MOVED_OUT, REMOVED) == gone


async def test_of_who_moves_within_the_community_the_vehicle_goes_and_the_permit_of_their_own_stays() -> None:
    assert [right for right, _ in await ended(LIVES, LIVES_ELSEWHERE_TOO, MOVED_OUT, REMOVED)] == [CAR, OF_THE_CAR]
