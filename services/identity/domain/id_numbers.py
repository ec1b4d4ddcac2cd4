"""The ID number (公民身份号码, GB 11643) of a resident: sealed, one number for one resident of a community.

What a number must be to be taken, and what is only shown to staff, is in `national/resident_ids.py`.
"""

from collections.abc import Iterable
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, NotFound, NotYet, Refused, Release, Take
from libs.eventkit.sealed import Sealed
from services.identity.domain.residents import ERASED

ID_NUMBER = "id-number"
"""The scope of the claim, and of its blind index."""


# what happened


class IdNumberRecorded(Struct, frozen=True, tag="id_number_recorded"):
    """`findings`: what staff should look at, though the number was taken."""

    resident_id: UUID
    number: Sealed
    findings: tuple[str, ...] = ()


class IdNumberConfirmed(Struct, frozen=True, tag="id_number_confirmed"):
    """Somebody has seen the card: the number is as recorded, whatever was found."""

    resident_id: UUID
    by: UUID


class IdNumberWithdrawn(Struct, frozen=True, tag="id_number_withdrawn"):
    """It was recorded of the wrong resident, `by` says: none is recorded of this one."""

    resident_id: UUID
    by: UUID


class IdNumberForgotten(Struct, frozen=True, tag="id_number_forgotten"):
    """The resident is erased: whose number it was is not known any more, and nothing keeps others from having it."""

    resident_id: UUID


IdNumberEvent = IdNumberRecorded | IdNumberConfirmed | IdNumberWithdrawn | IdNumberForgotten


# what is


class _Known(Struct, frozen=True):
    """`withdrawn`: the keys of numbers that were, which are somebody else's: they are to be destroyed, and seal nothing again."""

    withdrawn: frozenset[UUID] = frozenset()


class NotRecorded(_Known, frozen=True):
    pass


class Recorded(_Known, frozen=True, kw_only=True):
    number: Sealed
    findings: tuple[str, ...]


class Confirmed(_Known, frozen=True, kw_only=True):
    number: Sealed


class Forgotten(Struct, frozen=True):
    pass


IdNumber = NotRecorded | Recorded | Confirmed | Forgotten


def evolve(number: IdNumber, event: IdNumberEvent) -> IdNumber:
    match number, event:
        case _, IdNumberForgotten():
            return Forgotten()
        case Recorded(number=sealed, withdrawn=withdrawn) | Confirmed(number=sealed, withdrawn=withdrawn), IdNumberWithdrawn():
            return NotRecorded(withdrawn | {sealed.key_id})
        case NotRecorded() | Recorded() | Confirmed(), IdNumberRecorded(number=sealed, findings=findings):
            # older logs have some that are sealed by a key of before: it is needed
            return Recorded(number=sealed, findings=findings, withdrawn=number.withdrawn - {sealed.key_id})
        case Recorded(number=sealed, withdrawn=withdrawn), IdNumberConfirmed():
            return Confirmed(number=sealed, withdrawn=withdrawn)
        case _:
            return number


# what is asked


class RecordIdNumber(Struct, frozen=True):
    """`index`: blind index of the number in its stored form."""

    resident_id: UUID
    number: Sealed
    index: str
    findings: tuple[str, ...] = ()


class ConfirmIdNumber(Struct, frozen=True):
    resident_id: UUID
    by: UUID


class WithdrawIdNumber(Struct, frozen=True):
    resident_id: UUID
    by: UUID


class ForgetIdNumber(Struct, frozen=True):
    resident_id: UUID


def decide_record_id_number(command: RecordIdNumber, number: IdNumber) -> list[IdNumberEvent]:
    if isinstance(number, Forgotten):
        raise Refused(ERASED)
    if command.number.key_id in number.withdrawn:
        raise NotYet("a key of its own")
    return [IdNumberRecorded(command.resident_id, command.number, command.findings)]


def decide_confirm_id_number(command: ConfirmIdNumber, number: IdNumber) -> list[IdNumberEvent]:
    match number:
        case NotRecorded():
            raise NotFound("id-number")
        case Recorded():
            return [IdNumberConfirmed(command.resident_id, command.by)]
        case Confirmed():
            return []
        case Forgotten():
            raise Refused(ERASED)
        case _:
            assert_never(number)


def decide_withdraw_id_number(command: WithdrawIdNumber, number: IdNumber) -> list[IdNumberEvent]:
    match number:
        case NotRecorded():
            return []
        case Recorded() | Confirmed():
            return [IdNumberWithdrawn(command.resident_id, command.by)]
        case Forgotten():
            raise Refused(ERASED)
        case _:
            assert_never(number)


def decide_forget_id_number(command: ForgetIdNumber, number: IdNumber) -> list[IdNumberEvent]:
    """Also where there is none: so that none that is on its way comes after."""
    return [] if isinstance(number, Forgotten) else [IdNumberForgotten(command.resident_id)]


def claims(command: Struct, event: IdNumberEvent) -> Iterable[Take | Release]:
    if isinstance(event, IdNumberWithdrawn | IdNumberForgotten):
        yield Release(ID_NUMBER)
    if isinstance(command, RecordIdNumber):
        yield Release(ID_NUMBER)
        yield Take(ID_NUMBER, command.index, "id_number_taken")


ID_NUMBERS = Decider[IdNumber, IdNumberEvent](
    category="id-number",
    initial=NotRecorded(),
    evolve=evolve,
    decide={
        RecordIdNumber: decide_record_id_number, ConfirmIdNumber: decide_confirm_id_number,
        WithdrawIdNumber: decide_withdraw_id_number, ForgetIdNumber: decide_forget_id_number},
    claims=claims,
)
