"""Plates as a screen has them: masked, since a plate is a person's."""

from collections.abc import Sequence
from typing import Any

import msgspec

from libs.eventkit.privacy import Erased, masked
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App


async def masked_plates(app: App, boxes: Sequence[dict[str, Any] | None]) -> list[str | None]:
    """None for a car without a plate; what cannot be opened (any more) reads `erased` or `pending`."""
    sealed = [msgspec.convert(box, Sealed) for box in boxes if box is not None]
    opened = iter(await app.keyring.open_all(sealed))
    found: list[str | None] = []
    for box in boxes:
        shown = masked(next(opened), "plate") if box is not None else None
        found.append(shown if shown is None or isinstance(shown, str) else "erased" if isinstance(shown, Erased) else "pending")
    return found
