from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import Refused, Release, Take
from services.parking.domain.plate_rights import (
    PLATE_RIGHTS,
    EndPlateRight,
    GrantPlateRight,
    PlateRightEnded,
)
from tests.unit.parking.samples import GRANTED, HOUR, LOT, NOW, PLATE, RIGHT, deciding

when = deciding(PLATE_RIGHTS)
GRANT, END = GrantPlateRight(GRANTED, "index"), EndPlateRight(RIGHT, "by_staff")
ENDED = PlateRightEnded(RIGHT, "permit", LOT, "by_staff")


def test_a_right_is_granted_and_said_again_when_something_of_it_changes() -> None:
    assert when(GRANT) == [GRANTED]
    changed = replace(GRANTED, plate=replace(PLATE, box="another"))
    assert when(GrantPlateRight(changed, "other"), GRANTED) == [changed]


def test_a_right_that_is_as_asked_says_nothing() -> None:
    assert when(GRANT, GRANTED) == []


def test_a_right_that_ended_can_be_granted_again() -> None:
    assert when(GRANT, GRANTED, ENDED) == [GRANTED]


def test_nobody_is_granted_anything_for_a_plate_that_was_erased() -> None:
    for events in ((), (GRANTED,), (GRANTED, ENDED)):
        with pytest.raises(Refused, match="plate_erased"):
            when(GrantPlateRight(replace(GRANTED, monthly=None, reason="a new fee"), ""), *events)


@pytest.mark.parametrize("length", [timedelta(0), -HOUR])
def test_a_right_that_would_never_count_is_refused(length: timedelta) -> None:
    with pytest.raises(Refused, match="validity_empty"):
        when(GrantPlateRight(replace(GRANTED, valid_from=NOW, valid_until=NOW + length), "index"))


def test_a_limit_on_one_side_is_enough() -> None:
    for limits in ({"valid_from": NOW}, {"valid_until": NOW}, {"valid_from": NOW, "valid_until": NOW + HOUR}):
        grant = replace(GRANTED, **limits)
        assert when(GrantPlateRight(grant, "index")) == [grant]


def test_a_right_ends_once_and_only_when_it_was_there() -> None:
    assert when(END, GRANTED) == [ENDED]
    assert when(END, GRANTED, ENDED) == when(END) == []


def claims(event: Any) -> list[Release | Take]:
    return list(PLATE_RIGHTS.claims(GRANT, event))


def test_one_plate_has_one_permit_of_a_lot() -> None:
    assert claims(GRANTED) == [Release(f"permit:{LOT}"), Take(f"permit:{LOT}", "index", "plate_has_permit")]
    assert claims(replace(GRANTED, lot_id=None))[1] == Take("permit:", "index", "plate_has_permit")
    assert claims(ENDED) == [Release(f"permit:{LOT}")]


@pytest.mark.parametrize("kind", ["declared", "vehicle", "visitor_pass", "white", "black"])
def test_whatever_is_no_permit_excludes_nobody(kind: Any) -> None:
    one, other = (claims(replace(GRANTED, kind=kind, right_id=UUID(int=n)))[1] for n in (1, 2))
    assert isinstance(one, Take) and isinstance(other, Take) and one.scope != other.scope
