"""How things are called that an event speaks of: by their names, as far as the reader may know them. Pure."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from libs.contracts.access import LiftInstalled

Names = Mapping[UUID, str]
"""Of doors, devices, lanes, lots, buildings and homes by id."""


def short(thing: UUID) -> str:
    """The end of an id: persons go by it, since a name would have to be opened."""
    return f"…{str(thing)[-6:]}"


def building_of(event: Any) -> UUID | None:
    """The building that an event speaks of, or whose zone it speaks of."""
    if isinstance(event, LiftInstalled):
        return event.building_id
    kind, _, number = getattr(event, "zone", "").partition(":")
    try:
        return UUID(number) if kind == "building" else None
    except ValueError:
        return None


def yuan(fen: int) -> str:
    """¥, with two decimals."""
    return f"¥{fen // 100}.{fen % 100:02}" if fen >= 0 else f"−¥{-fen // 100}.{-fen % 100:02}"
