"""Which alarm panels are there, and what did each say last, whatever came of it?"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, MetaData, Select, String, Table, Uuid, select

from libs.contracts.devices import PanelSignalled
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.alarm.domain.panels import PanelInstalled
from services.alarm.domain.signals import meaning_of

PANELS = Table(
    "panels", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("panel_id", Uuid, primary_key=True),
    Column("device_id", Uuid), Column("name", String), Column("version", Integer))

SIGNALS = Table(
    "panel_signals", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("report_id", Uuid, primary_key=True),
    Column("device_id", Uuid), Column("protocol", String), Column("code", String), Column("english", String), Column("chinese", String),
    Column("effect", String), Column("partition", BigInteger), Column("zone", BigInteger), Column("by_user", Boolean),
    Column("live", Boolean),
    Column("device_time", DateTime(timezone=True)), Column("at", DateTime(timezone=True)), Column("position", BigInteger),
    Index("panel_signals_by_device", "community_id", "device_id", "position"))


def panels_read(event: Any, row: Recorded) -> Iterable[Where]:
    return [{"panel_id": event.panel_id}] if isinstance(event, PanelInstalled) else []


def project_panels(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, PanelInstalled):
        rows.put(panel_id=event.panel_id, device_id=event.device_id, name=event.name, version=row.version)


def signals_read(event: Any, row: Recorded) -> Iterable[Where]:
    return [{"report_id": event.report_id}] if isinstance(event, PanelSignalled) else []


def project_signals(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, PanelSignalled) and rows.get(report_id=event.report_id) is None:
        meaning = meaning_of(event.protocol, event.code)
        effect = "raises" if meaning.raises is not None else "restores" if meaning.restores else "history"
        rows.put(
            report_id=event.report_id, device_id=event.device_id, protocol=event.protocol, code=event.code, english=meaning.english,
            chinese=meaning.chinese, effect=effect, partition=_fits(event.partition), zone=_fits(event.zone), by_user=event.user,
            live=event.live, device_time=event.device_time, at=row.recorded_at, position=row.position)


def _fits(number: int | None) -> int | None:
    """None for one that no panel has: a number that the column cannot hold would stop the whole table."""
    return number if number is not None and number < 2**63 else None


PANELS_VIEW = View(table=PANELS, project=project_panels, reads=panels_read)
SIGNALS_VIEW = View(table=SIGNALS, project=project_signals, reads=signals_read)


def page_of(after: UUID | None, limit: int) -> Select[Any]:
    query = select(PANELS).order_by(PANELS.c.panel_id).limit(limit)
    return query.where(PANELS.c.panel_id > after) if after else query


def signals_of(device_id: UUID, before: int | None, limit: int) -> Select[Any]:
    """The newest first."""
    c = SIGNALS.c
    query = select(SIGNALS).where(c.device_id == device_id).order_by(c.position.desc()).limit(limit)
    return query.where(c.position < before) if before is not None else query
