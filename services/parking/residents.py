"""Who has ever lived in the community: whatever is theirs there ends when they leave it, and not with one of their homes."""

from functools import cache
from uuid import UUID

from libs.contracts.identity import ResidenceStarted
from libs.eventkit.decider import NotYet
from libs.eventkit.memory import Memory
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App


class Residents:
    """A fold of what was heard; ask `ready` first."""

    def __init__(self) -> None:
        self.memory = Memory("residents", (ResidenceStarted,), self._apply)
        self._known: set[tuple[UUID, UUID | None]] = set()

    def _apply(self, event: ResidenceStarted, row: Recorded) -> None:
        self._known.add((row.community_id, event.resident_id))

    async def ready(self, row: Recorded) -> None:
        """Returns when all up to the row is known. Raises NotYet where not all of its community can be read, Problem 503."""
        await self.memory.fresh(row.position)
        if row.community_id in self.memory.unreadable:
            raise NotYet("an event that this version cannot read")

    def know(self, community_id: UUID, person_id: UUID | None) -> bool:
        return (community_id, person_id) in self._known


@cache
def residents_of(app: App) -> Residents:
    """The app's one book of them."""
    return Residents()
