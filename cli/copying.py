"""Rows of a view as lines for COPY: the database reads each value by its column's type, as it does when the live writer brings it."""

import re
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
from sqlalchemy import JSON

from cli.folded import Folded
from libs.eventkit.views import Row, View

TOGETHER = 1000
_SPECIAL = re.compile(r"[\\\t\n\r]")
_WRITTEN = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


async def lines(view: View, communities: Iterable[Folded]) -> AsyncIterator[bytes]:
    columns = [(c.name, isinstance(c.type, JSON)) for c in view.table.columns]
    for one in communities:
        for begin in range(0, len(one.rows), TOGETHER):
            some, whose = one.rows[begin:begin + TOGETHER], {"community_id": str(one.community_id)}
            yield "".join([_line({**row, **whose}, columns) for row in some]).encode()


def _line(row: Row, columns: list[tuple[str, bool]]) -> str:
    return "\t".join([_value(row.get(name), is_json) for name, is_json in columns]) + "\n"


def _value(value: Any, is_json: bool) -> str:
    if value is None:
        return r"\N"
    text = value if type(value) is str and not is_json else msgspec.json.encode(value).decode()
    return _SPECIAL.sub(lambda found: _WRITTEN[found[0]], text) if _SPECIAL.search(text) else text
