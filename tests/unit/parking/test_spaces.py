"""Single spaces: marked once under their label; kept for the cars whose permits name them."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import Refused, Release, Take
from services.parking.domain.spaces import SPACES, MarkSpace, RemoveSpace, SpaceMarked, SpaceRemoved
from services.parking.domain.stays import RightAssigned, SessionEnded, SessionQuarantined
from tests.unit.parking.samples import BEGUN, GRANTED, HOUR, LOT, NOW, OPENED, RIGHT, SESSION, UNDER, deciding
from tests.unit.parking.test_lot_book import HERE, Site

SPACE, OTHER = UUID(int=70), UUID(int=71)
MARKED, REMOVED = SpaceMarked(SPACE, LOT, "ground", "A-12"), SpaceRemoved(SPACE, LOT)
PERMIT = replace(GRANTED, space_id=SPACE)
SECOND = replace(PERMIT, right_id=OTHER)
STANDING = replace(BEGUN, under=UNDER)
when = deciding(SPACES)


def test_a_space_is_marked_once_and_may_be_marked_anew() -> None:
    mark = MarkSpace(SPACE, LOT, "ground", "A-12")
    assert when(mark) == [MARKED]
    assert when(mark, MARKED) == []
    assert when(replace(mark, label="A-13"), MARKED) == [replace(MARKED, label="A-13")]
    assert when(mark, MARKED, REMOVED) == [MARKED]
    with pytest.raises(Refused, match="space_of_another_lot"):
        when(replace(mark, lot_id=OTHER), MARKED)


def test_a_space_is_removed_once() -> None:
    assert when(RemoveSpace(SPACE), MARKED) == [REMOVED]
    assert when(RemoveSpace(SPACE), MARKED, REMOVED) == when(RemoveSpace(SPACE)) == []


def test_a_label_is_there_once_in_a_lot() -> None:
    assert list(SPACES.claims(None, MARKED)) == [Release(f"space:{LOT}"), Take(f"space:{LOT}", "A-12", "space_taken")]
    assert list(SPACES.claims(None, REMOVED)) == [Release(f"space:{LOT}")]


async def room(site: Site) -> tuple[int, int]:
    """For whoever has no space of their own; and how many are kept."""
    lot = site.book.lot(HERE, LOT)
    return site.book.room(lot, "ground", NOW), site.book.kept(LOT, "ground", NOW)


async def test_a_space_is_kept_for_its_cars_until_one_stands_on_it() -> None:
    site = Site()
    await site.say(OPENED, MARKED)
    assert await room(site) == (2, 0), "marked for nobody it is a space as any other"
    await site.say(PERMIT, SECOND)
    assert await room(site) == (1, 1)
    await site.say(STANDING)
    assert await room(site) == (1, 0)
    await site.say(SessionEnded(SESSION, LOT, "ground", "exit", NOW, 0, 0, None, None))
    assert await room(site) == (1, 1)
    await site.say(replace(PERMIT, valid_until=NOW), replace(SECOND, space_id=None))
    assert await room(site) == (2, 0), "a permit that is over keeps nothing"
    await site.say(replace(PERMIT, valid_until=NOW + HOUR), REMOVED)
    assert await room(site) == (2, 0)


async def test_of_several_cars_with_one_space_the_next_has_no_permit_while_one_stands_there() -> None:
    book = await (site := Site()).say(OPENED, MARKED, PERMIT, SECOND, STANDING)
    assert [book.right(r).taken for r in (RIGHT, OTHER)] == [False, True]  # type: ignore[union-attr]
    await site.say(SessionQuarantined(SESSION, LOT, "ground", "entered_again"))
    assert not book.right(OTHER).taken  # type: ignore[union-attr]


async def test_a_space_that_was_removed_is_taken_from_nobody() -> None:
    book = await Site().say(OPENED, MARKED, PERMIT, SECOND, STANDING, REMOVED)
    assert not book.right(OTHER).taken  # type: ignore[union-attr]


async def test_a_stay_that_was_recognised_stands_on_the_space_of_its_right() -> None:
    book = await (site := Site()).say(OPENED, MARKED, PERMIT, SECOND, BEGUN)
    assert book.stands_on(SPACE) == set()
    await site.say(RightAssigned(SESSION, UNDER))
    assert book.stands_on(SPACE) == {SESSION}
    await site.say(RightAssigned(SESSION, replace(UNDER, right_id=UUID(int=90))))
    assert book.stands_on(SPACE) == set()
