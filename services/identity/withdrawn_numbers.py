"""A number that was withdrawn is somebody else's: its key goes, so that it rests nowhere, though whom it was recorded of stays."""

from collections.abc import Callable
from uuid import UUID

from libs.eventkit.commands import Context
from libs.eventkit.erasing import EraseKey
from libs.eventkit.reactions import Do, Reaction, context_of
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.identity.domain.id_numbers import ID_NUMBERS, Forgotten, IdNumberWithdrawn
from services.identity.lookups import state_now


async def destroy(app: App, resident_id: UUID, community_id: UUID, context: Callable[[str], Context]) -> None:
    """The keys of what was withdrawn of a resident. As with an erasure the log says that a key is gone before it is, so that whoever comes
    next does the rest."""
    known = await state_now(app, ID_NUMBERS, resident_id, community_id)
    for key_id in () if isinstance(known, Forgotten) else sorted(known.withdrawn):
        await app.commands.handle(key_id, EraseKey(key_id), context(f"erase {key_id}"))
        await app.keyring.erase(key_id)


def numbers_withdrawn(app: App) -> Reaction:
    async def withdrawn(event: IdNumberWithdrawn, row: Recorded) -> list[Do]:
        await destroy(app, event.resident_id, row.community_id, lambda name: context_of(row, name))
        return []

    return Reaction("numbers_withdrawn", {IdNumberWithdrawn: withdrawn}, apart=True)
