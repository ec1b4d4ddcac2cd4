"""Whom a broadcast reached, in figures: an explanation of hundreds says how many, and cites where each stands."""

from uuid import UUID

from msgspec import Struct


class Told(Struct, frozen=True):
    """`told`: how many residents a channel reached; `not_told`: how many none did, by reason; `events`: the first and the last that say
    the former, and those that say the latter, as far as they are cited."""

    told: int
    not_told: dict[str, int]
    events: tuple[UUID, ...]
