"""From a device's bytes to commands: personal data is sealed here, before anything is stored."""

import base64
import hashlib
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from libs.eventkit.commands import Context, Done
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.privacy import BlindIndex, KeyHandle, seal
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.devices.adapters.report import Report
from services.devices.device_book import KnownDevice
from services.devices.domain.reports import KeepUnreadable, TakeReports, Told

RAW, CREDENTIAL = "device-raw", "credential"
UNREADABLE_KEPT = 65_536
_TYPE_KEPT = 200


def fingerprint(report: Report, device: KnownDevice, blind: BlindIndex) -> str:
    """16 hex digits, the same for one event told again, by push, by search or as history; empty where nothing tells
    two such events apart.

    Of personal data it holds eight keyed bits: enough to notice that a serial number came again for somebody else,
    too few to tell who it was, even for those who hold the key.
    """
    clock = report.device_time_raw
    if report.device_time is not None and report.device_time.tzinfo is not None:
        clock = report.device_time.astimezone(UTC).isoformat()
    if report.serial is None and not clock:
        return ""
    said: list[object] = [report.code, report.serial, clock, report.door_no, report.reader_no]
    if report.serial is None:
        said += [report.state, report.channel, sorted(report.detail.items())]
    plain = msgspec.json.encode(said)
    personal = "\n".join((report.card_number or "", report.employee_number or "", report.person_name or ""))
    keyed = blind.of(device.community_id, f"report {device.device_id} {plain.decode()}", personal)
    return hashlib.sha256(plain).digest()[:7].hex() + base64.urlsafe_b64decode(keyed)[:1].hex()


class _Day(Struct):
    """The keys of one device and day, made when first needed."""

    app: App
    device: KnownDevice
    now: datetime
    keys: dict[str, KeyHandle] = {}

    async def key(self, purpose: str) -> KeyHandle:
        if purpose not in self.keys:
            subject = f"device:{self.device.device_id}:{self.now.date().isoformat()}"
            self.keys[purpose] = await self.app.keyring.key_for(self.device.community_id, subject, purpose)
        return self.keys[purpose]

    async def handle(self, command: TakeReports | KeepUnreadable, context: Context) -> Done:
        new = [key.key_id for key in self.keys.values() if key.is_new]
        done = await self.app.commands.handle(
            self.device.device_id, command, context, first=[KeyCreated(key_id) for key_id in new])
        if done.outcome.events:
            for key_id in new:
                await self.app.keyring.announced(key_id)
        return done


async def take(
    app: App, device: KnownDevice, body: bytes, content_type: str, reports: list[Report], context: Context,
) -> Done:
    """Stores what is new in the body; nothing where all of it was told before."""
    day, body_id = _Day(app, device, context.now), uuid7()
    raw = await day.key(RAW)
    told = tuple([await _told(report, day) for report in reports])
    command = TakeReports(
        device_id=device.device_id, body_id=body_id, body=seal(raw.dek, raw.key_id, body_id, "body", body),
        content_type=content_type[:_TYPE_KEPT], size=len(body), reports=told, now=context.now)
    return await day.handle(command, context)


async def _told(report: Report, day: _Day) -> Told:
    report_id = uuid7()
    sealed = {}
    for slot in ("card_number", "employee_number"):
        if value := getattr(report, slot):
            key = await day.key(CREDENTIAL)
            sealed[slot] = seal(key.dek, key.key_id, report_id, slot, value)
    return Told(
        report_id=report_id, kind=report.kind, code=report.code, history=report.history,
        fingerprint=fingerprint(report, day.device, day.app.blind), state=report.state, serial=report.serial,
        door_no=report.door_no, reader_no=report.reader_no, channel=report.channel,
        awaits_decision=report.awaits_decision, verify_mode=report.verify_mode, device_time=report.device_time,
        device_time_raw=report.device_time_raw[:64], pictures=report.pictures, detail=report.detail,
        findings=report.findings, **sealed)


async def keep_unreadable(
    app: App, device: KnownDevice, body: bytes, content_type: str, code: str, context: Context,
) -> Done:
    """Keeps the beginning of a body that could not be read."""
    day, body_id = _Day(app, device, context.now), uuid7()
    raw = await day.key(RAW)
    command = KeepUnreadable(
        device_id=device.device_id, body_id=body_id, content_type=content_type[:_TYPE_KEPT], size=len(body), code=code,
        body=seal(raw.dek, raw.key_id, body_id, "body", body[:UNREADABLE_KEPT]))
    return await day.handle(command, context)
