"""At which point a tag hung when somebody read it."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from services.alarm.domain.kinds import Place
from services.alarm.domain.patrol_points import Ground, PatrolPointPlaced
from services.alarm.patrol_book import PatrolBook
from tests.kit import recorded
from tests.unit.alarm.samples import BUILDING, HERE, NOW

GATE = PatrolPointPlaced(UUID(int=1), "gate", Place(), None, "a")
ROOF = PatrolPointPlaced(UUID(int=2), "roof", Place(), None, "b")


def day(number: int) -> datetime:
    return NOW + timedelta(days=number)


def book(*placed: tuple[int, PatrolPointPlaced]) -> PatrolBook:
    """As it was said on these days."""
    found = PatrolBook()
    for on, event in placed:
        found._apply(event, recorded(event, HERE, at=day(on)))
    return found


def names(found: PatrolBook, tag: str, *days: int) -> list[str | None]:
    hung = [found.tagged(HERE, tag, day(on)) for on in days]
    return [one.name if one is not None else None for one in hung]


def test_a_tag_is_of_the_point_at_which_it_hung_when_it_was_read():
    found = book((1, GATE), (1, ROOF), (5, replace(GATE, tag="c")), (7, replace(ROOF, tag="a")))
    assert names(found, "a", 1, 4, 5, 6, 7, 20) == ["gate", "gate", "roof", "roof", "roof", "roof"]
    assert names(found, "b", 1, 6, 7) == ["roof", "roof", None]
    assert names(found, "c", 4, 5, 20) == ["gate"] * 3, "it hung there before anybody said so"
    assert names(found, "unknown", 5) == [None] and found.tagged(BUILDING, "a", day(2)) is None


def test_a_point_out_of_use_has_had_its_tag_and_may_have_it_again():
    found = book((1, GATE), (5, replace(GATE, in_use=False)), (6, replace(GATE, in_use=False, name="old gate")))
    assert names(found, "a", 4, 5, 20) == ["gate", None, None]
    found._apply(GATE, recorded(GATE, HERE, at=day(9)))
    assert names(found, "a", 4, 5, 20) == ["gate"] * 3


def test_where_a_point_was_then_counts():
    """A point that was moved, or described more rightly, since somebody was at it."""
    spot = Ground(121.0, 31.0, 50)
    found = book((1, GATE), (5, replace(GATE, spot=spot)))
    hung = [found.tagged(HERE, "a", day(on)) for on in (4, 5)]
    assert [one.spot for one in hung if one is not None] == [None, spot]
