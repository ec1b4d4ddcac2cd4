"""What a plate may enter as: a home's vehicle, a monthly permit, a visitor's pass, or on the lot's white or black list.

The plate rests sealed; its blind index stands among the claims alone. One plate holds one permit of a lot at a time. A
vehicle that is only `declared` counts for nothing: anybody may say that a plate is theirs. A permit that costs a fee is
renewed by the month, and holds on from when the provider says that the months are paid.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, NotFound, Refused, Release, Take
from libs.eventkit.sealed import Sealed
from services.parking.domain.lot_time import months_after

Kind = Literal["declared", "vehicle", "permit", "visitor_pass", "white", "black"]

# what happened


class PlateRightGranted(Struct, frozen=True, tag="plate_right_granted"):
    """Half-open: at `valid_until` it counts no more; None on either side: no limit. `lot_id` None: in every lot of the
    community. `uses`: how often it lets in, None: as often as one likes. `source_id`: the vehicle or the pass behind it.
    `person_id`: whose it is. `monthly`: what a month of a permit costs, in fen. `space_id`: the space that a
    permit is for. Said again when something of it changes."""

    right_id: UUID
    kind: Kind
    plate: Sealed
    lot_id: UUID | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    uses: int | None = None
    person_id: UUID | None = None
    source_id: UUID | None = None
    reason: str = ""
    monthly: int | None = None
    space_id: UUID | None = None


class RenewalAsked(Struct, frozen=True, tag="renewal_asked"):
    """So many months more, for `amount` fen in all; as of now they would begin at `begins`."""

    right_id: UUID
    payment_id: UUID
    months: int
    amount: int
    begins: datetime
    clock: str


class RenewalPaid(Struct, frozen=True, tag="renewal_paid"):
    """The provider confirmed it. `extended`: whether the permit was still there to be renewed."""

    right_id: UUID
    payment_id: UUID
    amount: int
    transaction: str
    extended: bool


class PlateRightEnded(Struct, frozen=True, tag="plate_right_ended"):
    right_id: UUID
    kind: Kind
    lot_id: UUID | None
    reason: str


PlateRightEvent = PlateRightGranted | PlateRightEnded | RenewalAsked | RenewalPaid


# what is


class NoRight(Struct, frozen=True):
    pass


class Held(Struct, frozen=True):
    """`asked`: renewals that the provider may still confirm; `paid`: those that it has."""

    granted: PlateRightGranted
    asked: tuple[RenewalAsked, ...] = ()
    paid: frozenset[UUID] = frozenset()

    @property
    def counted_from(self) -> tuple[datetime, ...]:
        """Since when it has run by the month: its beginning, or where that was no month's, the end from which it was first renewed."""
        begun = (self.granted.valid_from, *(asked.begins for asked in self.asked if asked.payment_id in self.paid))
        return tuple(moment for moment in begun if moment is not None)


class Ended(Struct, frozen=True):
    last: Held


PlateRight = NoRight | Held | Ended


def evolve(right: PlateRight, event: PlateRightEvent) -> PlateRight:
    match right, event:
        case NoRight(), PlateRightGranted():
            return Held(event)
        case (Held() as held) | Ended(last=held), PlateRightGranted():
            return replace(held, granted=event)
        case Held(), PlateRightEnded():
            return Ended(right)
        case Held(asked=asked), RenewalAsked():
            return replace(right, asked=(*asked, event))
        case Held(paid=paid), RenewalPaid(payment_id=payment_id):
            return replace(right, paid=paid | {payment_id})
        case Ended(last=last), RenewalPaid(payment_id=payment_id):
            return Ended(replace(last, paid=last.paid | {payment_id}))
        case _:
            return right


# what is asked


class GrantPlateRight(Struct, frozen=True):
    """`index`: the plate's blind index, empty where its key was erased; `grant`: what the event will say."""

    grant: PlateRightGranted
    index: str


class AskRenewal(Struct, frozen=True):
    """`clock`: IANA time zone in which months are counted."""

    right_id: UUID
    payment_id: UUID
    months: int
    clock: str
    now: datetime


class ReceiveRenewal(Struct, frozen=True):
    right_id: UUID
    payment_id: UUID
    amount: int
    transaction: str


class EndPlateRight(Struct, frozen=True):
    right_id: UUID
    reason: str


