"""Plates as a screen has them: masked, since a plate is a person's."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App


def masked(value: str) -> str:
    """The first two and the last two characters, the rest as stars."""
    return value[:2] + "*" * max(0, len(value) - 4) + value[-2:] if len(value) > 4 else "*" * len(value)


async def masked_plates(app: App, boxes: Sequence[dict[str, Any] | None]) -> list[str | None]:
    """None for a car without a plate; what cannot be opened (any more) reads `erased` or `pending`."""
    sealed = [Sealed(UUID(b["key_id"]), UUID(b["event_id"]), b["slot"], b["box"]) for b in boxes if b is not None]
    opened = iter(await app.keyring.open_all(sealed))
    found: list[str | None] = []
    for box in boxes:
        value = next(opened) if box is not None else None
        tag = getattr(getattr(value, "__struct_config__", None), "tag", None)
        found.append(masked(value.decode()) if isinstance(value, bytes) else tag)
    return found
