"""Who keeps which vehicle, and whose residence has ended: kept in memory to find what ends with a residence or a person's erasure."""

from functools import cache
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import NotYet
from libs.eventkit.memory import Memory
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.identity.domain.residences import ResidenceEnded
from services.identity.domain.vehicles import KeeperConfirmed, KeeperEnded, VehicleRegistered, VehicleRemoved

Event = VehicleRegistered | KeeperConfirmed | KeeperEnded | VehicleRemoved | ResidenceEnded
Household = tuple[UUID, UUID, UUID]
"""Community, home and resident."""


class MoveOut(Struct, frozen=True):
    event_id: UUID
    position: int


class Keepers:
    """A fold of the own log; ask `ready` first."""

    def __init__(self) -> None:
        self.memory = Memory("keepers", Event.__args__, self._apply)
        self._kept: dict[Household, set[UUID]] = {}
        self._by: dict[UUID, Household] = {}
        self._left: dict[Household, MoveOut] = {}
        self._last: dict[UUID, tuple[UUID, UUID]] = {}
        self._last_of: dict[tuple[UUID, UUID], set[UUID]] = {}

    def _apply(self, event: Event, row: Recorded) -> None:
        here = row.community_id
        if isinstance(event, ResidenceEnded):
            self._left[here, event.home_id, event.resident_id] = MoveOut(row.event_id, row.position)
            return
        if (before := self._by.pop(event.vehicle_id, None)) is not None:
            self._kept[before].discard(event.vehicle_id)
        if not isinstance(event, VehicleRemoved) and event.keeper_id is not None:
            household = self._by[event.vehicle_id] = (here, event.home_id, event.keeper_id)
            self._kept.setdefault(household, set()).add(event.vehicle_id)
        if not isinstance(event, VehicleRemoved):
            self._note_last(event.vehicle_id, (here, event.keeper_id) if event.keeper_id is not None else None)

    def _note_last(self, vehicle_id: UUID, keeper: tuple[UUID, UUID] | None) -> None:
        if (before := self._last.pop(vehicle_id, None)) is not None:
            self._last_of[before].discard(vehicle_id)
        if keeper is not None:
            self._last[vehicle_id] = keeper
            self._last_of.setdefault(keeper, set()).add(vehicle_id)

    async def ready(self, row: Recorded) -> None:
        """Returns when all up to the row is known. Raises NotYet where not all of its community can be read, Problem 503."""
        await self.memory.fresh(row.position)
        if row.community_id in self.memory.unreadable:
            raise NotYet("an event that this version cannot read")

    def vehicles_of(self, household: Household) -> list[UUID]:
        return sorted(self._kept.get(household, ()))

    def last_kept(self, community_id: UUID, resident_id: UUID) -> list[UUID]:
        """What the resident keeps, and what is gone and nobody has kept after them."""
        return sorted(self._last_of.get((community_id, resident_id), ()))

    def left(self, household: Household) -> MoveOut | None:
        """The latest time that the resident has moved out of the home."""
        return self._left.get(household)


@cache
def keepers_of(app: App) -> Keepers:
    """The app's one book of them."""
    return Keepers()
