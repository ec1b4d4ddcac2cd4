"""Who may see an event of the gateway's log, and what of it. Pure; what is not listed here is not shown."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.contracts.access import DoorInstalled, RightGranted, RightRevoked
from libs.contracts.fields import SealedField
from libs.contracts.identity import ResidenceEnded, ResidenceStarted
from libs.contracts.neighbors import CircleJoined, CircleLeft
from libs.contracts.permissions import LIVE_READ
from libs.eventkit.auth import Principal
from libs.eventkit.envelope import rfc3339
from libs.eventkit.recorded import Recorded
from services.gateway.reach import Viewer, at_home, by_pin, concerns, dropped, reaches, then, without

SHOWN = ("access.", "devices.", "parking.", "alarm.", "neighbors.")
"""What staff and guards see of their community as it happens."""


def viewer(principal: Principal, community_id: UUID, doors: Iterable[UUID] = ()) -> Viewer:
    return Viewer(community_id, principal.id, LIVE_READ in principal.permissions, frozenset(doors))


def may_see(viewer: Viewer, event: Any, row: Recorded) -> bool:
    """Staff: the community's doors, devices and alarms. Residents: what happened to them, what at their doors to nobody, and the
    alarms, notices and broadcasts that reach them."""
    if row.community_id != viewer.community_id or not row.type.startswith(SHOWN):
        return False
    if viewer.sees_all:
        return True
    if concerns(event):
        return reaches(then(viewer, row), event)
    if not row.type.startswith("access."):
        return False
    person_id = getattr(event, "person_id", None) or getattr(event, "host_id", None)
    if person_id is not None:
        return bool(person_id == viewer.person_id)
    return getattr(event, "door_id", None) in viewer.doors


def moves(viewer: Viewer, event: Any) -> bool:
    """Whether an event changes which doors, home or circles are this viewer's, where that decides what they see."""
    if viewer.sees_all:
        return False
    match event:
        case RightGranted() | RightRevoked():
            return bool(event.person_id == viewer.person_id)
        case ResidenceStarted() | ResidenceEnded() | CircleJoined() | CircleLeft():
            return bool(event.resident_id == viewer.person_id)
        case _:
            return isinstance(event, DoorInstalled)


def persons_of(event: Any) -> set[UUID]:
    """Whom an event is about."""
    named = (getattr(event, name, None) for name in ("person_id", "resident_id", "host_id", "keeper_id", "raised_by", "holder_id"))
    return {person for person in named if person is not None}


def shown_to(viewer: Viewer, event: Any) -> bool | None:
    """In which of three ways an event is shown: None whole, else as a resident has it, true where it happened at their home."""
    if by_pin(event) and not viewer.sees_all:
        return False
    return None if viewer.sees_all or not concerns(event) else at_home(viewer, event)


def cloud_event(event: Any, row: Recorded, at_home: bool | None = None) -> dict[str, Any]:
    """The event as it was heard, in structured mode (CloudEvents 1.0, JSON format), without what is sealed. `at_home`: `shown_to`."""
    meta = row.meta
    found = {
        "specversion": "1.0",
        "id": str(row.event_id),
        "source": f"/lifang/{row.source}",
        "type": row.type,
        "subject": meta.subject,
        "time": rfc3339(meta.source_time or row.recorded_at),
        "datacontenttype": "application/json",
        "partitionkey": str(row.community_id),
        "lifangposition": str(row.number or ""),
        "lifangschema": str(row.schema),
        "lifangcausedby": "" if by_pin(event) and at_home is not None else " ".join(map(str, meta.caused_by)),
        "lifangcorrelation": meta.correlation,
        "lifangrequestedat": rfc3339(meta.requested_at) if meta.requested_at else "",
        "lifangoccurredat": rfc3339(meta.occurred_at) if meta.occurred_at else "",
        "traceparent": meta.traceparent,
    }
    return {**{k: v for k, v in found.items() if v}, "data": unsealed(event) if at_home is None else _partly(event, at_home)}


def _partly(event: Any, home: bool) -> dict[str, Any]:
    hidden = dropped(event)
    return {name: value for name, value in unsealed(without(event, home)).items() if name not in hidden}


def unsealed(event: Struct) -> dict[str, Any]:
    """The body as JSON has it, its sealed fields dropped."""
    names = zip(event.__struct_fields__, event.__struct_encode_fields__, strict=True)
    sealed = {coded for name, coded in names if isinstance(getattr(event, name), SealedField)}
    body: dict[str, Any] = msgspec.to_builtins(event)
    return {k: v for k, v in body.items() if k not in sealed}
