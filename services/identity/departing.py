"""Says who has left the community (`domain/departures.py`): noted with their last residence or duty, settled when it is due."""

from functools import cache
from uuid import UUID, uuid5

from libs.contracts.permissions import ON_DUTY
from libs.eventkit.decider import NotYet
from libs.eventkit.memory import Memory
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from libs.eventkit.timers import Due, Timer
from services.identity.domain.accounts import AccountClosed, AccountOpened
from services.identity.domain.departures import DEPARTURES, NoteDeparture, SettleDeparture, due
from services.identity.domain.residences import ResidenceEnded, ResidenceStarted

Event = ResidenceStarted | ResidenceEnded | AccountOpened | AccountClosed


class Belonging:
    """Who lives in the community or is on duty there: a fold of the own log; ask `ready` first."""

    def __init__(self) -> None:
        self.memory = Memory("belonging", Event.__args__, self._apply)
        self._because: dict[tuple[UUID, UUID], set[UUID]] = {}

    def _apply(self, event: Event, row: Recorded) -> None:
        match event:
            case ResidenceStarted(residence_id=because, resident_id=person_id):
                self._because.setdefault((row.community_id, person_id), set()).add(because)
            case AccountOpened(account_id=because, person_id=person_id, role=role) if role in ON_DUTY:
                self._because.setdefault((row.community_id, person_id), set()).add(because)
            case ResidenceEnded(residence_id=because, resident_id=person_id) | AccountClosed(account_id=because, person_id=person_id):
                self._because.get((row.community_id, person_id), set()).discard(because)

    async def ready(self, community_id: UUID, position: int = 0) -> None:
        """Raises NotYet where not all of its community can be read, Problem 503."""
        await self.memory.fresh(position)
        if community_id in self.memory.unreadable:
            raise NotYet("an event that this version cannot read")

    def belongs(self, community_id: UUID, person_id: UUID) -> bool:
        return bool(self._because.get((community_id, person_id)))


@cache
def belonging_of(app: App) -> Belonging:
    """The app's one book of them."""
    return Belonging()


def departures(app: App) -> Reaction:
    belonging = belonging_of(app)

    async def ended(person_id: UUID, row: Recorded) -> list[Do]:
        here = row.community_id
        await belonging.ready(here, row.position)
        if belonging.belongs(here, person_id):
            return []
        return [Do("note", uuid5(here, f"departure {person_id}"), NoteDeparture(person_id, row.recorded_at))]

    async def residence_ended(event: ResidenceEnded, row: Recorded) -> list[Do]:
        return await ended(event.resident_id, row)

    async def account_closed(event: AccountClosed, row: Recorded) -> list[Do]:
        return await ended(event.person_id, row) if event.role in ON_DUTY else []

    return Reaction("departures", {ResidenceEnded: residence_ended, AccountClosed: account_closed}, apart=True)


def departing(app: App) -> Timer:
    belonging = belonging_of(app)

    async def settle(now_due: Due) -> None:
        await belonging.ready(now_due.community_id, await app.log.last())
        belongs = belonging.belongs(now_due.community_id, now_due.state.person_id)
        await app.commands.handle(now_due.subject_id, SettleDeparture(belongs), now_due.context("settle"))

    return Timer("departing", DEPARTURES, due, settle)
