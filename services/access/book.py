"""What access keeps in memory to answer at a door: doors, lifts, rights, credentials, visitor passes, who lives where, which building
is released for a fire; each with the event that said it.

A fold of the own log. A credential's blind index stands in no event, so it is looked up once, among the claims, when
the credential is new.
"""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from msgspec.structs import replace

from libs.contracts.alarm import IncidentFoundFalse, IncidentResolved
from libs.contracts.devices import DeviceRegistered, DeviceRetired
from libs.contracts.identity import BuildingRegistered, HomeRegistered, ResidenceEnded, ResidenceStarted, ResidentErased
from libs.eventkit.decider import NotFound, NotYet, Refused
from libs.eventkit.memory import Memory
from libs.eventkit.recorded import Recorded
from services.access.domain.admission import (
    Judgement,
    KnownCredential,
    KnownFloor,
    KnownRight,
    Means,
    PresentedPass,
    Question,
    judge,
)
from services.access.domain.credentials import CredentialIssued, CredentialRevoked
from services.access.domain.doors import DoorInstalled
from services.access.domain.lifts import HomeFloorSet, LiftInstalled
from services.access.domain.pass_history import VisitorPassIssued, VisitorPassRevoked
from services.access.domain.releases import FireReleaseBegun, ReleasedRelay
from services.access.domain.rights import RightGranted, RightRevoked
from services.access.domain.visitor_passes import GROUND
from services.access.known import KnownDoor, KnownPass, KnownResidence
from services.access.lately import Lately

PRUNED_EVERY = 1000
KEPT_AFTER = timedelta(days=1)
"""How long a pass is remembered that is over: its log says the same."""


Event = (
    DoorInstalled | LiftInstalled | HomeFloorSet | RightGranted | RightRevoked | CredentialIssued | CredentialRevoked
    | VisitorPassIssued | VisitorPassRevoked | HomeRegistered | ResidenceStarted | ResidenceEnded | BuildingRegistered
    | FireReleaseBegun | IncidentResolved | IncidentFoundFalse | ResidentErased | DeviceRegistered | DeviceRetired)


