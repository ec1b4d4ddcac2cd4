"""What alarm does when others speak: what panels signal, what cameras and inputs detect, lines that fall silent, and duress at a door
become incidents.

Nothing of this waits: where memory cannot be asked how things stand, the incident is raised with what it knew last.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from libs.contracts import access, devices
from libs.eventkit.db import Unavailable
from libs.eventkit.problems import Problem
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.alarm.book import AlarmBook, Spot
from services.alarm.domain.detections import detected, is_told_in_time
from services.alarm.domain.incident_history import About, Source
from services.alarm.domain.incidents import INCIDENTS, RaiseIncident, RestoreSource, takes_restoral
from services.alarm.domain.kinds import IncidentKind
from services.alarm.domain.sensors import ALARM_OF
from services.alarm.domain.signals import Alarm, alarm_of, meaning_of, source_of_duress, source_of_line, source_of_zone

Standing = Callable[[UUID, UUID], Awaitable[Source]]
"""How a source of a community stands."""


async def ready(book: AlarmBook, position: int) -> None:
    """Raises Unavailable where nothing is known at all: then it is waited for, and no alarm is put aside for somebody to look at."""
    try:
        await book.memory.fresh(position)
    except Problem as not_ready:
        if not book.memory.warm:
            raise Unavailable("the panels") from not_ready


def raising(
    book: AlarmBook, community_id: UUID, source_id: UUID, report_id: UUID, alarm: Alarm, spot: Spot, code: str, live: bool,
    now: datetime, device_id: UUID | None = None, raised_by: UUID | None = None, device_time: datetime | None = None,
) -> RaiseIncident:
    about = About(
        incident_id=report_id, source_id=source_id, kind=alarm.kind, severity=alarm.severity, silent=alarm.silent, place=spot.place,
        sensor_id=spot.sensor_id, device_id=device_id)
    return RaiseIncident(
        about, report_id, code, live, book.ladder(community_id, alarm.severity), now, raised_by, device_time)


def panel_signals(book: AlarmBook, standing: Standing) -> Reaction:
    """Each zone's signals in their order; those of different zones at once, so that a storm of one panel does not queue. Nothing is
    read before a raise is stored (`new`): most zones have never raised anything, and of the others the log finds out. What a code
    restores is named with the alarm first and what is less behind it."""

    async def panel_signalled(event: devices.PanelSignalled, row: Recorded) -> list[Do]:
        meaning = meaning_of(event.protocol, event.code)
        if meaning.raises is None and not meaning.restores:
            return []
        await ready(book, row.position)
        zone = None if event.user else event.zone
        spot = book.zone(row.community_id, event.device_id, event.partition, zone)
        done = []
        if meaning.raises is not None:
            alarm = typed(meaning.raises, spot)
            source = source_of(event, alarm.kind, alarm.condition)
            command = raising(
                book, row.community_id, source, event.report_id, alarm, spot, f"{event.protocol}:{event.code}", event.live,
                row.recorded_at, event.device_id, device_time=event.device_time)
            done.append(Do("raise", source, command, spot.because, new=True))
        wells = [(source_of(event, *pair), pair) for pair in restored(meaning.restores, spot)]
        lesser = [await standing(source, row.community_id) for source, _ in wells[1:]]
        meant = wells[1:] if any(takes_restoral(event.report_id, state) for state in lesser) else wells
        for source, (kind, condition) in meant:
            well = RestoreSource(source, event.report_id, kept=source == wells[0][0], device_time=event.device_time)
            done.append(Do(f"restore {kind} {condition}", source, well))
        return done

    return Reaction("alarms_of_panels", {devices.PanelSignalled: panel_signalled}, key=zone_of, apart=True)


def typed(alarm: Alarm, spot: Spot) -> Alarm:
    """An alarm of no kind is of the kind that its sensor tells."""
    kind = ALARM_OF.get(spot.sensor_kind) if alarm.untyped and not alarm.condition and spot.sensor_kind is not None else None
    return alarm if kind is None else alarm_of(kind)


def restored(pairs: Sequence[tuple[IncidentKind, str]], spot: Spot) -> list[tuple[IncidentKind, str]]:
    """The same for what is well again."""
    kind = ALARM_OF.get(spot.sensor_kind, "other") if spot.sensor_kind is not None else "other"
    return [(kind, "") if pair == ("other", "") else pair for pair in pairs]


def source_of(event: devices.PanelSignalled, kind: IncidentKind, condition: str) -> UUID:
    return source_of_zone(event.device_id, event.partition, event.zone, event.user, kind, condition)


def zone_of(event: Any, row: Recorded) -> str:
    return f"zone:{event.device_id}/{event.partition}/{event.zone}"


def detections(book: AlarmBook) -> Reaction:
    """Cameras and inputs of devices. Each device's in their order, those of different devices at once."""

    async def told(event: devices.DetectionReported, row: Recorded) -> list[Do]:
        if not is_told_in_time(event.live, event.device_time, row.recorded_at):
            return []
        await ready(book, row.position)
        spot = book.detector(row.community_id, event.device_id, event.channel, event.code)
        alarm = detected(event.kind, spot.sensor_kind)
        if alarm is None:
            return []
        source = source_of_zone(event.device_id, None, event.channel, False, alarm.kind, spot.code)
        if event.state == "inactive":
            return [Do("restore", source, RestoreSource(source, event.report_id, kept=False, device_time=event.device_time))]
        command = raising(
            book, row.community_id, source, event.report_id, alarm, spot, f"{event.kind}:{event.code}", event.live, row.recorded_at,
            event.device_id, device_time=event.device_time)
        return [Do("raise", source, replace(command, lasting=event.state == "active"), spot.because, new=True)]

    return Reaction(
        "alarms_of_detections", {devices.DetectionReported: told}, key=lambda event, row: f"device:{event.device_id}", apart=True)


def lines(book: AlarmBook) -> Reaction:
    async def line_silent(event: devices.LineSilent, row: Recorded) -> list[Do]:
        await ready(book, row.position)
        source, spot = source_of_line(event.device_id), book.device(row.community_id, event.device_id)
        command = raising(
            book, row.community_id, source, row.event_id, alarm_of("line"), spot, "line", True, row.recorded_at, event.device_id)
        return [Do("raise", source, command, spot.because)]

    async def line_back(event: devices.LineBack, row: Recorded) -> list[Do]:
        source = source_of_line(event.device_id)
        return [Do("restore", source, RestoreSource(source, row.event_id))]

    return Reaction(
        "alarms_of_lines", {devices.LineSilent: line_silent, devices.LineBack: line_back}, key=lambda event, row: f"line:{event.device_id}",
        apart=True)


def duress(book: AlarmBook) -> Reaction:
    async def duress_signalled(event: access.DuressSignalled, row: Recorded) -> list[Do]:
        await ready(book, row.position)
        source, spot = source_of_duress(event.door_id), book.door(row.community_id, event.door_id)
        command = raising(
            book, row.community_id, source, event.report_id, alarm_of("duress"), spot, "duress", event.live, row.recorded_at,
            raised_by=event.holder_id)
        return [Do("raise", source, command, spot.because)]

    return Reaction(
        "alarms_of_doors", {access.DuressSignalled: duress_signalled}, key=lambda event, row: f"door:{event.door_id}", apart=True)


def reactions(app: App, book: AlarmBook) -> tuple[Reaction, ...]:
    async def standing(source_id: UUID, community_id: UUID) -> Source:
        state: Source = (await app.commands.state(INCIDENTS, source_id, community_id))[0]
        return state

    return panel_signals(book, standing), detections(book), lines(book), duress(book)
