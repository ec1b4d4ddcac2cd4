"""Display names in the clear: checked and sealed on their way in, opened only while an answer is built."""

from collections.abc import Sequence
from uuid import UUID

from libs.contracts.identity import ResidentRegistered
from libs.eventkit.commands import Context, Done
from libs.eventkit.decider import NotYet, Refused
from libs.eventkit.erasing import is_erased
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.log import Key
from libs.eventkit.privacy import Pending, seal
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded, uuid7
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.neighbors.book import CircleBook
from services.neighbors.domain.display_names import SCOPE, ChooseDisplayName, DisplayNameChosen, DropDisplayName
from services.neighbors.domain.name_rules import OWN_NAME, gives_away, normalised, skeleton, why_not

PURPOSE, SLOT = "neighbor", "display_name"


async def names_of(app: App, book: CircleBook, community_id: UUID, residents: Sequence[UUID]) -> list[str]:
    """What these are called: as they have chosen, else as was given them, also when what they had chosen is erased."""
    chosen = [book.chosen_name(community_id, resident_id) for resident_id in residents]
    boxes = [box for box in chosen if box is not None]
    opened = dict(zip(((b.key_id, b.event_id) for b in boxes), await app.keyring.open_all(boxes), strict=True))

    def name(resident_id: UUID, box: Sealed | None) -> str:
        plain = opened[box.key_id, box.event_id] if box is not None else None
        return plain.decode() if isinstance(plain, bytes) else book.given_name(community_id, resident_id)

    return [name(resident_id, box) for resident_id, box in zip(residents, chosen, strict=True)]


async def own_name(app: App, book: CircleBook, community_id: UUID, resident_id: UUID) -> str:
    """Under which somebody is registered; empty where it was erased. Raises NotYet while it, or its key, is on its way:
    nothing could be compared with it."""
    if book.is_erased(community_id, resident_id):
        return ""
    field = book.registered_name(community_id, resident_id)
    if field is None:
        raise NotYet("under which name somebody is registered")
    opened = await app.keyring.open(Sealed(field.key_id, field.event_id, field.slot, field.box))
    if isinstance(opened, Pending):
        raise app.key_missing("the key of a name")
    return opened.decode() if isinstance(opened, bytes) else ""


async def choose(app: App, book: CircleBook, resident_id: UUID, text: str, context: Context, key: Key | None) -> Done:
    """Raises Refused by the rules of `domain/name_rules.py` and `domain/display_names.py`, NotYet."""
    community_id = context.community_id
    if await is_erased(app, community_id, resident_id):
        raise Refused("resident_erased")
    await book.ready()
    book.understood(community_id)
    name, is_member = normalised(text), book.belongs(community_id, community_id, resident_id)
    registered = await own_name(app, book, community_id, resident_id) if is_member else ""
    handle = await app.keyring.key_for(community_id, f"neighbor:{resident_id}", PURPOSE)
    command = ChooseDisplayName(
        resident_id=resident_id, name=seal(handle.dek, handle.key_id, uuid7(), SLOT, name),
        index=app.blind.of(community_id, SCOPE, skeleton(name)), is_member=is_member, objection=why_not(name, registered),
        unchanged=await names_of(app, book, community_id, [resident_id]) == [name], now=context.now)
    done = await app.commands.handle(
        resident_id, command, context, key=key, first=[KeyCreated(handle.key_id)] if handle.is_new else [])
    if handle.is_new and done.outcome.events:
        await app.keyring.announced(handle.key_id)
    return done


def given_away(app: App, book: CircleBook) -> Reaction:
    """Whoever is registered under another name may have it in their display name by now; and what was chosen a moment before
    that was heard, too."""

    async def check(event: ResidentRegistered | DisplayNameChosen, row: Recorded) -> list[Do]:
        await book.ready(row.position)
        box = book.chosen_name(row.community_id, event.resident_id)
        if box is None:
            return []
        registered = await own_name(app, book, row.community_id, event.resident_id)
        chosen = await app.keyring.open(box)
        if not isinstance(chosen, bytes) or not gives_away(chosen.decode(), registered):
            return []
        return [Do("drop", event.resident_id, DropDisplayName(event.resident_id, OWN_NAME))]

    return Reaction("names_given_away", {ResidentRegistered: check, DisplayNameChosen: check}, key=_of_resident, apart=True)


def _of_resident(event: ResidentRegistered | DisplayNameChosen, row: Recorded) -> str:
    return f"resident:{event.resident_id}"
