"""From a device's bytes to commands: personal data is sealed here, before anything is stored."""

import asyncio
import base64
import hashlib
from datetime import UTC, date, timedelta
from typing import cast
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from libs.eventkit.commands import Context, Done
from libs.eventkit.db import Unavailable
from libs.eventkit.decider import Refused
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.privacy import CACHED_SECONDS, BlindIndex, KeyHandle, seal
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.devices.adapters.device_clock import in_zone
from services.devices.adapters.report import CHANGING, Report
from services.devices.device_book import DayKey, DeviceBook, KnownDevice
from services.devices.domain.heard import Heard
from services.devices.domain.liveness import offset
from services.devices.domain.reports import REPORTS, BeginDay, Closed, CloseDay, Day, KeepUnreadable, TakeReports
from services.devices.domain.signals import Signal
from services.devices.domain.told import Told, Vehicle

RAW, CREDENTIAL, PLATE = "device-raw", "credential", "plate"
UNREADABLE_KEPT = 65_536
_TYPE_KEPT = 200
_TRIES = 3
SPAN = 600
"""Seconds. The same bytes without a time of their own, or with one that is days off, are one event for so long, and at most twice
as long."""
ONE_DAY = timedelta(days=1)


def day_id(device_id: UUID, day: date) -> UUID:
    """The stream of a device's day."""
    return uuid5(device_id, day.isoformat())


def fingerprint(report: Report, device: KnownDevice, blind: BlindIndex, span: str = "") -> str:
    """16 hex digits, the same for one event told again, by push, by search or as history; empty where nothing tells
    two such events apart. `span`: the part of the day, where the device's own marks come again after a while.

    Of personal data it holds eight keyed bits: enough to notice that a serial number came again for somebody else,
    too few to tell who it was, even for those who hold the key.
    """
    if report.mark:
        said: list[object] = [report.code, report.mark, span]
        return _fingerprint(device, blind, said, report.text or "")
    clock = report.device_time_raw
    if report.device_time is not None and report.device_time.tzinfo is not None:
        clock = report.device_time.astimezone(UTC).isoformat()
    if report.serial is None and not clock:
        return ""
    said = [report.code, report.serial, clock, report.door_no, report.reader_no]
    if report.serial is None:
        said += [report.state, report.channel, sorted(item for item in report.detail.items() if item[0] not in CHANGING)]
    personal = "\n".join((report.card_number or "", report.employee_number or "", report.person_name or ""))
    personal += f"\n{report.plate}" if report.plate else ""
    personal += f"\n{report.text}" if report.text else ""
    return _fingerprint(device, blind, said, personal)


def _fingerprint(device: KnownDevice, blind: BlindIndex, said: list[object], personal: str) -> str:
    plain = msgspec.json.encode(said)
    keyed = blind.of(device.community_id, f"report {device.device_id} {plain.decode()}", personal)
    return hashlib.sha256(plain).digest()[:7].hex() + base64.urlsafe_b64decode(keyed)[:1].hex()


