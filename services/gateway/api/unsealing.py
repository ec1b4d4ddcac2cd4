"""Opens what rests sealed while an answer is built; what cannot be opened reads null, and its state says why."""

import logging
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from libs.eventkit.privacy import Erased, KeyRing, Opened, Pending, Tampered, masked
from libs.eventkit.sealed import Sealed

log = logging.getLogger(__name__)

State = Literal["known", "pending", "erased", "unreadable", "none"]
"""pending: it or its key has not come; erased: it or its key was deleted; none: there is nothing sealed."""
Box = dict[str, Any] | None


async def name_of(keyring: KeyRing, rows: Sequence[dict[str, Any]]) -> tuple[str | None, State]:
    """Of the one row of a resident, or none, with `name` and `erased`: nobody waits for keys to hear that somebody was erased."""
    if rows and rows[0]["erased"]:
        return None, "erased"
    return await opened(keyring, rows[0]["name"] if rows else None)


async def opened(keyring: KeyRing, box: Box) -> tuple[str | None, State]:
    return (await opened_all(keyring, [box]))[0]


async def opened_all(keyring: KeyRing, boxes: Sequence[Box]) -> list[tuple[str | None, State]]:
    """The same for a page of them, with one query for their keys."""
    sealed = [msgspec.convert(box, Sealed) for box in boxes if box is not None]
    try:
        found = [_told(one) for one in await keyring.open_all(sealed)]
    except Tampered:  # one of them: the others are not to suffer for it
        found = [await _alone(keyring, one) for one in sealed]
    each = iter(found)
    return [next(each) if box is not None else (None, "none") for box in boxes]


async def masked_plates(keyring: KeyRing, boxes: Sequence[Box]) -> list[tuple[str | None, State]]:
    """As staff and guards have them: 沪A***P2."""
    return [
        (str(masked(text, "plate")) if text is not None else None, state) for text, state in await opened_all(keyring, boxes)]


async def _alone(keyring: KeyRing, sealed: Sealed) -> tuple[str | None, State]:
    try:
        return _told(await keyring.open(sealed))
    except Tampered:
        log.error("a sealed value does not open with its key")
        return None, "unreadable"


def _told(found: Opened) -> tuple[str | None, State]:
    match found:
        case Pending():
            return None, "pending"
        case Erased():
            return None, "erased"
        case bytes():
            return found.decode(), "known"
