"""What parking tells others: lots and lanes, what was decided at a lane and why, stays, bills, what staff have to settle."""
from datetime import datetime
from typing import Literal
from uuid import UUID
from msgspec import Struct
from libs.contracts.access import Fact
from libs.contracts.fields import Confirmed

class LotOpened(Struct, frozen=True, tag="parking.lot_opened"):
    """A car park and how many spaces each of its zones has. Said again when that changes."""
    lot_id: UUID
    name: str
    spaces: dict[str, int]
class LaneInstalled(Struct, frozen=True, tag="parking.lane_installed"):
    """A lane into a zone of a lot or out of it, and the camera that watches it."""
    lane_id: UUID
    lot_id: UUID
    name: str
    direction: Literal["in", "out"]
    zone: str
    device_id: UUID
    lane_no: int
class PassageJudged(Struct, frozen=True, tag="parking.passage_judged"):
    """Whether the vehicle at a lane may pass: by which rule, on which facts. `live` false: it has passed; for the books, never acted on."""
    passage_id: UUID
    lane_id: UUID
    admitted: bool
    rule: str
    reason: str
    facts: tuple[Fact, ...]
    session_id: UUID | None
    live: bool
class BarrierOrdered(Struct, frozen=True, tag="parking.barrier_ordered"):
    """The barrier is to be lifted once, within the time to live. `answers`: the report for whose answer the camera waits."""
    order_id: UUID
    lane_id: UUID
    device_id: UUID
    lane_no: int
    answers: UUID | None
    rule: str
    reason: str
    facts: tuple[Fact, ...]
class _OfSession(Struct, frozen=True):
    session_id: UUID
class _OfStay(_OfSession, frozen=True):
    lot_id: UUID
    zone: str
class SessionBegun(_OfStay, frozen=True, tag="parking.session_begun"):
    """A vehicle is inside. `person_id`: its keeper or host, where it is not a stranger's."""
    person_id: UUID | None
    vehicle_id: UUID | None
    pass_id: UUID | None
    entered_at: datetime
class SessionRecognised(_OfSession, frozen=True, tag="parking.session_recognised"):
    """A person found out whose vehicle it is that is inside; it holds from the beginning of the stay."""
    person_id: UUID | None
    vehicle_id: UUID | None
    pass_id: UUID | None
class SessionQuarantined(_OfStay, frozen=True, tag="parking.session_quarantined"):
    """Its exit was missed: it is no longer counted as inside, and costs nothing until staff have settled it."""
class PermitHeld(Struct, frozen=True, tag="parking.permit_held"):
    """A vehicle may stay under a permit, half-open; again when that changes; `ended`: no more. `monthly`: in fen. `person_id`: whose."""
    right_id: UUID
    lot_id: UUID | None
    person_id: UUID | None
    vehicle_id: UUID | None
    valid_from: datetime | None
    valid_until: datetime | None
    monthly: int | None
    ended: bool
class BillLine(Struct, frozen=True):
    """`amount` = `units` x `unit` in fen. `facts` say what the rule looked at, by `code`."""
    code: str
    starts: datetime
    ends: datetime
    units: int
    unit: int
    amount: int
    facts: dict[str, int | str]
class Billed(_OfSession, frozen=True, tag="parking.billed"):
    """What the stay owes up to a moment, line by line, under a version of a tariff; in fen."""
    tariff: str
    version: int
    until: datetime
    total: int
    paid: int
    lines: tuple[BillLine, ...]
class PaymentReceived(_OfSession, frozen=True, tag="parking.payment_received"):
    """The provider confirmed a payment, in fen."""
    payment_id: UUID
    amount: int
class SessionEnded(_OfStay, frozen=True, tag="parking.session_ended"):
    """The vehicle is outside. `how`: exit, or settled by staff after a missing exit."""
    how: Literal["exit", "settled"]
    exited_at: datetime | None
    total: int
class FindingRaised(Struct, frozen=True, tag="parking.finding_raised"):
    """Something a person has to settle: missing_exit, look_alike, no_entry, no_plate, fake_plate, unclear_passage, unpaid_exit, overpaid.
    `candidates`: sessions or rights that might be meant."""
    finding_id: UUID
    kind: str
    lane_id: UUID | None
    session_id: UUID | None
    passage_id: UUID | None
    candidates: tuple[UUID, ...]
class FindingSettled(Struct, frozen=True, tag="parking.finding_settled"):
    """Settled by a person, or by what has happened since; `how` in one word."""
    finding_id: UUID
    how: str
class ParkingErasureConfirmed(Confirmed, frozen=True, tag="parking.erasure_confirmed"): ...
