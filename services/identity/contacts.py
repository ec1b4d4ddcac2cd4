"""Names and phones, sealed on their way in, opened only while an answer is built."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.eventkit.commands import Context, Done
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.log import Key
from libs.eventkit.privacy import Erased, Opened, Pending, masked, seal
from libs.eventkit.recorded import uuid7
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.identity.domain.residents import CorrectContact, RegisterResident

PURPOSE = "contact"


class Contact(Struct, frozen=True):
    """Sealed under the resident's key; while `new`, that key is announced with them."""

    key_id: UUID
    new: bool
    name: Sealed | None
    phone: Sealed | None


async def seal_contact(app: App, community_id: UUID, resident_id: UUID, name: str | None, phone: str | None) -> Contact:
    handle = await app.keyring.key_for(community_id, f"resident:{resident_id}", PURPOSE)
    bound_to = uuid7()

    def box(slot: str, text: str | None) -> Sealed | None:
        return seal(handle.dek, handle.key_id, bound_to, slot, text) if text else None

    return Contact(handle.key_id, handle.is_new, box("name", name), box("phone", phone))


async def register(
    app: App, resident_id: UUID, name: str, phone: str | None, context: Context, key: Key | None = None
) -> Done:
    """`phone` in E.164."""
    contact = await seal_contact(app, context.community_id, resident_id, name, phone)
    assert contact.name is not None
    command = RegisterResident(resident_id, contact.name, contact.phone)
    return await _say(app, resident_id, command, contact, context, key, None)


async def correct(
    app: App, resident_id: UUID, name: str | None, phone: str | None, context: Context, key: Key | None,
    expected: int | None,
) -> Done:
    """`phone` in E.164; `expected`: the version that the caller saw."""
    contact = await seal_contact(app, context.community_id, resident_id, name, phone)
    command = CorrectContact(resident_id, contact.name, contact.phone)
    return await _say(app, resident_id, command, contact, context, key, expected)


async def _say(
    app: App, resident_id: UUID, command: Struct, contact: Contact, context: Context, key: Key | None,
    expected: int | None,
) -> Done:
    first = [KeyCreated(contact.key_id)] if contact.new else []
    done = await app.commands.handle(resident_id, command, context, key=key, expected=expected, first=first)
    if contact.new and done.outcome.events:
        await app.keyring.announced(contact.key_id)
    return done


def text_of(opened: Opened | None) -> str | Erased | Pending | None:
    return opened.decode() if isinstance(opened, bytes) else opened


async def masked_contacts(app: App, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with `name` and `phone` as much as a list may show of them."""
    boxes = [msgspec.convert(row[slot], Sealed) for row in rows for slot in ("name", "phone") if row[slot]]
    opened = dict(zip(((b.event_id, b.slot) for b in boxes), await app.keyring.open_all(boxes), strict=True))

    def shown(row: dict[str, Any], slot: Any) -> Any:
        if not row[slot]:
            return None
        return masked(opened[UUID(row[slot]["event_id"]), slot], slot)

    return [{**row, "name": shown(row, "name"), "phone": shown(row, "phone")} for row in rows]