class DoorBook:
    """`memory` says how fresh it is; ask `ready` before every judgement."""

    def __init__(self) -> None:
        self.memory, self.lately = Memory("door_book", Event.__args__, self._apply), Lately()
        self._doors: dict[UUID, KnownDoor] = {}
        self._lifts: dict[UUID, dict[int, KnownDoor]] = {}
        self._by_relay: dict[tuple[UUID, UUID, int], KnownDoor] = {}
        self._rights: dict[tuple[UUID, UUID], dict[UUID, KnownRight]] = {}
        self._credentials: dict[UUID, KnownCredential] = {}
        self._by_index: dict[tuple[UUID, str, str], UUID] = {}
        self._index_of: dict[UUID, tuple[UUID, str, str]] = {}
        self._held: dict[tuple[UUID, UUID], set[UUID]] = {}
        self._new: set[UUID] = set()
        self._passes: dict[UUID, KnownPass] = {}
        self._buildings: dict[tuple[UUID, UUID], UUID] = {}
        self._floors: dict[tuple[UUID, UUID], KnownFloor] = {}
        self._residences: dict[tuple[UUID, UUID], dict[UUID, KnownResidence]] = {}
        self._left: dict[tuple[UUID, UUID, UUID], datetime] = {}
        self._erased: set[tuple[UUID, UUID]] = set()
        self._communities: dict[UUID, UUID] = {}
        self._releases: dict[tuple[UUID, UUID], UUID] = {}
        self._fires_over: set[tuple[UUID, UUID]] = set()
        self._retired: dict[tuple[UUID, UUID], UUID] = {}

    def _apply(self, event: Event, row: Recorded) -> None:
        here = row.community_id
        match event:
            case DeviceRetired(device_id=device_id):
                self._retired[here, device_id] = row.event_id
            case DeviceRegistered(device_id=device_id):
                self._retired.pop((here, device_id), None)
            case DoorInstalled():
                self._install(event, row)
            case LiftInstalled():
                self._install_lift(event, row)
            case HomeFloorSet(home_id=home_id, floor=floor):
                self._floors[here, home_id] = KnownFloor(floor, row.event_id)
            case RightGranted(right_id=right_id, person_id=person_id, zone=zone, rule=rule):
                held = self._rights.setdefault((here, person_id), {})
                held[right_id] = KnownRight(zone=zone, rule=rule, because=row.event_id)
                self.lately.begins(right_id, row)
            case RightRevoked(right_id=right_id, person_id=person_id):
                self.lately.ends(right_id, person_id, self._rights.get((here, person_id), {}).pop(right_id, None), row)
            case CredentialIssued(credential_id=credential_id):
                self._credentials[credential_id] = KnownCredential(
                    person_id=event.person_id, kind=event.kind, valid_until=event.valid_until, because=row.event_id,
                    duress=event.duress)
                self._held.setdefault((here, event.person_id), set()).add(credential_id)
                self._new.add(credential_id)
                self.lately.begins(credential_id, row)
            case CredentialRevoked(credential_id=credential_id, person_id=person_id):
                self.lately.ends(credential_id, person_id, self._credentials.pop(credential_id, None), row)
                self._held.get((here, person_id), set()).discard(credential_id)
                self._new.discard(credential_id)
                if (index := self._index_of.pop(credential_id, None)) is not None and self._by_index.get(index) == credential_id:
                    del self._by_index[index]
            case VisitorPassIssued():
                self._issue(event, row)
            case VisitorPassRevoked(pass_id=pass_id):
                if known := self._passes.get(pass_id):
                    self._passes[pass_id] = replace(known, revoked=row.event_id)
            case HomeRegistered(home_id=home_id, building_id=building_id):
                self._buildings[here, home_id] = building_id
            case ResidenceStarted(residence_id=residence_id, resident_id=resident_id, home_id=home_id, building_id=building_id):
                lives = self._residences.setdefault((here, resident_id), {})
                lives[residence_id] = KnownResidence(home_id, building_id, row.event_id)
                self.lately.begins(residence_id, row)
            case ResidenceEnded(residence_id=residence_id, resident_id=resident_id, home_id=home_id):
                self.lately.ends(residence_id, resident_id, self._residences.get((here, resident_id), {}).pop(residence_id, None), row)
                self._left[here, resident_id, home_id] = row.recorded_at
            case ResidentErased(resident_id=resident_id):
                self._erased.add((here, resident_id))
                self.lately.forget(here, resident_id)
            case BuildingRegistered(building_id=building_id):
                self._communities[building_id] = here
            case FireReleaseBegun(release_id=release_id, building_id=building_id):
                self._releases[here, release_id] = building_id
            case IncidentResolved(kind="fire", incident_id=incident_id) | IncidentFoundFalse(kind="fire", incident_id=incident_id):
                self._fires_over.add((here, incident_id))

    def _install(self, event: DoorInstalled, row: Recorded) -> None:
        before = self._doors.get(event.door_id)
        if before is not None:
            self._by_relay.pop((row.community_id, before.device_id, before.door_no), None)
        door = self._doors[event.door_id] = KnownDoor(
            community_id=row.community_id, door_id=event.door_id, name=event.name, zone=event.zone,
            device_id=event.device_id, door_no=event.door_no, because=row.event_id, evacuation=event.evacuation)
        self._by_relay[row.community_id, event.device_id, event.door_no] = door

    def _install_lift(self, event: LiftInstalled, row: Recorded) -> None:
        for before in self._lifts.pop(event.lift_id, {}).values():
            self._by_relay.pop((row.community_id, before.device_id, before.door_no), None)
        floors = self._lifts[event.lift_id] = {f.floor: KnownDoor(
            community_id=row.community_id, door_id=event.lift_id, name=event.name, zone=f"building:{event.building_id}",
            device_id=event.device_id, door_no=f.door_no, because=row.event_id, floor=f.floor) for f in event.floors}
        for door in floors.values():
            self._by_relay[row.community_id, door.device_id, door.door_no] = door

    def _issue(self, event: VisitorPassIssued, row: Recorded) -> None:
        self._passes[event.pass_id] = KnownPass(
            row.community_id, event.host_id, event.home_id, event.valid_until, row.event_id)
        if len(self._passes) % PRUNED_EVERY == 0:
            self._passes = {i: p for i, p in self._passes.items() if p.valid_until + KEPT_AFTER > row.recorded_at}

    async def ready(self, pool: asyncpg.Pool, position: int = 0) -> None:
        """Returns when the book is fresh and has passed `position`. Raises Problem 503 not_ready when it cannot be."""
        await self.memory.fresh(position)
        if self._new:
            wanted = {f"credential:{i}": i for i in self._new}
            for row in await pool.fetch(
                "select community_id, stream, scope, value from claims where stream = any($1)", list(wanted)):
                if (found := wanted[row["stream"]]) in self._credentials:  # it may have been revoked while we asked
                    index = self._index_of[found] = (row["community_id"], row["scope"], row["value"])
                    self._by_index[index] = found
            self._new -= set(wanted.values())

    def door(self, community_id: UUID, door_id: UUID) -> KnownDoor:
        """Raises NotFound, also for a door of another community."""
        door = self._doors.get(door_id)
        if door is None or door.community_id != community_id:
            raise NotFound("door")
        return door

    def lift(self, community_id: UUID, lift_id: UUID, floor: int) -> KnownDoor:
        """The lift's relay for this floor. Raises NotFound."""
        door = self._lifts.get(lift_id, {}).get(floor)
        if door is None or door.community_id != community_id:
            raise NotFound("lift")
        return door

    def door_at(self, community_id: UUID, device_id: UUID, door_no: int) -> KnownDoor | None:
        return self._by_relay.get((community_id, device_id, door_no))

    def retired(self, community_id: UUID, device_id: UUID) -> UUID | None:
        """The event by which the device was retired; None where it is in use, as far as is known here."""
        return self._retired.get((community_id, device_id))

    def hangs(self, community_id: UUID, opening_id: UUID, device_id: UUID) -> None:
        """Raises Refused (device_retired) for a door or lift on a device that is out of use, unless it hung there before."""
        there = [door.device_id for door in (self._doors.get(opening_id), *self._lifts.get(opening_id, {}).values()) if door]
        if self.retired(community_id, device_id) is not None and device_id not in there:
            raise Refused("device_retired")

    def stands_in(self, building_id: UUID) -> UUID | None:
        """The community that a building stands in; None while nobody has said it."""
        return self._communities.get(building_id)

    def to_release(self, community_id: UUID, building_id: UUID) -> tuple[ReleasedRelay, ...]:
        """What opens for a fire in a building: its evacuation doors, and the ground floor of its lifts."""
        zone = f"building:{building_id}"
        doors = (d for d in self._doors.values() if d.zone == zone and d.evacuation)
        lifts = (floors[GROUND] for floors in self._lifts.values() if GROUND in floors and floors[GROUND].zone == zone)
        return tuple(
            ReleasedRelay(d.door_id, d.device_id, d.door_no, "held_open" if d.floor is None else "recalled")
            for d in sorted((*doors, *lifts), key=lambda d: (d.floor is not None, d.door_id)) if d.community_id == community_id)

    def fire_over(self, community_id: UUID, incident_id: UUID) -> bool:
        return (community_id, incident_id) in self._fires_over

    def released_building(self, community_id: UUID, release_id: UUID) -> UUID | None:
        """Of a release that runs or has ended."""
        return self._releases.get((community_id, release_id))

    def building(self, community_id: UUID, home_id: UUID) -> UUID:
        """Where a home stands. Raises NotFound."""
        building_id = self._buildings.get((community_id, home_id))
        if building_id is None:
            raise NotFound("home")
        return building_id

    def floor(self, community_id: UUID, home_id: UUID) -> KnownFloor | None:
        return self._floors.get((community_id, home_id))

    def residence(self, community_id: UUID, resident_id: UUID, home_id: UUID) -> KnownResidence | None:
        held = self._residences.get((community_id, resident_id), {})
        return next((r for r in held.values() if r.home_id == home_id), None)

    def moved_out(self, community_id: UUID, resident_id: UUID, home_id: UUID) -> datetime | None:
        """When it was last heard that they had left the home."""
        return self._left.get((community_id, resident_id, home_id))

    def belongs(self, community_id: UUID, person_id: UUID) -> bool:
        """Whether they live in the community or are on duty there."""
        who = community_id, person_id
        return bool(self._residences.get(who)) or any(right.rule == "duty" for right in self._rights.get(who, {}).values())

    def visitor_pass(self, community_id: UUID, pass_id: UUID) -> KnownPass | None:
        known = self._passes.get(pass_id)
        return known if known is not None and known.community_id == community_id else None

    def credentials_of(self, community_id: UUID, person_id: UUID) -> list[UUID]:
        return sorted(self._held.get((community_id, person_id), ()))

    def open_passes_of(self, community_id: UUID, host_id: UUID, now: datetime, home_id: UUID | None = None) -> list[UUID]:
        """Those that are neither revoked nor over; of one home or of all."""
        theirs = {i: p for i, p in self._passes.items() if (p.community_id, p.host_id) == (community_id, host_id)}
        return [
            i for i, p in theirs.items() if p.revoked is None and p.valid_until > now and home_id in (None, p.home_id)]

    def judge(
        self, door: KnownDoor, means: Means, now: datetime, *, person_id: UUID | None = None, index: str = "",
        visitor: PresentedPass | None = None, let_in: bool = False, ended: KnownCredential | None = None,
    ) -> Judgement:
        """Judges a person (remote), a visitor, or whoever holds the credential with this blind index (`ended`: held, and it was revoked
        since). Raises NotYet where a newer version has said something that this one cannot read: it might be a revocation."""
        here = door.community_id
        self.understood(here)
        found = self._by_index.get((here, means, index))
        credential = ended or (self._credentials.get(found) if found else None)
        who = person_id or (credential.person_id if credential else None)
        rights = (*self._rights.get((here, who), {}).values(), *self.lately.of(here, who, now, KnownRight)) if who else ()
        homes = [*self._residences.get((here, who), {}).values()] if who and door.floor is not None else []
        homes += self.lately.of(here, who, now, KnownResidence) if let_in else []
        floors = (self._floors.get((here, r.home_id)) for r in homes if door.zone == f"building:{r.building_id}")
        return judge(Question(
            zone=door.zone, door_because=door.because, means=means, now=now, person_id=person_id,
            credential=credential, rights=rights, floor=door.floor,
            floors=tuple(f for f in floors if f is not None), visitor=visitor, erased=(here, person_id) in self._erased,
            retired=self.retired(here, door.device_id), let_in=let_in))

    def understood(self, community_id: UUID) -> None:
        """Raises NotYet where this version cannot read all that was said of the community."""
        if community_id in self.memory.unreadable:
            raise NotYet("an event that this version cannot read")
