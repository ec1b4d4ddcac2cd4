"""Query parameters of lists, newest first by position."""

from typing import Annotated

from fastapi import Query

from libs.eventkit import http
from libs.eventkit.problems import Problem

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = str | None


def before(cursor: str | None, filter_: str) -> int | None:
    """The position before which the page begins. Raises Problem 400."""
    values = http.cursor(cursor, filter_)
    if values is None:
        return None
    if not values[0].isascii() or not values[0].isdigit() or len(values[0]) > 18:
        raise Problem(400, "cursor_malformed")
    return int(values[0])
