"""Who has moved out of the community holds no card, PIN or face there any more, and readers are told to forget the face."""

from libs.contracts.identity import ResidenceEnded
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from libs.eventkit.timers import Due, Timer
from services.access.book import DoorBook
from services.access.domain.credentials import RevokeCredential
from services.access.domain.move_outs import MOVE_OUTS, NoteMoveOut, SettleMoveOut, due


def residences_ended(app: App, book: DoorBook) -> Reaction:
    async def residence_ended(event: ResidenceEnded, row: Recorded) -> list[Do]:
        await book.ready(await app.database.pool(), row.position)
        book.understood(row.community_id)
        if book.belongs(row.community_id, event.resident_id):
            return []
        return [Do("note", event.residence_id, NoteMoveOut(event.residence_id, event.resident_id, row.recorded_at))]

    return Reaction("residences_ended", {ResidenceEnded: residence_ended}, apart=True)


def moving_out(app: App, book: DoorBook) -> Timer:
    async def settle(now_due: Due) -> None:
        here, person_id = now_due.community_id, now_due.state.person_id
        await book.ready(await app.database.pool())
        book.understood(here)
        gone = not book.belongs(here, person_id)
        for credential_id in book.credentials_of(here, person_id) if gone else ():
            command = RevokeCredential(credential_id, "residence_ended")
            await app.commands.handle(credential_id, command, now_due.context(f"revoke {credential_id}"))
        await app.commands.handle(now_due.subject_id, SettleMoveOut(now_due.subject_id, gone), now_due.context("settle"))

    return Timer("move_outs", MOVE_OUTS, due, settle)
