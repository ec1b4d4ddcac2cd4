"""What access keeps in memory of doors and rights: where it has not understood everything, it decides nothing."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from libs.eventkit.decider import NotYet
from libs.eventkit.recorded import Catalogue, Meta, Recorded
from services.access.book import DoorBook
from services.access.domain.doors import DoorInstalled
from services.access.domain.rights import RightGranted, RightRevoked
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
