"""Passages and findings as a guard is shown them: enough to tell which car is meant, and no plate but masked."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.eventkit.service import App
from services.gateway.api.unsealing import Box, State, masked_plates
from services.gateway.retention import REPORTS
from services.gateway.views import findings, passages

PASSAGE = ("event_id", "lane_id", "at", "admitted", "rule", "reason", "live", "session_id", "outcome", "position")
FINDING = (
    "event_id", "kind", "lane_id", "session_id", "passage_id", "candidates", "raised_at", "how", "settled_at", "position")
MEANT = ("state", "entered_at", "lane_id", "lane_name", "plate_colour", "vehicle_kind", "valid_from", "valid_until")
"""What is known of a stay or right; null for what the other has."""
Row = dict[str, Any]
Plate = tuple[str | None, State]


async def shown_passages(app: App, rows: Sequence[Row]) -> list[Row]:
    plates = await masked_plates(app.keyring, [row["plate"] for row in rows])
    return [
        {"id": row["passage_id"], **{name: row[name] for name in PASSAGE}, **_seen(row, plate)}
        for row, plate in zip(rows, plates, strict=True)]


async def shown_findings(app: App, community_id: UUID, rows: Sequence[Row]) -> list[Row]:
    """`candidates`: each stay or right that may be meant, with what is known of it; `stay`: the one that it is about."""
    candidates = {UUID(i) for row in rows for i in row["candidates"] or ()}
    about = {row["session_id"] for row in rows} - {None}
    meant = await _meant(app, community_id, candidates | about)
    seen = await _passages(app, community_id, {row["passage_id"] for row in rows} - {None})
    return [
        {"id": row["finding_id"], **{name: row[name] for name in FINDING}, **_seen_of(row, seen, meant),
         "candidates": [meant.get(UUID(i)) or _unknown(UUID(i)) for i in row["candidates"] or ()],
         "stay": meant.get(row["session_id"])} for row in rows]


async def _passages(app: App, community_id: UUID, ids: set[UUID]) -> dict[UUID, Row]:
    rows = await app.database.fetch([community_id], passages.these(community_id, ids)) if ids else []
    plates = await masked_plates(app.keyring, [row["plate"] for row in rows])
    return {row["passage_id"]: _seen(row, plate) for row, plate in zip(rows, plates, strict=True)}


async def _meant(app: App, community_id: UUID, ids: set[UUID]) -> dict[UUID, Row]:
    """Of stays and rights, by id. A right has the id of the vehicle or the guest's pass behind it; what is on the lot's own
    lists is told to nobody."""
    rows: list[Row] = []
    for kind, query in (
        ("stay", findings.known_stays), ("permit", findings.known_permits), ("vehicle", findings.known_vehicles),
        ("visitor_pass", findings.known_passes),
    ):
        if ids:
            rows += [{**row, "kind": kind} for row in await app.database.fetch([community_id], query(community_id, ids))]
    plates = await masked_plates(app.keyring, [_box(row) for row in rows])
    return {row["id"]: _told(row, _honest(row, plate)) for row, plate in zip(rows, plates, strict=True)}


def _box(row: Row) -> Box:
    """As the camera read it; for who was let in by hand, as their vehicle or pass has it."""
    found: Box = row["plate"] or row.get("vehicle_plate") or row.get("guest_plate")
    return found


def _told(row: Row, plate: Plate) -> Row:
    return {"id": row["id"], "kind": row["kind"], "plate": plate[0], "plate_state": plate[1], **{f: row.get(f) for f in MEANT}}


def _unknown(id_: UUID) -> Row:
    return _told({"id": id_, "kind": None}, (None, "none"))


def _seen(row: Row, plate: Plate) -> Row:
    text, state = _honest(row, plate)
    return {"plate": text, "plate_state": state, "plate_colour": row["plate_colour"], "vehicle_kind": row["vehicle_kind"]}


def _honest(row: Row, plate: Plate) -> Plate:
    """Without the camera's report nobody knows yet whether there is a plate, and nobody will once reports of its time are deleted; a
    passage by hand will never have one."""
    if plate[1] != "none" or row.get("seen", True) or row["rule"] == passages.BY_HAND:
        return plate
    at = row.get("at") or row.get("entered_at")
    return None, "erased" if at is not None and datetime.now(UTC) - at > timedelta(days=REPORTS) else "pending"


def _seen_of(finding: Row, seen: dict[UUID, Row], meant: dict[UUID, Row]) -> Row:
    """What the camera saw that raised it, or else of the stay that it is about."""
    names = ("plate", "plate_state", "plate_colour", "vehicle_kind")
    one, other = seen.get(finding["passage_id"]), meant.get(finding["session_id"])
    for found in (one, other):
        if found is not None and found["plate_state"] != "none":
            return {name: found[name] for name in names}
    return one or {"plate": None, "plate_state": "none", "plate_colour": None, "vehicle_kind": None}
