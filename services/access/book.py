"""What access keeps in memory to answer at a door: doors, rights, credentials, each with the event that said it.

A fold of the own log. A credential's blind index stands in no event, so it is looked up once, among the claims, when
the credential is new.
"""

from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from libs.eventkit.decider import NotFound, NotYet
from libs.eventkit.memory import Memory
from libs.eventkit.recorded import Recorded
from services.access.domain.admission import Judgement, KnownCredential, KnownRight, Means, Question, judge
from services.access.domain.credentials import CredentialIssued, CredentialRevoked
from services.access.domain.doors import DoorInstalled
from services.access.domain.rights import RightGranted, RightRevoked


class KnownDoor(Struct, frozen=True):
    community_id: UUID
    door_id: UUID
    name: str
    zone: str
    device_id: UUID
    door_no: int
    because: UUID


Event = DoorInstalled | RightGranted | RightRevoked | CredentialIssued | CredentialRevoked


class DoorBook:
    """`memory` says how fresh it is; ask `ready` before every judgement."""

    def __init__(self) -> None:
        self.memory = Memory(
            "door_book", (DoorInstalled, RightGranted, RightRevoked, CredentialIssued, CredentialRevoked), self._apply)
        self._doors: dict[UUID, KnownDoor] = {}
        self._by_relay: dict[tuple[UUID, int], UUID] = {}
        self._rights: dict[tuple[UUID, UUID], dict[UUID, KnownRight]] = {}
        self._credentials: dict[UUID, KnownCredential] = {}
        self._by_index: dict[tuple[UUID, str, str], UUID] = {}
        self._new: set[UUID] = set()

    def _apply(self, event: Event, row: Recorded) -> None:
        match event:
            case DoorInstalled():
                self._install(event, row)
            case RightGranted(right_id=right_id, person_id=person_id, zone=zone, rule=rule):
                held = self._rights.setdefault((row.community_id, person_id), {})
                held[right_id] = KnownRight(zone=zone, rule=rule, because=row.event_id)
            case RightRevoked(right_id=right_id, person_id=person_id):
                self._rights.get((row.community_id, person_id), {}).pop(right_id, None)
            case CredentialIssued(credential_id=credential_id):
                self._credentials[credential_id] = KnownCredential(
                    person_id=event.person_id, kind=event.kind, valid_until=event.valid_until, because=row.event_id)
                self._new.add(credential_id)
            case CredentialRevoked(credential_id=credential_id):
                self._credentials.pop(credential_id, None)
                self._new.discard(credential_id)

    def _install(self, event: DoorInstalled, row: Recorded) -> None:
        before = self._doors.get(event.door_id)
        if before is not None:
            self._by_relay.pop((before.device_id, before.door_no), None)
        self._doors[event.door_id] = KnownDoor(
            community_id=row.community_id, door_id=event.door_id, name=event.name, zone=event.zone,
            device_id=event.device_id, door_no=event.door_no, because=row.event_id)
        self._by_relay[event.device_id, event.door_no] = event.door_id

    async def ready(self, pool: asyncpg.Pool, position: int = 0) -> None:
        """Returns when the book is fresh and has passed `position`. Raises Problem 503 not_ready when it cannot be."""
        await self.memory.fresh(position)
        if self._new:
            wanted = {f"credential:{i}": i for i in self._new}
            for row in await pool.fetch(
                "select community_id, stream, scope, value from claims where stream = any($1)", list(wanted)):
                self._by_index[row["community_id"], row["scope"], row["value"]] = wanted[row["stream"]]
            self._new -= set(wanted.values())

    def door(self, community_id: UUID, door_id: UUID) -> KnownDoor:
        """Raises NotFound, also for a door of another community."""
        door = self._doors.get(door_id)
        if door is None or door.community_id != community_id:
            raise NotFound("door")
        return door

    def door_at(self, device_id: UUID, door_no: int) -> KnownDoor | None:
        door_id = self._by_relay.get((device_id, door_no))
        return self._doors[door_id] if door_id else None

    def judge(
        self, door: KnownDoor, means: Means, now: datetime, *, person_id: UUID | None = None, index: str = "",
    ) -> Judgement:
        """Judges a person (remote) or whoever holds the credential with this blind index, now. Raises NotYet where a newer
        version has said something that this one cannot read: it might be a revocation."""
        if door.community_id in self.memory.unreadable:
            raise NotYet("an event that this version cannot read")
        found = self._by_index.get((door.community_id, means, index))
        credential = self._credentials.get(found) if found else None
        who = person_id or (credential.person_id if credential else None)
        rights = self._rights.get((door.community_id, who), {}) if who else {}
        return judge(Question(
            zone=door.zone, door_because=door.because, means=means, now=now, person_id=person_id,
            credential=credential, rights=tuple(rights.values())))
