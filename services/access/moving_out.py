"""Who has left the community holds no card, PIN or face there any more, and readers are told to forget the face."""

from libs.contracts.identity import PersonLeft
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.access.book import DoorBook
from services.access.domain.credentials import RevokeCredential


def credentials_of_leavers(app: App, book: DoorBook) -> Reaction:
    async def person_left(event: PersonLeft, row: Recorded) -> list[Do]:
        """Who is back by now, for this may be heard late, has what they were given since."""
        here, person_id = row.community_id, event.person_id
        await book.ready(await app.database.pool(), row.position)
        book.understood(here)
        theirs = () if book.belongs(here, person_id) else book.credentials_of(here, person_id)
        return [Do(f"revoke {i}", i, RevokeCredential(i, "residence_ended")) for i in theirs]

    return Reaction("credentials_of_leavers", {PersonLeft: person_left}, apart=True)
