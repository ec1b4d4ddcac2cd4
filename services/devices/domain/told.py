"""What an adapter read in a device's words, sealed where it is personal: the shape in which every report is decided on and stored."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from libs.eventkit.sealed import Sealed
from services.devices.domain.signals import Signal

Primitive = str | int | float | bool


class Vehicle(Struct, frozen=True, kw_only=True):
    """What a plate camera saw, in its own words. `plate` is None for a vehicle without one."""

    lane_no: int = 1
    plate: Sealed | None = None
    plate_colour: str = ""
    vehicle_kind: str = ""
    confidence: int | None = None
    direction: str | None = None


class Told(Struct, frozen=True, kw_only=True):
    """One report as an adapter read it, its personal parts sealed. `fingerprint`: 16 hex digits, equal for the same
    event told again, or empty where nothing tells two such events apart; `fingerprint_before`: the one that it would have
    had some minutes ago, where it holds the time. `clock`: the device's clock minus ours in seconds as it told it in passing.
    `device_time` is naive where the device named no zone; `community_time` is then what it says in the zone of the community."""

    report_id: UUID
    kind: str
    code: str
    history: bool
    fingerprint: str = ""
    state: str | None = None
    serial: int | None = None
    door_no: int | None = None
    reader_no: int | None = None
    channel: int | None = None
    awaits_decision: bool = False
    verify_mode: str | None = None
    device_time: datetime | None = None
    device_time_raw: str = ""
    community_time: datetime | None = None
    pictures: int = 0
    detail: dict[str, Primitive] = {}
    findings: tuple[str, ...] = ()
    card_number: Sealed | None = None
    employee_number: Sealed | None = None
    vehicle: Vehicle | None = None
    signal: Signal | None = None
    fingerprint_before: str = ""
    clock: float | None = None
