"""What may be done with a stay (`stays.py`): begin, correct, pay, end, quarantine, settle."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, NotFound, Refused, Release, Take
from services.parking.domain.stays import (
    Ended,
    Inside,
    NoSession,
    PaymentAsked,
    PaymentReceived,
    RightAssigned,
    Session,
    SessionBegun,
    SessionEnded,
    SessionEvent,
    SessionQuarantined,
    StayCorrected,
    Under,
    due,
    evolve,
    owed,
    still_theirs,
)
from services.parking.domain.tariffs import Adoption, in_force


class BeginSession(Struct, frozen=True):
    """`index`: the plate's blind index, empty for a car without one."""

    begun: SessionBegun
    index: str


class AssignRight(Struct, frozen=True):
    session_id: UUID
    under: Under


class CorrectStay(Struct, frozen=True):
    """As `StayCorrected` has it."""

    session_id: UUID
    vehicle_class: str | None
    spaces: int
    on_duty: bool
    note: str
    adoptions: tuple[Adoption, ...]


class AskPayment(Struct, frozen=True):
    session_id: UUID
    payment_id: UUID
    adoptions: tuple[Adoption, ...]
    now: datetime


class ReceivePayment(Struct, frozen=True):
    session_id: UUID
    payment_id: UUID
    amount: int
    transaction: str


Because = Literal["entered_again", "by_hand", "exit_undated", "told_late"]


class QuarantineSession(Struct, frozen=True):
    """As `SessionQuarantined` has it."""

    session_id: UUID
    because: Because
    note: str = ""


class EndSession(Struct, frozen=True):
    session_id: UUID
    exited_at: datetime
    adoptions: tuple[Adoption, ...]
    passage_id: UUID | None = None


class SettleSession(Struct, frozen=True):
    """`left_at`: up to when the stay counts, as a person found out; None waives it."""

    session_id: UUID
    left_at: datetime | None
    now: datetime
    adoptions: tuple[Adoption, ...]


def decide_begin(command: BeginSession, session: Session) -> list[SessionEvent]:
    return [command.begun] if isinstance(session, NoSession) else []


def _stay(session: Session) -> Inside:
    """The stay, also of a session that is over. Raises NotFound."""
    match session:
        case NoSession():
            raise NotFound("session")
        case Ended(inside=inside):
            return inside
        case Inside():
            return session
        case _:
            assert_never(session)


def _inside(session: Session) -> Inside:
    """Raises NotFound, Refused `session_ended`."""
    if isinstance(session, Ended):
        raise Refused("session_ended")
    return _stay(session)


def decide_assign(command: AssignRight, session: Session) -> list[SessionEvent]:
    was = _inside(session).begun.under
    under = still_theirs(was, command.under)
    return [] if was == under else [RightAssigned(command.session_id, under)]


def decide_correct(command: CorrectStay, session: Session) -> list[SessionEvent]:
    """Raises Refused `class_not_in_tariff`, `no_tariff_in_force`, `spaces_not_positive`."""
    stay = _stay(session)
    known = stay.corrected or StayCorrected(command.session_id, None, 1, False, "")
    if (known.vehicle_class, known.spaces, known.on_duty) == (command.vehicle_class, command.spaces, command.on_duty):
        return []
    if command.spaces < 1:
        raise Refused("spaces_not_positive", spaces=command.spaces)
    if command.vehicle_class is not None:
        in_force(command.adoptions, stay.begun.entered_at, stay.begun.clock).named(command.vehicle_class)
    stated = StayCorrected(command.session_id, command.vehicle_class, command.spaces, command.on_duty, command.note)
    if isinstance(session, Ended) and (until := session.said.bill_until) is not None:
        corrected = owed(replace(stay, corrected=stated), command.adoptions, until)
        stated = replace(stated, bill=corrected, until=until, paid=stay.paid)
    return [stated]


