"""A move-out: the last residence of somebody in the community has ended. What opens doors for them ends with it.

1. It is settled a while later: whoever moves within the community is often let out of one home before they are entered in the other.
   Their rights have gone at once, so that meanwhile nothing that we decide about opens to them.
2. Who then lives in the community, or is on duty there, stays as they are. Of everybody else each card, PIN and face is revoked.
"""

from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider

SETTLED_AFTER = timedelta(minutes=10)


# what happened


class MoveOutNoted(Struct, frozen=True, tag="move_out_noted"):
    """`residence_id`: their last one; `at`: when it was heard that it had ended."""

    residence_id: UUID
    person_id: UUID
    at: datetime


class MoveOutSettled(Struct, frozen=True, tag="move_out_settled"):
    """`gone`: they neither lived here nor were on duty."""

    residence_id: UUID
    person_id: UUID
    gone: bool


MoveOutEvent = MoveOutNoted | MoveOutSettled


# what is


class NoMoveOut(Struct, frozen=True):
    pass


class Noted(Struct, frozen=True):
    person_id: UUID
    at: datetime


class Settled(Struct, frozen=True):
    pass


MoveOut = NoMoveOut | Noted | Settled


def evolve(move_out: MoveOut, event: MoveOutEvent) -> MoveOut:
    match event:
        case MoveOutNoted(person_id=person_id, at=at):
            return Noted(person_id, at)
        case MoveOutSettled():
            return Settled()
        case _:
            return move_out


def due(move_out: MoveOut) -> datetime | None:
    return move_out.at + SETTLED_AFTER if isinstance(move_out, Noted) else None


# what is asked


class NoteMoveOut(Struct, frozen=True):
    residence_id: UUID
    person_id: UUID
    at: datetime


class SettleMoveOut(Struct, frozen=True):
    residence_id: UUID
    gone: bool


def decide_note_move_out(command: NoteMoveOut, move_out: MoveOut) -> list[MoveOutEvent]:
    match move_out:
        case NoMoveOut():
            return [MoveOutNoted(command.residence_id, command.person_id, command.at)]
        case Noted() | Settled():
            return []
        case _:
            assert_never(move_out)


def decide_settle_move_out(command: SettleMoveOut, move_out: MoveOut) -> list[MoveOutEvent]:
    match move_out:
        case Noted(person_id=person_id):
            return [MoveOutSettled(command.residence_id, person_id, command.gone)]
        case NoMoveOut() | Settled():
            return []
        case _:
            assert_never(move_out)


MOVE_OUTS = Decider[MoveOut, MoveOutEvent](
    category="move-out", initial=NoMoveOut(), evolve=evolve,
    decide={NoteMoveOut: decide_note_move_out, SettleMoveOut: decide_settle_move_out})
