"""A right that begins while a car stands inside: what the car stood under, and whether it stands under the new one from then on."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from services.parking.domain.plate_rights import PlateRightEnded, PlateRightGranted
from services.parking.domain.sessions import AssignRight
from services.parking.domain.stays import RightAssigned, Under
from services.parking.reactions.stays import after_passages
from tests.kit import recorded
from tests.unit.parking.samples import ANN, BEGUN, GRANTED, HOUR, LOT, NOW, OPENED, RIGHT, SESSION
from tests.unit.parking.test_lane_desk import Lane
from tests.unit.parking.test_lot_book import HERE

NEW = UUID(int=77)
PLATE = "京A12345"
OVER = Under(RIGHT, "permit", ANN, valid_until=NOW + HOUR)
TAKEN_AWAY = replace(OVER, valid_until=NOW)


async def asked(under: Under | None, *since: Any, **terms: Any) -> list[Any]:
    """What is asked for when a permit is granted an hour and a half after the entry."""
    lane = Lane(PLATE)
    await lane.say(OPENED, replace(GRANTED, valid_until=NOW + HOUR), replace(BEGUN, under=under), right=PLATE, session=PLATE)
    await lane.say(*since)
    lane.claims[f"plate-right:{NEW}"] = (HERE, PLATE)
    granted = replace(GRANTED, right_id=NEW, **terms)
    await lane.say(granted)
    row = recorded(granted, HERE, position=len(lane.rows), at=NOW + 1.5 * HOUR)
    return [do.command for do in await after_passages(lane.app, lane.book).on[PlateRightGranted](granted, row)]


@pytest.mark.parametrize(("under", "since"), [
    (None, ()),
    (Under(RIGHT, "vehicle", ANN), ()),
    (Under(RIGHT, "visitor_pass", ANN), ()),
    (OVER, ()),
    (replace(OVER, kind="white"), ()),
    (replace(OVER, valid_until=None), (PlateRightEnded(RIGHT, "permit", LOT, "by_staff"), RightAssigned(SESSION, TAKEN_AWAY))),
], ids=["nothing", "its home's vehicle", "a guest's pass", "a permit that is over", "a white list that it left", "a permit taken away"])
async def test_a_car_inside_stands_under_a_permit_that_is_granted_when_it_stands_under_none(under: Any, since: tuple[Any, ...]) -> None:
    assert await asked(under, *since, valid_from=NOW + HOUR) == [AssignRight(SESSION, Under(NEW, "permit", valid_from=NOW + HOUR))]


async def test_a_car_inside_keeps_the_permit_that_counts_until_the_next_begins_where_it_ends() -> None:
    counts = replace(OVER, valid_until=NOW + 2 * HOUR)
    assert await asked(counts, valid_from=NOW + HOUR) == []
    assert await asked(replace(counts, valid_until=None)) == []
    assert len(await asked(counts, valid_from=NOW + 2 * HOUR)) == 1
    assert await asked(counts, valid_from=NOW + 2 * HOUR, lot_id=UUID(int=90)) == [], "it counts elsewhere"
