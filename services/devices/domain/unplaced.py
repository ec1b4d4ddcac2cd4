"""Frames that are no panel's word: of an account that nobody registered, or in a form that its panel does not speak.

They are kept so that somebody can see what is wrong, and so few of them a day that a stranger fills no disk: a stream holds a
day, of all accounts that nobody registered together, of a known panel by itself.
"""

from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider
from libs.eventkit.sealed import Sealed

PER_ACCOUNT, A_DAY = 10, 500
"""How many frames are kept of an account and reason, and in all."""


class FrameUnplaced(Struct, frozen=True, tag="frame_unplaced"):
    """`reason`: account_unknown, not_encrypted, encrypted_no_key, time_out_of_range, format. `size` in bytes."""

    account: str
    reason: str
    body: Sealed
    size: int
    device_id: UUID | None = None


class Kept(Struct, frozen=True):
    """How many, by account and reason."""

    counts: dict[str, int] = {}
    total: int = 0


def evolve(kept: Kept, event: FrameUnplaced) -> Kept:
    if not isinstance(event, FrameUnplaced):  # a key was made for it
        return kept
    name = f"{event.account} {event.reason}"
    return replace(kept, counts={**kept.counts, name: kept.counts.get(name, 0) + 1}, total=kept.total + 1)


class KeepUnplaced(Struct, frozen=True):
    account: str
    reason: str
    body: Sealed
    size: int
    device_id: UUID | None = None


def decide_keep(command: KeepUnplaced, kept: Kept) -> list[FrameUnplaced]:
    if kept.total >= A_DAY or kept.counts.get(f"{command.account} {command.reason}", 0) >= PER_ACCOUNT:
        return []
    return [FrameUnplaced(command.account, command.reason, command.body, command.size, command.device_id)]


UNPLACED = Decider[Kept, FrameUnplaced](category="unplaced", initial=Kept(), evolve=evolve, decide={KeepUnplaced: decide_keep})
