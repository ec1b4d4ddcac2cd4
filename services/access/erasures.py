"""What goes with a resident who is erased: their cards and PINs, the passes of their visitors, and the keys of both. And the key of
every pass that retention has blanked: nothing then leads from a host to it any more, and parking keeps the plate under it.

A card that was revoked so is known to nobody: shown again, it is refused like any card that was never issued.
"""

from typing import Any
from uuid import UUID

from libs.contracts.identity import ResidentErased
from libs.eventkit.decider import Refused
from libs.eventkit.erasing import EraseKey, begin, erasing, is_erased
from libs.eventkit.reactions import Do, Reaction, context_of
from libs.eventkit.recorded import Recorded, Retired
from libs.eventkit.service import App
from services.access.book import DoorBook
from services.access.domain.credentials import CredentialIssued, RevokeCredential
from services.access.domain.pass_history import VisitorPassIssued
from services.access.domain.visitor_passes import PASSES, RevokePass

_PASSES = (
    "select k.subject from keys k where k.community_id = $1 and k.owner = 'access' and starts_with(k.subject, $2)"
    " and exists (select from events e where e.stream = k.subject and e.type = 'visitor_pass_issued' and e.data->>'host_id' = $3)"
    " order by k.subject")
"""Subjects of the keys of all passes that a host has issued and retention has left: a pass's stream is called like the subject."""
_BLANKED = (
    "select k.key_id from keys k where k.community_id = $1 and k.owner = 'access' and starts_with(k.subject, $2)"
    " and exists (select from events e where e.stream = k.subject and e.position between $3 and $4 and e.hash is not null)"
    " order by k.key_id")
"""Keys of the passes that are blanked among these positions."""


async def refuse_erased(app: App, community_id: UUID, person_id: UUID) -> None:
    """Raises Refused, NotFound for a person of another community."""
    if await is_erased(app, community_id, person_id):
        raise Refused("resident_erased")


def erasures(app: App, book: DoorBook) -> tuple[Reaction, ...]:
    async def resident_erased(event: ResidentErased, row: Recorded) -> list[Do]:
        await book.ready(await app.database.pool(), row.position)
        book.understood(row.community_id)
        here, person_id = row.community_id, event.resident_id
        passes = await (await app.database.pool()).fetch(_PASSES, here, f"{PASSES.category}:", str(person_id))
        return [
            *(_revocation(i) for i in book.credentials_of(here, person_id)),
            *(Do(f"revoke {i}", i, RevokePass(i, "host_erased", row.recorded_at))
              for i in book.open_passes_of(here, person_id, row.recorded_at)),
            begin(person_id, f"resident:{person_id}", *(p["subject"] for p in passes))]

    async def issued(event: CredentialIssued, row: Recorded) -> list[Do]:
        """Decided before the erasure was heard, stored after."""
        if not await is_erased(app, row.community_id, event.person_id):
            return []
        return [_revocation(event.credential_id), begin(event.person_id, f"resident:{event.person_id}", again=True)]

    async def invited(event: VisitorPassIssued, row: Recorded) -> list[Do]:
        if not await is_erased(app, row.community_id, event.host_id):
            return []
        revocation = Do("revoke", event.pass_id, RevokePass(event.pass_id, "host_erased", row.recorded_at))
        return [revocation, begin(event.host_id, f"{PASSES.category}:{event.pass_id}", again=True)]

    async def retired(event: Retired, row: Recorded) -> list[Do]:
        """As in `erasing`: the log says that a key is gone before it is."""
        where = row.community_id, f"{PASSES.category}:", event.first, event.upto
        keys = [key["key_id"] for key in await (await app.database.pool()).fetch(_BLANKED, *where)]
        for key_id in keys:
            await app.commands.handle(key_id, EraseKey(key_id), context_of(row, f"erase {key_id}"))
        for key_id in keys:
            await app.keyring.erase(key_id)
        return []

    return (
        Reaction("residents_erased", {ResidentErased: resident_erased, CredentialIssued: issued, VisitorPassIssued: invited},
                 key=_of_person, apart=True),
        Reaction("passes_retired", {Retired: retired}),
        erasing(app))


def _of_person(event: Any, row: Recorded) -> str:
    found = getattr(event, "resident_id", None) or getattr(event, "person_id", None) or getattr(event, "host_id", None)
    return f"resident:{found}"


def _revocation(credential_id: UUID) -> Do:
    return Do(f"revoke {credential_id}", credential_id, RevokeCredential(credential_id, "erased"))
