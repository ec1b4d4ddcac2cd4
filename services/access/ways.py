"""Which ways in each person has, and to what they have agreed: kept in memory to decide about faces and notices.

A fold of the own log. How many face templates readers keep is counted here too, over all communities: those of valid credentials,
and those of revoked ones until each reader has proved that it has forgotten them, or is gone.
"""

from datetime import datetime
from functools import cache
from uuid import UUID

from msgspec import Struct

from libs.contracts.devices import TemplateNotRemoved, TemplateRemovalWanted, TemplateRemoved
from libs.contracts.identity import ConsentGiven, ConsentWithdrawn, ResidentErased
from libs.eventkit.decider import NotYet
from libs.eventkit.memory import Memory
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.access.domain.credentials import CredentialIssued, CredentialKind, CredentialRevoked

Event = (
    ConsentGiven | ConsentWithdrawn | ResidentErased | CredentialIssued | CredentialRevoked | TemplateRemovalWanted | TemplateRemoved
    | TemplateNotRemoved)
Person = tuple[UUID, UUID]
"""Community and person."""


class Way(Struct, frozen=True):
    credential_id: UUID
    kind: CredentialKind
    position: int
    valid_until: datetime | None = None
    duress: bool = False

    def leads_in(self, now: datetime) -> bool:
        """Whether they may come in by it as on any day: not what has run out, and not what is for a threat."""
        return not self.duress and (self.valid_until is None or now < self.valid_until)


class Ways:
    """Ask `ready` before whatever is decided from it."""

    def __init__(self) -> None:
        self.memory = Memory("ways", Event.__args__, self._apply)
        self._agreed: dict[Person, set[str]] = {}
        self._held: dict[Person, dict[UUID, Way]] = {}
        self._faces: set[UUID] = set()
        self._leaving: dict[UUID, set[UUID]] = {}
        self._left: set[tuple[UUID, UUID]] = set()

    def _apply(self, event: Event, row: Recorded) -> None:
        here = row.community_id
        match event:
            case ConsentGiven(resident_id=person, purpose=purpose):
                self._agreed.setdefault((here, person), set()).add(purpose)
            case ConsentWithdrawn(resident_id=person, purpose=purpose):
                self._agreed.get((here, person), set()).discard(purpose)
            case ResidentErased(resident_id=person):
                self._agreed.pop((here, person), None)
            case CredentialIssued(credential_id=credential_id, person_id=person, kind=kind):
                way = Way(credential_id, kind, row.position, event.valid_until, event.duress)
                self._held.setdefault((here, person), {})[credential_id] = way
                if kind == "face":
                    self._faces.add(credential_id)
            case CredentialRevoked(credential_id=credential_id, person_id=person):
                self._held.get((here, person), {}).pop(credential_id, None)
                self._faces.discard(credential_id)
            case TemplateRemovalWanted(credential_id=credential_id, device_id=device_id):
                if (credential_id, device_id) not in self._left:
                    self._leaving.setdefault(credential_id, set()).add(device_id)
            case TemplateRemoved(credential_id=credential_id, device_id=device_id) | TemplateNotRemoved(
                    credential_id=credential_id, device_id=device_id, reason="reader_gone"):
                self._left.add((credential_id, device_id))
                self._leaving.get(credential_id, set()).discard(device_id)

    async def ready(self, position: int = 0, community_id: UUID | None = None) -> None:
        """Returns when all up to the position is known. Raises Problem 503, and NotYet where not all of the community can be read: it
        might be a withdrawal."""
        await self.memory.fresh(position)
        if community_id in self.memory.unreadable:
            raise NotYet("an event that this version cannot read")

    def agrees(self, community_id: UUID, person_id: UUID, purpose: str) -> bool:
        return purpose in self._agreed.get((community_id, person_id), ())

    def faces(self, community_id: UUID, person_id: UUID, before: int) -> list[UUID]:
        """Credentials issued before that position."""
        return sorted(w.credential_id for w in self._ways(community_id, person_id) if w.kind == "face" and w.position < before)

    def other_way(self, community_id: UUID, person_id: UUID, now: datetime) -> bool:
        """Whether they hold a credential that is no face and leads in."""
        return any(way.kind != "face" and way.leads_in(now) for way in self._ways(community_id, person_id))

    def face_alone(self, community_id: UUID, person_id: UUID, now: datetime) -> bool:
        return {way.kind for way in self._ways(community_id, person_id) if way.leads_in(now)} == {"face"}

    def _ways(self, community_id: UUID, person_id: UUID) -> list[Way]:
        return list(self._held.get((community_id, person_id), {}).values())

    def stored(self) -> int:
        """Templates that readers keep, or may keep, of whatever community."""
        return len(self._faces) + sum(1 for i, devices in self._leaving.items() if devices and i not in self._faces)


@cache
def ways_of(app: App) -> Ways:
    """The app's one book of them."""
    return Ways()
