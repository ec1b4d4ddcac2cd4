"""A fold in memory takes what the live writer takes, and leaves out what that leaves out."""

from uuid import UUID

from libs.eventkit.recorded import Catalogue
from libs.eventkit.views import Fold
from tests.kit import recorded
from tests.toy.accounts import Added, Named, Noted
from tests.toy.sums import POISON, VIEW

CATALOGUE = Catalogue((Added, Named, Noted))
ONE, OTHER = UUID(int=1), UUID(int=2)


def folded(*events: tuple[UUID, object], schema: int = 1) -> Fold:
    fold = Fold(VIEW)
    for n, (account, event) in enumerate(events, 1):
        fold.take(CATALOGUE, recorded(event, position=n, stream=f"account:{account}", version=n))  # type: ignore[arg-type]
    return fold


def test_rows_are_the_sum_of_their_events():
    fold = folded((ONE, Added(2)), (OTHER, Added(5)), (ONE, Added(3)), (ONE, Named("x")))
    assert {row["account_id"]: (row["own"], row["seen"]) for row in fold.rows()} == {str(ONE): (5, 2), str(OTHER): (5, 1)}
    assert fold.failed == []


def test_what_cannot_be_taken_is_named_by_position_and_left_out():
    fold = folded((ONE, Added(2)), (ONE, Added(POISON)), (ONE, Added(3)))
    assert [row["own"] for row in fold.rows()] == [5] and fold.failed == [(2, "ValueError")]


def test_a_type_that_nobody_knows_is_no_damage():
    fold = Fold(VIEW)
    fold.take(Catalogue((Named,)), recorded(Added(1), stream=f"account:{ONE}"))
    assert fold.rows() == [] and fold.failed == []


def test_a_removed_row_is_gone():
    fold = folded((ONE, Added(1)))
    [row] = fold.rows()
    fold._rows.remove(row)
    assert fold.rows() == []
