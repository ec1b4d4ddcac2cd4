"""Readers forget a face that was revoked: each is told until it confirms it, or is retired.

A reader keeps the face under the credential's id as employee number, a person of its own there: to delete that person deletes the face and
nothing else. It is told by PUT /ISAPI/AccessControl/UserInfo/Delete (ISAPI developer guide, person-based access control); a person whom
the reader does not know is deleted all the same.
"""

from datetime import UTC, datetime
from functools import partial

import httpx
from msgspec import Struct

from libs.contracts.access import FaceRevoked
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from libs.eventkit.timers import Due, Timer
from services.devices.adapters.isapi_client import delete_person
from services.devices.device_book import DeviceBook
from services.devices.domain.templates import (
    TEMPLATES,
    EndWithReader,
    RecordTemplateNotRemoved,
    RecordTemplateRemoved,
    ToRemove,
    WantTemplateRemoved,
    due,
    removal_id_of,
)
from services.devices.effects import told

AT_ONCE = 32


def faces_to_forget(book: DeviceBook) -> Reaction:

    async def revoked(event: FaceRevoked, row: Recorded) -> list[Do]:
        await book.memory.fresh(row.position)
        found = []
        for device_id in book.readers(row.community_id):
            want = WantTemplateRemoved(event.credential_id, device_id, row.recorded_at)
            found.append(Do(f"forget at {device_id}", removal_id_of(event.credential_id, device_id), want))
        return found

    return Reaction("faces_to_forget", {FaceRevoked: revoked}, apart=True)


def forgetting(app: App, book: DeviceBook, client: httpx.AsyncClient) -> Timer:

    async def fire(now_due: Due) -> None:
        command = await tell(now_due.state, now_due)
        await app.commands.handle(now_due.subject_id, command, now_due.context(f"told {now_due.state.attempts + 1}"))

    async def tell(face: ToRemove, now_due: Due) -> Struct:
        device = await book.find(face.device_id)
        if face.device_id in book.retired:
            return EndWithReader(face.credential_id, face.device_id, datetime.now(UTC))
        mine = device if device is not None and device.community_id == now_due.community_id else None
        outcome = await told(app, client, mine, partial(delete_person, employee_number=face.credential_id.hex))
        if outcome.result == "carried_out":
            return RecordTemplateRemoved(face.credential_id, face.device_id)
        return RecordTemplateNotRemoved(
            face.credential_id, face.device_id, outcome.result, outcome.code[:64], face.attempts + 1, datetime.now(UTC))

    return Timer("templates", TEMPLATES, due, fire, AT_ONCE)