class Intake(Struct):
    """One body on its way into the log. Keys are those of its device and day, made when first needed."""

    app: App
    book: DeviceBook
    device: KnownDevice
    context: Context
    keys: dict[str, KeyHandle] = {}
    told: tuple[Told, ...] = ()
    clock: float | None = None
    """What is known of the device's clock beside its reports, in seconds ahead of ours."""

    async def take(self, body: bytes, content_type: str, reports: list[Report]) -> Done:
        """Stores what is new in the body; nothing where all of it was told before."""
        body_id, raw = uuid7(), await self._key(RAW)
        self.told = tuple([await self._told(report) for report in reports])
        return await self._handle(TakeReports(
            device_id=self.device.device_id, body_id=body_id, body=seal(raw.dek, raw.key_id, body_id, "body", body),
            content_type=content_type[:_TYPE_KEPT], size=len(body), now=self.context.now,
            reports=self.told))

    async def keep_unreadable(self, body: bytes, content_type: str, code: str) -> Done:
        """Keeps the beginning of a body that could not be read."""
        body_id, raw = uuid7(), await self._key(RAW)
        return await self._handle(KeepUnreadable(
            device_id=self.device.device_id, body_id=body_id, content_type=content_type[:_TYPE_KEPT], size=len(body),
            code=code, body=seal(raw.dek, raw.key_id, body_id, "body", body[:UNREADABLE_KEPT])))

    async def last_serial(self) -> int | None:
        """The highest number among the device's live reports since it last began to count; None where there is none yet."""
        await self.book.memory.catch_up()
        last = self.book.last_day.get(self.device.device_id)
        day = await self._state(day_id(self.device.device_id, last)) if last is not None else None
        heard = day.heard if isinstance(day, Closed) else day
        return heard.checked if isinstance(heard, Heard) else None

    async def _key(self, purpose: str) -> KeyHandle:
        if purpose not in self.keys:
            subject = f"device:{self.device.device_id}:{self.context.now.date().isoformat()}"
            known, now = self.book.keys.get((self.device.device_id, purpose)), asyncio.get_running_loop().time()
            if known is None or known.subject != subject or now - known.at > CACHED_SECONDS:
                handle = await self.app.keyring.key_for(self.device.community_id, subject, purpose)
                known = DayKey(subject, now, handle)
                if not handle.is_new:
                    self.book.keys[self.device.device_id, purpose] = known
            self.keys[purpose] = known.handle
        return self.keys[purpose]

    async def _told(self, report: Report) -> Told:
        report_id, sealed = uuid7(), {}
        for slot in ("card_number", "employee_number"):
            if value := getattr(report, slot):
                key = await self._key(CREDENTIAL)
                sealed[slot] = seal(key.dek, key.key_id, report_id, slot, value)
        vehicle = None
        if report.kind == "plate_read":
            key = await self._key(PLATE)
            plate = seal(key.dek, key.key_id, report_id, "plate", report.plate) if report.plate else None
            vehicle = Vehicle(
                lane_no=report.lane_no or 1, plate=plate, plate_colour=report.plate_colour or "",
                vehicle_kind=report.vehicle_kind or "", confidence=report.confidence, direction=report.direction)
        signal = Signal(*astuple(report.signal)) if report.signal else None
        now, before = self._spans(report)
        placed = in_zone(report.device_time, self.book.zones.get(self.device.community_id, ""))
        return Told(
            vehicle=vehicle, signal=signal, clock=self.clock,
            report_id=report_id, kind=report.kind, code=report.code, history=report.history,
            fingerprint=fingerprint(report, self.device, self.app.blind, now),
            fingerprint_before=fingerprint(report, self.device, self.app.blind, before) if before else "",
            state=report.state, serial=report.serial, door_no=report.door_no, reader_no=report.reader_no, channel=report.channel,
            awaits_decision=report.awaits_decision, verify_mode=report.verify_mode, device_time=report.device_time,
            device_time_raw=report.device_time_raw[:64], community_time=placed, pictures=report.pictures, detail=report.detail,
            findings=report.findings, **sealed)

    def _spans(self, report: Report) -> tuple[str, str]:
        """These ten minutes and the ten before, where a report has marks but no time, or one that is days off: after a restart a panel
        begins its numbers anew, and some their clock too, and then the same bytes are another alarm."""
        skew = offset(report.device_time, self.context.now)
        if not report.mark or (skew is not None and abs(skew) <= ONE_DAY.total_seconds()):
            return "", ""
        number = int(self.context.now.timestamp()) // SPAN
        return str(number), str(number - 1)

    async def _handle(self, command: TakeReports | KeepUnreadable) -> Done:
        new = [key.key_id for key in self.keys.values() if key.is_new]
        for _ in range(_TRIES):
            try:
                done = await self.app.commands.handle(
                    await self.today(), command, self.context, first=[KeyCreated(key_id) for key_id in new])
            except Refused:  # another process has gone on to the next day
                self.book.begun.pop(self.device.device_id, None)
                await self.book.memory.catch_up()
                continue
            if done.outcome.events:
                for key_id in new:
                    await self.app.keyring.announced(key_id)
            return done
        raise Unavailable("the day kept changing")

    async def today(self) -> UUID:
        """The stream of the device's present day, begun where it was not; never one before its latest."""
        device_id, commands = self.device.device_id, self.app.commands
        here = day_id(device_id, self._day())
        if self.book.begun.get(device_id) == here:
            return here
        if isinstance(await self._state(here), Heard):
            self.book.begun[device_id] = here
            return here
        await self.book.memory.catch_up()
        day, last, carried = self._day(), self.book.last_day.get(device_id), Heard()
        if last is not None:
            before = day_id(device_id, last)
            state = await self._state(before)
            if isinstance(state, Heard):
                if last == day:
                    return before
                await commands.handle(before, CloseDay(device_id, last, day), self.context)
                state = await self._state(before)
            if isinstance(state, Closed):
                day, carried = state.next or max(day, last + ONE_DAY), state.heard
        here = day_id(device_id, day)
        await commands.handle(here, BeginDay(device_id, day, carried), self.context)
        return here

    def _day(self) -> date:
        return max(self.context.now.date(), self.book.last_day.get(self.device.device_id, date.min))

    async def _state(self, day: UUID) -> Day:
        state, _ = await self.app.commands.state(REPORTS, day, self.device.community_id)
        return cast(Day, state)
