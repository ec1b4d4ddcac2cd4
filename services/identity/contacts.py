"""Names, phones and ID numbers, sealed on their way in, opened only while an answer is built."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from libs.eventkit.commands import Context, Done
from libs.eventkit.decider import Refused
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.log import Key
from libs.eventkit.privacy import Erased, Opened, Pending, masked, seal
from libs.eventkit.recorded import uuid7
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.identity import lookups, withdrawn_numbers
from services.identity.domain.id_numbers import ID_NUMBER, RecordIdNumber
from services.identity.domain.residents import CorrectContact, RegisterResident
from services.identity.national.telephones import Telephone

PURPOSE = "contact"
SLOTS = ("name", "phone", "id_number")
"""What is masked in lists, each in its own way."""


class Contact(Struct, frozen=True):
    """Sealed under the resident's key; while `new`, that key is announced with them."""

    key_id: UUID
    new: bool
    name: Sealed | None
    phone: Sealed | None


async def seal_contact(app: App, community_id: UUID, resident_id: UUID, name: str | None, phone: Telephone | None) -> Contact:
    handle = await app.keyring.key_for(community_id, f"resident:{resident_id}", PURPOSE)
    bound_to = uuid7()

    def box(slot: str, text: str | None) -> Sealed | None:
        return seal(handle.dek, handle.key_id, bound_to, slot, text) if text else None

    return Contact(handle.key_id, handle.is_new, box("name", name), box("phone", phone.value if phone else None))


async def register(
    app: App, resident_id: UUID, name: str, phone: Telephone | None, context: Context, key: Key | None = None
) -> Done:
    contact = await seal_contact(app, context.community_id, resident_id, name, phone)
    assert contact.name is not None
    command = RegisterResident(resident_id, contact.name, contact.phone, phone.findings if phone else ())
    return await _say(app, resident_id, command, contact, context, key, None)


async def correct(
    app: App, resident_id: UUID, name: str | None, phone: Telephone | None, context: Context, key: Key | None,
    expected: int | None, no_phone: bool = False,
) -> Done:
    """`expected`: the version that the caller saw."""
    contact = await seal_contact(app, context.community_id, resident_id, name, phone)
    command = CorrectContact(resident_id, contact.name, contact.phone, phone.findings if phone else (), no_phone)
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


def as_shown(slot: str, value: str | Erased | Pending | None) -> dict[str, str | None]:
    """As the gateway shows it: what cannot be opened reads null, and `<slot>_state` says why."""
    match value:
        case str():
            return {slot: value, f"{slot}_state": "known"}
        case Erased():
            return {slot: None, f"{slot}_state": "erased"}
        case Pending():
            return {slot: None, f"{slot}_state": "pending"}
        case None:
            return {slot: None, f"{slot}_state": "none"}


def text_of(opened: Opened | None) -> str | Erased | Pending | None:
    return opened.decode() if isinstance(opened, bytes) else opened


async def record_id_number(
    app: App, resident_id: UUID, number: str, findings: tuple[str, ...], context: Context, key: Key | None
) -> Done:
    """`number` in its stored form. Raises Refused id_number_taken, `held_by` whom, if it is still recorded of them; NotYet where one was
    withdrawn in this moment."""
    await withdrawn_numbers.destroy(app, resident_id, context.community_id, lambda name: structs.replace(context, name=name))
    handle = await app.keyring.key_for(context.community_id, f"resident:{resident_id}", ID_NUMBER)
    index = app.blind.of(context.community_id, ID_NUMBER, number)
    command = RecordIdNumber(resident_id, seal(handle.dek, handle.key_id, uuid7(), ID_NUMBER, number), index, findings)
    try:
        return await _say(app, resident_id, command, Contact(handle.key_id, handle.is_new, None, None), context, key, None)
    except Refused as refused:
        if refused.code != "id_number_taken":
            raise
        holder = await lookups.resident_of_id_number(app, context.community_id, index)
        raise Refused(refused.code, **({"held_by": holder} if holder else {})) from refused


async def in_full(app: App, resident_id: UUID, community_id: UUID, id_number: bool) -> dict[str, Any]:
    """In the clear: for whoever it is, or for somebody whose look is on record. Raises NotFound."""
    known = await lookups.resident(app, resident_id, community_id)
    name = await app.keyring.open(known.name)
    phone = await app.keyring.open(known.phone) if known.phone else None
    shown: dict[str, Any] = {"id": resident_id, "name": text_of(name), "phone": text_of(phone)}
    if id_number:
        number = await lookups.id_number(app, resident_id, community_id)
        shown["id_number"] = text_of(await app.keyring.open(number)) if number else None
    return shown


async def masked_contacts(app: App, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with as much of their SLOTS as a list may show."""
    boxes = [msgspec.convert(row[slot], Sealed) for row in rows for slot in SLOTS if row[slot]]
    opened = dict(zip(((b.event_id, b.slot) for b in boxes), await app.keyring.open_all(boxes), strict=True))

    def shown(row: dict[str, Any], slot: Any) -> dict[str, str | None]:
        return as_shown(slot, masked(opened[UUID(row[slot]["event_id"]), row[slot]["slot"]], slot) if row[slot] else None)

    return [row | shown(row, "name") | shown(row, "phone") | shown(row, "id_number") for row in rows]
