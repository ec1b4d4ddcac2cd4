"""A stay: entry, payment, exit. What it owes is computed from its facts and the tariff of its day, whenever it is asked.

A stay whose exit nobody saw is quarantined: nothing is billed for it until a person has said how it ended. So nobody is
ever sent a bill for weeks in which the car was long gone. What a car was billed for its stays before, as far as a day's cap
or a pass of several stays needs it, stands in the stay: its own events are all that its bill needs.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Refused
from libs.eventkit.sealed import Sealed
from services.parking.domain.bill_lines import Line
from services.parking.domain.billing import Bill, Permit, Stay, bill
from services.parking.domain.plate_rights import Kind
from services.parking.domain.tariffs import Adoption, Vehicle, in_force

FREE: tuple[Kind, ...] = ("permit", "white")
"""Under these a stay costs nothing."""
EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))

# what happened


class Under(Struct, frozen=True):
    """The right under which a stay stands."""

    right_id: UUID
    kind: Kind
    person_id: UUID | None = None
    source_id: UUID | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def gives_way_to(self, other: "Under", now: datetime) -> bool:
        """To a right of another id: where this one costs something, or is over when the other begins."""
        over = self.valid_until is not None and self.valid_until <= max(now, other.valid_from or now)
        return self.kind not in FREE or over


class SessionBegun(Struct, frozen=True, tag="session_begun"):
    """`clock`: the lot's time zone; `grace`: seconds to leave after paying; `looks`: colour and kind as the camera named them.
    `earlier`: lines of this car's stays before that count towards the same day or pass."""

    session_id: UUID
    lot_id: UUID
    zone: str
    clock: str
    grace: int
    plate: Sealed | None
    new_energy: bool
    looks: tuple[str, str]
    under: Under | None
    entered_at: datetime
    earlier: tuple[Line, ...] = ()


class RightAssigned(Struct, frozen=True, tag="right_assigned"):
    """The stay stands under this right, from when that begins: a person found out whose car it is, or the right is new or has
    changed."""

    session_id: UUID
    under: Under


class StayCorrected(Struct, frozen=True, tag="stay_corrected"):
    """What a person stated of the vehicle. `vehicle_class`: in the lot's tariff, None: as the camera saw it. `spaces`: how many
    for small cars it takes up. `on_duty`: police, fire, ambulance, rescue at work (国办发〔2018〕114号). `bill`: of a stay that
    is over, what it owes by that, up to `until`; `paid`: fen paid for it by then."""

    session_id: UUID
    vehicle_class: str | None
    spaces: int
    on_duty: bool
    note: str
    bill: Bill | None = None
    until: datetime | None = None
    paid: int = 0


class PaymentAsked(Struct, frozen=True, tag="payment_asked"):
    """What is to be paid for the stay up to `until`, in fen: the bill less what was paid before."""

    session_id: UUID
    payment_id: UUID
    amount: int
    until: datetime
    bill: Bill


class PaymentReceived(Struct, frozen=True, tag="payment_received"):
    """The provider confirmed it. `transaction`: the provider's own number."""

    session_id: UUID
    payment_id: UUID
    amount: int
    transaction: str


class SessionQuarantined(Struct, frozen=True, tag="session_quarantined"):
    """It cannot be that the car is still inside: it has `entered_again`, or a person says so (`by_hand`), and why in `note`."""

    session_id: UUID
    lot_id: UUID
    zone: str
    because: str
    note: str = ""


class SessionEnded(Struct, frozen=True, tag="session_ended"):
    """`exited_at` None: nobody knows. `bill_until`: up to when `bill` counts, the moment of payment for who left within the
    grace; None where nothing is charged. `total` and `paid` in fen. `passage_id`: by which it left."""

    session_id: UUID
    lot_id: UUID
    zone: str
    how: Literal["exit", "settled"]
    exited_at: datetime | None
    total: int
    paid: int
    bill_until: datetime | None
    bill: Bill | None
    passage_id: UUID | None = None


SessionEvent = (
    SessionBegun | RightAssigned | StayCorrected | PaymentAsked | PaymentReceived | SessionQuarantined | SessionEnded)


# what is


class NoSession(Struct, frozen=True):
    pass


