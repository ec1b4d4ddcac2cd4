"""Which readers have proved that they have forgotten the face of a revoked credential, and which have not?"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Column, DateTime, Integer, MetaData, Select, String, Table, Uuid, select

from libs.contracts.devices import TemplateNotRemoved, TemplateRemovalWanted, TemplateRemoved
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where

TABLE = Table(
    "face_readers", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("credential_id", Uuid, primary_key=True),
    Column("device_id", Uuid, primary_key=True),
    Column("state", String), Column("wanted_at", DateTime(timezone=True)), Column("removed_at", DateTime(timezone=True)),
    Column("attempts", Integer), Column("reason", String), Column("again_at", DateTime(timezone=True)))


def reads(event: object, row: Recorded) -> Iterable[Where]:
    if isinstance(event, TemplateRemovalWanted | TemplateRemoved | TemplateNotRemoved):
        yield {"credential_id": event.credential_id, "device_id": event.device_id}


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case TemplateRemovalWanted() if rows.get(credential_id=event.credential_id, device_id=event.device_id) is None:
            rows.put(
                credential_id=event.credential_id, device_id=event.device_id, state="waiting", wanted_at=row.recorded_at, attempts=0)
        case TemplateRemoved():
            rows.put(
                credential_id=event.credential_id, device_id=event.device_id, state="removed", removed_at=row.recorded_at, again_at=None)
        case TemplateNotRemoved(reason="reader_gone"):
            rows.put(
                credential_id=event.credential_id, device_id=event.device_id, state="reader_gone", reason=event.reason, again_at=None)
        case TemplateNotRemoved():
            known = rows.get(credential_id=event.credential_id, device_id=event.device_id) or {}
            if known.get("state") not in ("removed", "reader_gone"):
                rows.put(
                    credential_id=event.credential_id, device_id=event.device_id, state="waiting", attempts=event.attempt,
                    reason=event.reason, again_at=event.again_at)


VIEW = View(table=TABLE, project=project, reads=reads, version=2)


def of_credential(credential_id: UUID) -> Select[tuple[object, ...]]:
    c = TABLE.c
    return select(
        c.device_id, c.state, c.wanted_at, c.removed_at, c.attempts, c.reason, c.again_at).where(
        c.credential_id == credential_id).order_by(c.device_id)
