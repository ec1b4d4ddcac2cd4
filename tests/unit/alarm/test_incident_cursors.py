"""Where the next page of incidents begins: what we gave out, and nothing that a database would stumble over."""

import pytest

from libs.eventkit.http import page
from libs.eventkit.problems import Problem
from services.alarm.api.incidents import row_after


def cursor(rank: object, order_no: object, filter_: str = "incidents all") -> str:
    return str(page([{"rank": rank, "order_no": order_no}, {}], 1, filter_, "rank", "order_no")["next"])


def test_a_page_begins_after_the_last_row_also_among_those_that_are_over():
    assert row_after(cursor(0, 41), "incidents all") == (0, 41)
    assert row_after(cursor(9, -41), "incidents all") == (9, -41)
    assert row_after(None, "incidents all") is None


@pytest.mark.parametrize("values", [("x", 1), (1, "x"), (2**63, 1), (1, 2**63), (1, -(2**63) - 1), ("1.5", 1), (10, 1), (-1, 1)], ids=str)
def test_what_is_no_place_in_the_list_is_refused(values: tuple[object, object]):
    with pytest.raises(Problem, match="cursor_malformed"):
        row_after(cursor(*values), "incidents all")


def test_another_list_has_cursors_of_its_own():
    with pytest.raises(Problem, match="cursor_of_another_filter"):
        row_after(cursor(0, 41, "incidents open"), "incidents all")
