"""What an adapter hands over: what a device said, in one shape for every vendor. Never what it means."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a pushed body, pictures included. Of what is longer the beginning is kept, and nothing is read."""

Kind = Literal[
    "access_denied",
    "bluetooth_verified",
    "camera_alarm",
    "card_read",
    "credential_verified",
    "device_trouble",
    "door_closed",
    "door_forced",
    "door_left_open",
    "door_mode_changed",
    "door_opened",
    "doorbell",
    "duress",
    "exit_button",
    "face_verified",
    "fingerprint_verified",
    "fire_input",
    "heartbeat",
    "io_alarm",
    "link_test",
    "lock_closed",
    "lock_opened",
    "operation",
    "panel_signal",
    "panic",
    "pin_entered",
    "pir",
    "plate_read",
    "qr_verified",
    "remote_closed",
    "remote_opened",
    "tamper",
    "unknown",
]
State = Literal["active", "inactive"]
Primitive = str | int | float | bool

PERSONAL = ("card_number", "employee_number", "person_name", "plate", "text")
"""The only fields of a report that say something about a person: seal these before anything is stored."""

CHANGING = frozenset({"activePostCount", "currentEvent", "hasRecord", "isDataRetransmission", "isoffline"})
"""What differs in `detail` when the same event is told again, as history or with its pictures: it would make two events of one."""


class Signal(Struct, frozen=True):
    """What an alarm panel said. `user`: `zone` is the number of a user. None: not said."""

    protocol: Literal["contact_id", "sia", "other"]
    partition: int | None = None
    zone: int | None = None
    user: bool = False


class Report(Struct, frozen=True, kw_only=True):
    """One event as the device told it.

    `device_time` is in UTC where the device named its zone, naive where it did not (finding `clock_without_zone`),
    None where it cannot be read. `history` must never actuate. `code` is the vendor's own, whatever we make of it.
    `plate` is as the camera read it, None where it saw none (finding `no_plate`); `confidence` in percent.
    `mark`: what tells the event from others where the device sends the same bytes again until it is answered; `text`: what
    else stands there, as names of zones and rules.
    """

    kind: Kind
    code: str
    state: State | None = None
    device_time_raw: str = ""
    device_time: datetime | None = None
    serial: int | None = None
    front_serial: int | None = None
    history: bool = False
    door_no: int | None = None
    reader_no: int | None = None
    channel: int | None = None
    card_number: str | None = None
    employee_number: str | None = None
    person_name: str | None = None
    plate: str | None = None
    plate_colour: str | None = None
    plate_kind: str | None = None
    vehicle_kind: str | None = None
    confidence: int | None = None
    direction: Literal["in", "out"] | None = None
    lane_no: int | None = None
    signal: Signal | None = None
    mark: str = ""
    text: str | None = None
    awaits_decision: bool = False
    verify_mode: str | None = None
    mac: str | None = None
    ip: str | None = None
    detail: dict[str, Primitive] = {}
    pictures: int = 0
    findings: tuple[str, ...] = ()


Refusal = Literal[
    "bad_multipart",
    "empty",
    "entities",
    "malformed",
    "not_an_event",
    "not_utf8",
    "nul",
    "too_deep",
    "too_large",
    "too_many",
    "truncated",
    "unsupported_type",
]


class Unreadable(Exception):
    """A body that is not what its device should send. `detail` never quotes the body: it may name a person."""

    def __init__(self, code: Refusal, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code: Refusal = code
        self.detail = detail
