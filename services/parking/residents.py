"""Who lives in the community: kept in memory to know when somebody who moved out of a home lives nowhere in it any more."""

from functools import cache
from uuid import UUID

from libs.contracts.identity import ResidenceEnded, ResidenceStarted
from libs.eventkit.decider import NotYet
from libs.eventkit.memory import Memory
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App


class Residents:
    """A fold of what was heard; ask `ready` first."""

    def __init__(self) -> None:
        self.memory = Memory("residents", (ResidenceStarted, ResidenceEnded), self._apply)
        self._residences: dict[tuple[UUID, UUID], set[UUID]] = {}

    def _apply(self, event: ResidenceStarted | ResidenceEnded, row: Recorded) -> None:
        theirs = self._residences.setdefault((row.community_id, event.resident_id), set())
        if isinstance(event, ResidenceStarted):
            theirs.add(event.residence_id)
        else:
            theirs.discard(event.residence_id)

    async def ready(self, row: Recorded) -> None:
        """Returns when all up to the row is known. Raises NotYet where not all of its community can be read, Problem 503."""
        await self.memory.fresh(row.position)
        if row.community_id in self.memory.unreadable:
            raise NotYet("an event that this version cannot read")

    def live_here(self, community_id: UUID, person_id: UUID | None) -> bool:
        return person_id is not None and bool(self._residences.get((community_id, person_id)))


@cache
def residents_of(app: App) -> Residents:
    """The app's one book of them."""
    return Residents()
