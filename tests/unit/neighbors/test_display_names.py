"""Choosing a display name: one neighbour's of a community, changed once a day, refused with what the rules say."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import Refused, Release, Take
from libs.eventkit.sealed import Sealed
from services.neighbors.domain.display_names import (
    DISPLAY_NAMES,
    PAUSE,
    ChooseDisplayName,
    DisplayNameChosen,
    DisplayNameDropped,
    DropDisplayName,
)

ANN, KEY, EVENT = (UUID(int=n) for n in range(1, 4))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
OLD, NEW = Sealed(KEY, EVENT, "display_name", "old"), Sealed(KEY, EVENT, "display_name", "new")
CHOOSE = ChooseDisplayName(ANN, NEW, "index", is_member=True, objection="", unchanged=False, now=NOW)
CHOSEN = DisplayNameChosen(ANN, NEW, NOW)
DROP, DROPPED = DropDisplayName(ANN, "contains_own_name"), DisplayNameDropped(ANN, "contains_own_name")


def when(command, *events):
    return DISPLAY_NAMES.decide[ChooseDisplayName](command, DISPLAY_NAMES.fold(events))


def before(ago):
    return DisplayNameChosen(ANN, OLD, NOW - ago)


def test_the_first_choice_is_free_and_then_one_a_day():
    assert when(CHOOSE) == [CHOSEN]
    assert timedelta(days=1) == PAUSE
    assert when(CHOOSE, before(PAUSE)) == [CHOSEN]
    with pytest.raises(Refused, match="display_name_changed_recently") as refused:
        when(CHOOSE, before(PAUSE - timedelta(seconds=1)))
    assert refused.value.facts == {"again_at": NOW + timedelta(seconds=1)}


def test_who_is_called_that_already_changes_nothing():
    assert when(replace(CHOOSE, unchanged=True), before(timedelta())) == []


@pytest.mark.parametrize(("change", "code"), [
    ({"objection": "contains_own_name"}, "contains_own_name"), ({"is_member": False}, "not_a_neighbor"),
    ({"is_member": False, "objection": "contains_number"}, "not_a_neighbor")])
def test_what_the_rules_refuse(change, code):
    with pytest.raises(Refused, match=code):
        when(replace(CHOOSE, **change))


def test_it_is_taken_by_its_index_and_the_one_before_is_free():
    assert [*DISPLAY_NAMES.claims(CHOOSE, CHOSEN)] == [
        Release("display_name"), Take("display_name", "index", "display_name_taken")]
    assert [*DISPLAY_NAMES.claims(DROP, DROPPED)] == [Release("display_name")]


def test_one_that_gives_its_bearer_away_is_dropped_once_and_another_may_be_chosen():
    def drop(*events):
        return DISPLAY_NAMES.decide[DropDisplayName](DROP, DISPLAY_NAMES.fold(events))

    assert drop(CHOSEN) == [DROPPED]
    assert drop() == drop(CHOSEN, DROPPED) == []
    assert when(CHOOSE, CHOSEN, DROPPED) == [CHOSEN], "at once, although they had chosen one today"