def decide_grant(command: GrantPlateRight, right: PlateRight) -> list[PlateRightEvent]:
    grant = command.grant
    if not command.index:
        raise Refused("plate_erased")
    if grant.valid_from and grant.valid_until and grant.valid_until <= grant.valid_from:
        raise Refused("validity_empty")
    if grant.kind != "permit" and (grant.monthly is not None or grant.space_id is not None):
        raise Refused("no_permit", kind=grant.kind)
    if grant.monthly is not None and (grant.lot_id is None or grant.valid_until is None):
        raise Refused("fee_without_lot_or_end")
    match right:
        case NoRight() | Ended():
            return [grant]
        case Held(granted=granted):
            if (granted.kind, granted.lot_id) != (grant.kind, grant.lot_id) and "permit" in (granted.kind, grant.kind):
                raise Refused("permit_of_another_lot")
            return [] if granted == grant else [grant]
        case _:
            assert_never(right)


def decide_end(command: EndPlateRight, right: PlateRight) -> list[PlateRightEvent]:
    if not isinstance(right, Held):
        return []
    return [PlateRightEnded(command.right_id, right.granted.kind, right.granted.lot_id, command.reason)]


def decide_ask_renewal(command: AskRenewal, right: PlateRight) -> list[PlateRightEvent]:
    """A permit that has lapsed begins again now: what stood here meanwhile paid by tariff."""
    if not isinstance(right, Held):
        raise NotFound("plate-right")
    if any(asked.payment_id == command.payment_id for asked in right.asked):
        return []
    until, monthly = right.granted.valid_until, right.granted.monthly
    if monthly is None or until is None:
        raise Refused("nothing_due")
    if command.months < 1:
        raise Refused("months_not_positive", months=command.months)
    return [RenewalAsked(
        command.right_id, command.payment_id, command.months, command.months * monthly, max(until, command.now), command.clock)]


def decide_receive_renewal(command: ReceiveRenewal, right: PlateRight) -> list[PlateRightEvent]:
    """Money that has come is taken, each payment once, and every month paid for is a month more: of two renewals the second
    begins where the first has ended."""
    if isinstance(right, NoRight):
        raise NotFound("plate-right")
    held = right if isinstance(right, Held) else right.last
    if command.payment_id in held.paid:
        return []
    asked = next((a for a in held.asked if a.payment_id == command.payment_id), None)
    if asked is None:
        raise NotFound("payment")
    if asked.amount != command.amount:
        raise Refused("payment_of_another_amount", asked=asked.amount, received=command.amount)
    paid = RenewalPaid(command.right_id, command.payment_id, command.amount, command.transaction, isinstance(right, Held))
    until = held.granted.valid_until
    if not isinstance(right, Held) or until is None:
        return [replace(paid, extended=False)]
    lapsed = asked.begins > until
    begins = asked.begins if lapsed else until
    first = begins if lapsed else held.granted.valid_from
    return [paid, replace(
        held.granted, valid_from=first, valid_until=renewed(held.counted_from, begins, asked.months, asked.clock))]


def renewed(counted_from: tuple[datetime, ...], begins: datetime, months: int, clock: str) -> datetime:
    """The end of so many months from `begins`; who came on the 31st renews to the 31st again, whatever February had."""
    for since in counted_from:
        passed = round((begins - since).days / 30.44)
        if months_after(since, passed, clock) == begins:
            return months_after(since, passed + months, clock)
    return months_after(begins, months, clock)


def scope(event: PlateRightGranted | PlateRightEnded) -> str:
    """Only permits exclude each other: a guest may well be invited twice."""
    return f"permit:{event.lot_id or ''}" if event.kind == "permit" else f"right:{event.right_id}"


def claims(command: Any, event: PlateRightEvent) -> Iterable[Take | Release]:
    """A renewed permit keeps what it holds."""
    match event:
        case PlateRightEnded():
            yield Release(scope(event))
        case PlateRightGranted() if isinstance(command, GrantPlateRight):
            yield Release(scope(event))
            yield Take(scope(event), command.index, "plate_has_permit")
        case _:
            pass


PLATE_RIGHTS = Decider[PlateRight, PlateRightEvent](
    category="plate-right", initial=NoRight(), evolve=evolve,
    decide={
        GrantPlateRight: decide_grant, EndPlateRight: decide_end, AskRenewal: decide_ask_renewal,
        ReceiveRenewal: decide_receive_renewal},
    claims=claims)
