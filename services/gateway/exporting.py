"""Everything that is kept about one person, as one JSON document: written while it is read, a page of rows at a time.

What the gateway has comes from its own views; what leaves its owner never (a phone, an ID number) comes from the owner, whom the person's
own request asks (`docs/decisions/0019-an-export-asks-the-owners.md`), before the first byte is written.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import Select

from libs.eventkit.service import App

SCHEMA = "lifang.export.v1"
PAGE, MOST = 200, 20_000
"""Rows that are read at once, and of one kind at most."""
Row = dict[str, Any]


class Section(Struct, frozen=True):
    """`query`: from before a position on, newest first, one row more than the limit; without a position in its rows it is read at once.
    `shown`: what of a row is the person's."""

    name: str
    query: Callable[[int | None, int], Select[Any]]
    shown: Callable[[Row], Awaitable[Row]]


async def rows_of(app: App, community_id: UUID, section: Section) -> AsyncIterator[Row]:
    """At most MOST and one."""
    before, count = None, 0
    while count <= MOST:
        page = await app.database.fetch([community_id], section.query(before, PAGE))
        for row in page[:PAGE] if "position" in (page[0] if page else ()) else page:
            count += 1
            yield await section.shown(row)
        if len(page) <= PAGE or "position" not in page[0]:
            return
        before = page[PAGE - 1]["position"]


async def document(
    app: App, person_id: UUID, community_id: UUID, now: datetime, owners: Mapping[str, bytes], sections: list[Section],
) -> AsyncIterator[bytes]:
    """`owners`: what each has answered, as JSON. `complete` stands last: a file that was cut off is none."""
    head = {"schema": SCHEMA, "generated_at": now, "person_id": person_id, "community_id": community_id}
    yield msgspec.json.encode(head)[:-1] + b',"sections":{'
    yield b",".join(msgspec.json.encode(name) + b":" + body for name, body in owners.items())
    truncated = []
    for section in sections:
        yield b"," + msgspec.json.encode(section.name) + b":["
        count = 0
        async for row in rows_of(app, community_id, section):
            count += 1
            if count > MOST:
                truncated.append(section.name)
                break
            yield (b"," if count > 1 else b"") + msgspec.json.encode(row)
        yield b"]"
    yield b'},"truncated":' + msgspec.json.encode(truncated) + b',"complete":true}'