class Inside(Struct, frozen=True):
    """`before`: what it stood under, and cost nothing, before its right begins. `asked`: payments that the provider may still
    confirm."""

    begun: SessionBegun
    before: tuple[Under, ...] = ()
    corrected: StayCorrected | None = None
    asked: tuple[PaymentAsked, ...] = ()
    received: tuple[PaymentReceived, ...] = ()
    quarantined: bool = False

    @property
    def paid(self) -> int:
        return sum(payment.amount for payment in self.received)

    @property
    def paid_until(self) -> datetime | None:
        """Up to when what was asked for has been paid."""
        confirmed = {payment.payment_id for payment in self.received}
        return max((asked.until for asked in self.asked if asked.payment_id in confirmed), default=None)


class Ended(Struct, frozen=True):
    """`inside`: the stay as it was, with what was paid since."""

    inside: Inside
    said: SessionEnded

    @property
    def owing(self) -> int:
        """Fen, negative where too much was paid."""
        return self.said.total - self.inside.paid


Session = NoSession | Inside | Ended


def evolve(session: Session, event: SessionEvent) -> Session:
    match session, event:
        case NoSession(), SessionBegun():
            return Inside(event)
        case Inside(), RightAssigned(under=under):
            under = still_theirs(session.begun.under, under)  # older events do not say it
            return replace(session, begun=replace(session.begun, under=under), before=_before(session, under))
        case Inside(), StayCorrected():
            return replace(session, corrected=event)
        case Inside(), PaymentAsked():
            return replace(session, asked=(*session.asked, event))
        case Inside(), PaymentReceived():
            return replace(session, received=(*session.received, event))
        case Inside(), SessionQuarantined():
            return replace(session, quarantined=True)
        case Inside(), SessionEnded():
            return Ended(session, event)
        case Ended(inside=inside, said=said), StayCorrected(bill=found):
            inside = replace(inside, corrected=event)
            return Ended(inside, replace(said, bill=found, total=found.total_fen) if found is not None else said)
        case Ended(inside=inside), (PaymentAsked() | PaymentReceived()):
            paying = evolve(inside, event)
            return replace(session, inside=paying) if isinstance(paying, Inside) else session
        case _:
            return session


def still_theirs(was: Under | None, under: Under) -> Under:
    """A right that names nobody takes no stay from whose it is."""
    return replace(under, person_id=was.person_id) if under.person_id is None and was is not None else under


def _before(stay: Inside, under: Under) -> tuple[Under, ...]:
    """What the stay stood under until the new terms begin, whichever right's they are; from there on they alone count."""
    begins, held = under.valid_from, (*stay.before, *((stay.begun.under,) if stay.begun.under is not None else ()))
    if begins is None:
        return ()
    return tuple(
        replace(was, valid_until=min(was.valid_until or begins, begins))
        for was in held if was.kind in FREE and (was.valid_from or EVER[0]) < begins)


def owed(stay: Inside, adoptions: tuple[Adoption, ...], until: datetime) -> Bill | None:
    """The bill of the whole stay up to `until`, under the tariff of the day of entry; None where no tariff counted then."""
    begun, stated = stay.begun, stay.corrected
    try:
        tariff = in_force(adoptions, begun.entered_at, begun.clock)
    except Refused as refused:
        if refused.code != "no_tariff_in_force":
            raise
        return None
    unders = (*stay.before, begun.under) if begun.under is not None else ()
    permits = tuple(Permit(u.valid_from or EVER[0], u.valid_until or EVER[1]) for u in unders if u.kind in FREE)
    seen = tariff.class_of(Vehicle(new_energy=begun.new_energy)).name
    named = {found.name for found in tariff.classes}  # a car stands at the exit: what is not there is as if nobody had stated it
    stated_class = stated.vehicle_class if stated is not None and stated.vehicle_class in named else None
    on_duty, spaces = (stated.on_duty, stated.spaces) if stated is not None else (False, 1)
    return bill(
        tariff, (Stay(begun.entered_at, max(until, begun.entered_at), on_duty),), stated_class or seen, begun.clock,
        spaces=spaces, read_at_entry=seen, permits=permits, earlier=begun.earlier)


def due(session: Inside, adoptions: tuple[Adoption, ...], now: datetime) -> int:
    """Fen that have to be paid before the car may leave now. Whoever has paid has `grace` to leave."""
    if session.quarantined:
        return 0
    until = session.paid_until
    if until is not None and now <= until + timedelta(seconds=session.begun.grace):
        return 0
    owing = owed(session, adoptions, now)
    return max(0, owing.total_fen - session.paid) if owing is not None else 0
