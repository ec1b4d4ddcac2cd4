"""Rows of a gateway's log, as they would have been heard."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.eventkit.recorded import Meta, Number, Recorded
from libs.eventkit.views import Rows, View

COMMUNITY, ELSEWHERE = UUID(int=0xC0), UUID(int=0xC1)
ANN, BEN = UUID(int=0xA), UUID(int=0xB)
GATE, DOOR, DEVICE = UUID(int=0xD0), UUID(int=0xD1), UUID(int=0xDE)
BUILDING, HOME, OPENING = UUID(int=0xB0), UUID(int=0xB1), UUID(int=0x0F)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def heard(
    event: Struct, position: int = 1, community_id: UUID = COMMUNITY, caused_by: Sequence[UUID] = (),
    event_id: UUID | None = None,
) -> tuple[Any, Recorded]:
    type_, said = str(event.__struct_config__.tag), NOON + timedelta(seconds=position)
    return event, Recorded(
        position=position, generation=1, community_id=community_id, stream=None, version=None,
        event_id=event_id or UUID(int=position), type=type_, schema=1, data=msgspec.json.encode(event).decode(),
        meta=Meta(caused_by=tuple(caused_by), subject="x:1", source_time=said),
        source=type_.partition(".")[0], number=Number(1, position, 0), recorded_at=said + timedelta(seconds=1))


def fold(view: View, log: Iterable[tuple[Any, Recorded]], times: int = 1) -> list[dict[str, Any]]:
    """The rows that a view has after the log, in the order of its key; a fold must survive being told twice."""
    rows = Rows(view.key)
    for _ in range(times):
        for event, row in log:
            assert all(set(where) <= set(view.columns) for where in view.reads(event, row))
            before = dict(rows.changed)
            view.project(rows, event, row)
            if rows.changed != before:
                assert list(view.reads(event, row)), "what it changes, it must have read"
    return sorted((row for row in rows.changed.values() if row is not None), key=lambda row: [row[k] for k in view.key])
