"""Which alarm panels are there, and what did each say last, whatever came of it?"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, MetaData, Select, String, Table, Uuid, select

from libs.contracts.devices import DetectionReported, PanelSignalled
from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.alarm.domain.detections import BY_ITSELF, NAMES
from services.alarm.domain.panels import PanelInstalled
from services.alarm.domain.signals import UNKNOWN, meaning_of

PANELS = Table(
    "panels", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("panel_id", Uuid, primary_key=True),
    Column("device_id", Uuid), Column("name", String), Column("version", Integer))

SIGNALS = Table(
    "panel_signals", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("report_id", Uuid, primary_key=True),
    Column("said_for", Uuid), Column("speaks_for", Uuid), Column("device_id", Uuid),
    Column("protocol", String), Column("code", String), Column("english", String), Column("chinese", String),
    Column("effect", String), Column("partition", BigInteger), Column("zone", BigInteger), Column("by_user", Boolean),
    Column("live", Boolean),
    Column("device_time", DateTime(timezone=True)), Column("at", DateTime(timezone=True)), Column("position", BigInteger),
    Index("panel_signals_of_panel", "community_id", "said_for", "position"),
    Index("panel_signals_speaking", "community_id", "speaks_for"))
"""`said_for`: the panel for which the device spoke when it was heard; the device itself until it speaks for one. A row whose id is a
device's is no signal: it says for which panel that device speaks now (`speaks_for`).
What a device detects that speaks for no panel is not kept."""
NOTHING = {c.name: None for c in SIGNALS.columns if c.name != "community_id"}


def panels_read(event: Any, row: Recorded) -> Iterable[Where]:
    return [{"panel_id": event.panel_id}] if isinstance(event, PanelInstalled) else []


def project_panels(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, PanelInstalled):
        rows.put(panel_id=event.panel_id, device_id=event.device_id, name=event.name, version=row.version)


def signals_read(event: Any, row: Recorded) -> Iterable[Where]:
    match event:
        case PanelSignalled() | DetectionReported():
            return [{"report_id": event.report_id}, {"report_id": event.device_id}]
        case PanelInstalled():
            return [{"report_id": event.device_id}, {"speaks_for": event.panel_id}, {"said_for": event.device_id}]
        case _:
            return []


def project_signals(rows: Rows, event: Any, row: Recorded) -> None:
    if isinstance(event, PanelInstalled):
        for before in rows.where(speaks_for=event.panel_id):
            rows.put(report_id=before["report_id"], speaks_for=None)
        rows.put(**{**NOTHING, "report_id": event.device_id, "speaks_for": event.panel_id})
        for signal in rows.where(said_for=event.device_id):
            rows.put(report_id=signal["report_id"], said_for=event.panel_id)
    elif isinstance(event, PanelSignalled) and rows.get(report_id=event.report_id) is None:
        speaking = rows.get(report_id=event.device_id)
        meaning = meaning_of(event.protocol, event.code)
        effect = "raises" if meaning.raises is not None else "restores" if meaning.restores else "history"
        rows.put(
            report_id=event.report_id, said_for=(speaking and speaking["speaks_for"]) or event.device_id, speaks_for=None,
            device_id=event.device_id, protocol=event.protocol, code=event.code, english=meaning.english,
            chinese=meaning.chinese, effect=effect, partition=_fits(event.partition), zone=_fits(event.zone), by_user=event.user,
            live=event.live, device_time=event.device_time, at=row.recorded_at, position=row.position)
    elif isinstance(event, DetectionReported) and rows.get(report_id=event.report_id) is None:
        if (speaking := rows.get(report_id=event.device_id)) is None or speaking["speaks_for"] is None:
            return
        english, chinese = NAMES.get(event.kind, UNKNOWN)
        effect = "restores" if event.state == "inactive" else "raises" if event.kind in BY_ITSELF else "detects"
        rows.put(
            report_id=event.report_id, said_for=speaking["speaks_for"], speaks_for=None, device_id=event.device_id, protocol="event",
            code=event.code, english=english, chinese=chinese, effect=effect, partition=None, zone=_fits(event.channel), by_user=False,
            live=event.live, device_time=event.device_time, at=row.recorded_at, position=row.position)


def _fits(number: int | None) -> int | None:
    """None for one that no panel has: a number that the column cannot hold would stop the whole table."""
    return number if number is not None and number < 2**63 else None


PANELS_VIEW = View(table=PANELS, project=project_panels, reads=panels_read)
SIGNALS_VIEW = View(table=SIGNALS, project=project_signals, reads=signals_read, version=3)


def page_of(after: UUID | None, limit: int) -> Select[Any]:
    query = select(PANELS).order_by(PANELS.c.panel_id).limit(limit)
    return query.where(PANELS.c.panel_id > after) if after else query


def signals_of(panel_id: UUID, before: int | None, limit: int) -> Select[Any]:
    """The newest first."""
    c = SIGNALS.c
    query = select(SIGNALS).where(c.said_for == panel_id).order_by(c.position.desc()).limit(limit)
    return query.where(c.position < before) if before is not None else query