def decide_ask(command: AskPayment, session: Session) -> list[SessionEvent]:
    """What left without paying can pay afterwards."""
    stay = _stay(session)
    if any(asked.payment_id == command.payment_id for asked in stay.asked):
        return []
    if isinstance(session, Ended):
        until, amount, owing = session.said.bill_until, session.owing, session.said.bill
    elif stay.quarantined:
        raise Refused("session_quarantined")
    else:
        until, amount = command.now, due(stay, command.adoptions, command.now)
        owing = owed(stay, command.adoptions, command.now)
    if amount <= 0 or owing is None or until is None:
        raise Refused("nothing_due")
    return [PaymentAsked(command.session_id, command.payment_id, amount, until, owing)]


def decide_receive(command: ReceivePayment, session: Session) -> list[SessionEvent]:
    """Money that has come is taken, also after the exit; each payment once. Another amount than asked for is refused."""
    inside = _stay(session)
    if any(payment.payment_id == command.payment_id for payment in inside.received):
        return []
    asked = next((a for a in inside.asked if a.payment_id == command.payment_id), None)
    if asked is None:
        raise NotFound("payment")
    if asked.amount != command.amount:
        raise Refused("payment_of_another_amount", asked=asked.amount, received=command.amount)
    return [PaymentReceived(command.session_id, command.payment_id, command.amount, command.transaction)]


def decide_quarantine(command: QuarantineSession, session: Session) -> list[SessionEvent]:
    """A person is told where there is no such stay (NotFound), or where it is over (Refused `session_ended`)."""
    stay = _inside(session) if command.because == "by_hand" else session
    if not isinstance(stay, Inside) or stay.quarantined:
        return []
    return [SessionQuarantined(command.session_id, stay.begun.lot_id, stay.begun.zone, command.because, command.note)]


def decide_end(command: EndSession, session: Session) -> list[SessionEvent]:
    match session:
        case NoSession():
            raise NotFound("session")
        case Ended():
            return []
        case Inside():
            return [replace(_ended(session, "exit", command.exited_at, command.adoptions), passage_id=command.passage_id)]
        case _:
            assert_never(session)


def decide_settle(command: SettleSession, session: Session) -> list[SessionEvent]:
    if isinstance(session, Ended):
        return []
    inside = _inside(session)
    if not inside.quarantined:
        raise Refused("session_not_in_question")
    if command.left_at is not None and command.left_at < inside.begun.entered_at:
        raise Refused("exit_before_entry")
    if command.left_at is not None and command.left_at > command.now:
        raise Refused("exit_in_the_future")
    return [_ended(inside, "settled", command.left_at, command.adoptions)]


def _ended(
    inside: Inside, how: Literal["exit", "settled"], at: datetime | None, adoptions: tuple[Adoption, ...],
) -> SessionEnded:
    """Within the grace of a payment the bill is the one that was paid: nobody owes for the way to the barrier."""
    begun, until = inside.begun, inside.paid_until
    within = at is not None and until is not None and until <= at <= until + timedelta(seconds=begun.grace)
    counts = until if within else at
    owing = owed(inside, adoptions, counts) if counts is not None else None
    total = owing.total_fen if owing is not None else 0
    return SessionEnded(begun.session_id, begun.lot_id, begun.zone, how, at, total, inside.paid, counts if owing else None, owing)


def claims(command: Any, event: SessionEvent) -> Iterable[Take | Release]:
    match event:
        case SessionBegun(lot_id=lot_id):
            if command.index:
                yield Take(f"inside:{lot_id}", command.index, "already_inside")
        case SessionQuarantined(lot_id=lot_id) | SessionEnded(lot_id=lot_id):
            yield Release(f"inside:{lot_id}")
        case _:
            pass


SESSIONS = Decider[Session, SessionEvent](
    category="session", initial=NoSession(), evolve=evolve,
    decide={
        BeginSession: decide_begin, AssignRight: decide_assign, CorrectStay: decide_correct, AskPayment: decide_ask,
        ReceivePayment: decide_receive, QuarantineSession: decide_quarantine, EndSession: decide_end,
        SettleSession: decide_settle},
    claims=claims)
