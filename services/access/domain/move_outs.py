"""What access said itself of who had moved out, before identity said who has left (docs/decisions/0029): logs have it."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class MoveOutNoted(Struct, frozen=True, tag="move_out_noted"):
    residence_id: UUID
    person_id: UUID
    at: datetime


class MoveOutSettled(Struct, frozen=True, tag="move_out_settled"):
    residence_id: UUID
    person_id: UUID
    gone: bool
