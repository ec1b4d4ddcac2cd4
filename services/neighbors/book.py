"""What neighbors keeps in memory: who belongs to which circle, what they are called, which broadcasts run. A fold of the own log.

Names stay sealed in it. The given name of each resident is settled by the order in which they joined the community's circle,
so that every process that has read the log calls them the same.
"""

from collections.abc import Callable
from uuid import UUID

from libs.contracts.alarm import IncidentFoundFalse, IncidentResolved
from libs.contracts.fields import SealedField
from libs.contracts.identity import BuildingRegistered, CommunityFounded, ResidentErased, ResidentRegistered
from libs.eventkit.decider import NotFound, NotYet
from libs.eventkit.memory import Memory
from libs.eventkit.recorded import Recorded
from libs.eventkit.sealed import Sealed
from services.neighbors.domain.broadcasts import BroadcastEnded, BroadcastSent
from services.neighbors.domain.circles import MemberJoined, MemberLeft
from services.neighbors.domain.display_names import DisplayNameChosen, DisplayNameDropped
from services.neighbors.domain.given_names import given_name

Event = (
    CommunityFounded | BuildingRegistered | ResidentRegistered | ResidentErased | MemberJoined | MemberLeft | DisplayNameChosen
    | DisplayNameDropped | BroadcastSent | BroadcastEnded | IncidentResolved | IncidentFoundFalse)
Hash = Callable[[UUID, str, str], str]
"""A keyed hash of a value in a scope of a community: `BlindIndex.of`."""


class CircleBook:
    """Ask `ready` before whatever is decided from it."""

    def __init__(self, hash_: Hash) -> None:
        self.memory = Memory("circle_book", Event.__args__, self._apply)
        self._hash = hash_
        self._circles: dict[UUID, tuple[UUID, UUID | None]] = {}
        self._members: dict[UUID, dict[UUID, str]] = {}
        self._registered: dict[tuple[UUID, UUID], SealedField] = {}
        self._chosen: dict[tuple[UUID, UUID], Sealed] = {}
        self._given: dict[tuple[UUID, UUID], str] = {}
        self._taken: set[tuple[UUID, str]] = set()
        self._running: dict[UUID, dict[UUID, None]] = {}
        self._over: set[UUID] = set()
        self._erased: set[tuple[UUID, UUID]] = set()

    def _apply(self, event: Event, row: Recorded) -> None:
        here = row.community_id
        match event:
            case CommunityFounded(community_id=community_id):
                self._circles[community_id] = (here, None)
            case BuildingRegistered(building_id=building_id):
                self._circles[building_id] = (here, building_id)
            case ResidentRegistered(resident_id=resident_id, name=name):
                self._registered[here, resident_id] = name
            case ResidentErased(resident_id=resident_id):
                self._erased.add((here, resident_id))
                self._chosen.pop((here, resident_id), None)
                self._registered.pop((here, resident_id), None)
            case MemberJoined(circle_id=circle_id, building_id=building_id, resident_id=resident_id):
                self._circles.setdefault(circle_id, (here, building_id))
                shown = self._hash(here, f"member of {circle_id}", str(resident_id))
                self._members.setdefault(circle_id, {})[resident_id] = shown
                self._give(here, resident_id)
            case MemberLeft(circle_id=circle_id, resident_id=resident_id):
                self._members.get(circle_id, {}).pop(resident_id, None)
            case DisplayNameChosen(resident_id=resident_id, name=name):
                self._chosen[here, resident_id] = name
            case DisplayNameDropped(resident_id=resident_id):
                self._chosen.pop((here, resident_id), None)
            case BroadcastSent(broadcast_id=broadcast_id, building_id=building_id):
                self._running.setdefault(building_id, {})[broadcast_id] = None
            case BroadcastEnded(broadcast_id=broadcast_id, building_id=building_id):
                self._running.get(building_id, {}).pop(broadcast_id, None)
            case IncidentResolved(incident_id=incident_id) | IncidentFoundFalse(incident_id=incident_id):
                self._over.add(incident_id)

    def _give(self, community_id: UUID, resident_id: UUID) -> None:
        """The first name of theirs that is free; once given it stays theirs, also when they have moved out."""
        if (community_id, resident_id) in self._given:
            return
        seed, attempt = self._hash(community_id, "given name", str(resident_id)), 0
        while (community_id, name := given_name(seed, attempt)) in self._taken:
            attempt += 1
        self._given[community_id, resident_id] = name
        self._taken.add((community_id, name))

    async def ready(self, position: int = 0) -> None:
        """Returns when the book is fresh and has passed `position`. Raises Problem 503 not_ready when it cannot be."""
        await self.memory.fresh(position)

    def understood(self, community_id: UUID) -> None:
        """Raises NotYet where this version cannot read all that was said of the community: it might be a move."""
        if community_id in self.memory.unreadable:
            raise NotYet("an event that this version cannot read")

    def building_of(self, community_id: UUID, circle_id: UUID) -> UUID | None:
        """Whose circle it is; None: the community's. Raises NotFound, also for one of another community."""
        owner, building_id = self._circles.get(circle_id, (None, None))
        if owner != community_id:
            raise NotFound("circle")
        return building_id

    def building(self, community_id: UUID, building_id: UUID) -> UUID:
        """Raises NotFound for what is no building of the community."""
        if self._circles.get(building_id) != (community_id, building_id):
            raise NotFound("building")
        return building_id

    def members(self, community_id: UUID, circle_id: UUID) -> dict[UUID, str]:
        """Residents, each with the id under which other members see them, from which nobody gets to the resident."""
        owner, _ = self._circles.get(circle_id, (None, None))
        return self._members.get(circle_id, {}) if owner == community_id else {}

    def reached(self, community_id: UUID, circle_id: UUID) -> set[UUID]:
        """Members whom one can tell something: all but those who are erased."""
        return {i for i in self.members(community_id, circle_id) if not self.is_erased(community_id, i)}

    def is_erased(self, community_id: UUID, resident_id: UUID) -> bool:
        return (community_id, resident_id) in self._erased

    def belongs(self, community_id: UUID, circle_id: UUID, resident_id: UUID) -> bool:
        return resident_id in self.members(community_id, circle_id)

    def registered_name(self, community_id: UUID, resident_id: UUID) -> SealedField | None:
        return self._registered.get((community_id, resident_id))

    def chosen_name(self, community_id: UUID, resident_id: UUID) -> Sealed | None:
        return self._chosen.get((community_id, resident_id))

    def given_name(self, community_id: UUID, resident_id: UUID) -> str:
        """Empty for somebody who has never lived here."""
        return self._given.get((community_id, resident_id), "")

    def running(self, community_id: UUID, building_id: UUID) -> list[UUID]:
        """The broadcasts to a building that have not ended."""
        owner, _ = self._circles.get(building_id, (None, None))
        return list(self._running.get(building_id, {})) if owner == community_id else []

    def is_over(self, incident_id: UUID) -> bool:
        """Whether it has been heard that an incident has ended."""
        return incident_id in self._over
