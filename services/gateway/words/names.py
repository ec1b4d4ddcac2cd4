"""How things are called that an event speaks of: by their names, as far as the reader may know them. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.contracts.access import FireReleaseBegun, FireReleaseEnded, FireReleaseJoined, LiftInstalled
from libs.contracts.neighbors import BroadcastEnded, BroadcastSent, CircleJoined, CircleLeft, NoticePosted

Names = Mapping[UUID, str]
"""Of doors, lifts, devices, sensors, lanes, lots, buildings and homes by id; of persons on duty their role, of erased ones ERASED."""
ERASED = "erased"
"""What stands for the name of somebody who was erased; each language has words for it."""


BY_HAND = "by_hand"
"""The rule of what a person decided, also where the reader may not know which."""


class Gone(Struct, frozen=True):
    """Stands for an event whose content retention has taken."""

    type: str


class RightChanged(Struct, frozen=True):
    """Stands for a stay that nobody recognised: the right under which it stands was granted, renewed or ended."""

    person_id: UUID | None


def short(thing: UUID) -> str:
    """The end of an id: persons go by it, since a name would have to be opened."""
    return f"…{str(thing)[-6:]}"


def building_of(event: Any) -> UUID | None:
    """The building that an event speaks of, or whose zone it speaks of."""
    if isinstance(event, LiftInstalled | FireReleaseBegun | FireReleaseJoined | FireReleaseEnded | BroadcastSent | BroadcastEnded
                  | NoticePosted | CircleJoined | CircleLeft):
        return event.building_id
    if not isinstance(zone := getattr(event, "zone", ""), str):  # of an alarm panel: a number
        return None
    kind, _, number = zone.partition(":")
    try:
        return UUID(number) if kind == "building" else None
    except ValueError:
        return None


def moment(at: datetime) -> str:
    """In UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def minute(at: datetime) -> str:
    """In UTC, to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def yuan(fen: int) -> str:
    """¥, with two decimals."""
    return f"¥{fen // 100}.{fen % 100:02}" if fen >= 0 else f"−¥{-fen // 100}.{-fen % 100:02}"
