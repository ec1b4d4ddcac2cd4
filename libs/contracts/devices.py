"""What devices tells others: what devices said, never what it means; what became of orders to them."""
from datetime import datetime
from typing import Literal
from uuid import UUID
from msgspec import Struct
from libs.contracts.fields import Confirmed, SealedField

class _OfDevice(Struct, frozen=True):
    device_id: UUID
class DeviceRegistered(_OfDevice, frozen=True, tag="devices.device_registered"):
    """A device is in the registry. Said again when its name changes. `kind`: the protocol family, e.g. `hikvision-terminal`."""
    kind: str
    name: str
class DeviceEnrolled(_OfDevice, frozen=True, tag="devices.device_enrolled"):
    """The device has its own credential from now on."""
class DeviceRetired(_OfDevice, frozen=True, tag="devices.device_retired"):
    """The device is out of use: it is heard, ordered and watched no more. Registered again, it is there again."""
class _Report(Struct, frozen=True):
    report_id: UUID
    device_id: UUID
class DeviceReported(_Report, frozen=True, tag="devices.device_reported"):
    """Something a device said. `live`: it happened just now; all else is history and actuates nothing. `code`: the vendor's own; `kind`:
    `unknown` where we do not know it; `skew`: its clock minus ours in seconds. Card and employee number: sealed for `credential`."""
    kind: str
    code: str
    state: str | None
    serial: int | None
    door_no: int | None
    live: bool
    awaits_decision: bool
    device_time: datetime | None
    skew: float | None
    findings: tuple[str, ...]
    card_number: SealedField | None = None
    employee_number: SealedField | None = None
class DetectionReported(DeviceReported, frozen=True, tag="devices.detection_reported"):
    """Of these what may be an alarm (camera_alarm, pir, io_alarm, tamper, fire_input, panic, door_forced), said to whoever hears alarms.
    `state` inactive: it is over. `channel`: of which camera, input or door of the device; None: not said."""
    channel: int | None = None
class _SerialGap(_OfDevice, frozen=True):
    after: int
    before: int
class SerialGapFound(_SerialGap, frozen=True, tag="devices.serial_gap_found"):
    """Serial numbers after `after` and before `before` have not come."""
class SerialGapClosed(_SerialGap, frozen=True, tag="devices.serial_gap_closed"):
    """Every number of that gap has come after all."""
class _Order(Struct, frozen=True):
    order_id: UUID
    device_id: UUID
class _DoorOrder(_Order, frozen=True):
    door_no: int
class DoorOrderAttempted(_DoorOrder, frozen=True, tag="devices.door_order_attempted"):
    """The order was about to be sent to the device; it will not be sent again."""
class DoorOrderCarriedOut(_DoorOrder, frozen=True, tag="devices.door_order_carried_out"):
    """The device said that it did it."""
class DoorOrderFailed(_DoorOrder, frozen=True, tag="devices.door_order_failed"):
    """`reason`: refused (the device said no), unreachable (nothing was sent), unknown (no answer), expired (too late, not sent)."""
    reason: str
class PlateSeen(_Report, frozen=True, tag="devices.plate_seen"):
    """A camera read a plate, or saw a vehicle without one (None). `confidence` in percent; lane and the rest as it names them."""
    lane_no: int
    plate: SealedField | None
    plate_colour: str
    vehicle_kind: str
    confidence: int | None
    direction: str | None
    live: bool
    awaits_decision: bool
    device_time: datetime | None
    findings: tuple[str, ...]
class _BarrierOrder(_Order, frozen=True):
    lane_no: int
class BarrierOrderCarriedOut(_BarrierOrder, frozen=True, tag="devices.barrier_order_carried_out"):
    """`by` call: the device said that it did it; answer: it was told so in the response for which it waited."""
    by: Literal["call", "answer"]
class BarrierOrderFailed(_BarrierOrder, frozen=True, tag="devices.barrier_order_failed"):
    """`reason` as for doors; expired also where the camera had its answer before the order came."""
    reason: str
class FallbackGiven(_Report, frozen=True, tag="devices.fallback_given"):
    """No decision came within the device's limit: it was told what is configured for that. `admitted`: it opened."""
    admitted: bool
class PanelSignalled(_Report, frozen=True, tag="devices.panel_signalled"):
    """An alarm panel said something (SIA DC-09). `code`: Contact ID with its qualifier (`1110`: 1 event, 3 restore, 6 still so) or the
    two letters of SIA DC-03 (`FA`), by `protocol`; `user`: `zone` is the number of a user. None: not said."""
    protocol: Literal["contact_id", "sia", "other"]
    code: str
    partition: int | None
    zone: int | None
    user: bool
    live: bool
    device_time: datetime | None
    findings: tuple[str, ...]
class LineSilent(_OfDevice, frozen=True, tag="devices.line_silent"):
    """A supervised line has said nothing for longer than `limit` seconds."""
    limit: int
    last_heard: datetime | None
class LineBack(_OfDevice, frozen=True, tag="devices.line_back"):
    """The silent line has said something again."""
class _Hold(Struct, frozen=True):
    release_id: UUID
    device_id: UUID
    door_no: int
    state: Literal["held_open", "recalled", "normal"]
class HoldCarriedOut(_Hold, frozen=True, tag="devices.hold_carried_out"):
    """A relay is as it was ordered to stay: door held open, lift called to the ground floor, or normal again."""
class HoldFailed(_Hold, frozen=True, tag="devices.hold_failed"):
    """An attempt came to nothing; it is tried again at `again_at` for as long as that state is wanted (None: no more; `device_retired`)."""
    reason: str
    attempt: int
    again_at: datetime | None
class _Template(Struct, frozen=True):
    credential_id: UUID
    device_id: UUID
class TemplateRemovalWanted(_Template, frozen=True, tag="devices.template_removal_wanted"):
    """The face of a revoked credential is to leave this reader; it is told so until it confirms it."""
class TemplateRemoved(_Template, frozen=True, tag="devices.template_removed"):
    """The reader said that it has no such face (any more): the proof."""
class TemplateNotRemoved(_Template, frozen=True, tag="devices.template_not_removed"):
    """An attempt came to nothing; it is tried again at `again_at`, but where the reader was retired (`reason` is `reader_gone`)."""
    reason: str
    attempt: int
    again_at: datetime
class DevicesErasureConfirmed(Confirmed, frozen=True, tag="devices.erasure_confirmed"): ...
