"""Who is erased stays a neighbour without a name, and is told nothing."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from libs.contracts.fields import SealedField
from libs.contracts.identity import ResidentErased, ResidentRegistered
from libs.eventkit.sealed import Sealed
from services.neighbors.domain.display_names import (
    DISPLAY_NAMES,
    ERASED,
    DisplayNameChosen,
    DisplayNameDropped,
    DropDisplayName,
)
from tests.unit.neighbors.test_book import ANN, BEN, HERE, HOUSE, OTHER, book_of, joined

GONE = ResidentErased(ANN, ANN, "own_wish")
CHOSEN = DisplayNameChosen(ANN, Sealed(HERE, ANN, "display_name", "box"), datetime(2026, 3, 1, tzinfo=UTC))


def test_an_erased_member_counts_and_is_not_reached():
    book = book_of(joined(ANN), joined(BEN), GONE)
    assert set(book.members(HERE, HOUSE)) == {ANN, BEN} and book.reached(HERE, HOUSE) == {BEN}
    assert book.is_erased(HERE, ANN) and not book.is_erased(HERE, BEN) and not book.is_erased(OTHER, ANN)
    assert book_of(joined(ANN)).reached(HERE, HOUSE) == {ANN}


def test_the_book_forgets_both_names():
    box = SealedField(UUID(int=1), uuid4(), "name", "box")
    book = book_of(ResidentRegistered(ANN, box), CHOSEN, GONE)
    assert book.registered_name(HERE, ANN) is None and book.chosen_name(HERE, ANN) is None


def test_a_chosen_name_is_dropped_once_and_without_one_nothing_is():
    drop = DropDisplayName(ANN, ERASED)
    decide = DISPLAY_NAMES.decide[DropDisplayName]
    assert decide(drop, DISPLAY_NAMES.fold([CHOSEN])) == [DisplayNameDropped(ANN, "erased")]
    assert decide(drop, DISPLAY_NAMES.fold([CHOSEN, DisplayNameDropped(ANN, "erased")])) == []
    assert decide(drop, DISPLAY_NAMES.initial) == []
