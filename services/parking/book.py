"""What parking keeps in memory to answer at a lane: lots, lanes, spaces, rights of plates, open stays, each with the event
that said it, and what it remembers of those that are over (`stays_over.py`). A fold of the own log.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import NotFound, NotYet
from libs.eventkit.memory import Memory
from libs.eventkit.recorded import Recorded
from libs.eventkit.sealed import Sealed
from services.parking.domain.judging import KnownRight
from services.parking.domain.lanes import LaneInstalled
from services.parking.domain.lots import LotOpened, TariffAdopted
from services.parking.domain.plate_rights import PlateRightEnded, PlateRightGranted
from services.parking.domain.spaces import SpaceMarked, SpaceRemoved
from services.parking.domain.stays import RightAssigned, SessionBegun, SessionEnded, SessionQuarantined, Under
from services.parking.domain.tariffs import Adoption
from services.parking.plate_index import PlateIndex
from services.parking.stays_over import StaysOver

EVENTS = (
    LotOpened, TariffAdopted, LaneInstalled, SpaceMarked, SpaceRemoved, PlateRightGranted, PlateRightEnded, SessionBegun, RightAssigned,
    SessionQuarantined, SessionEnded)


class KnownLot(Struct, frozen=True):
    """`version`: of its stream, which a change names."""

    community_id: UUID
    opened: LotOpened
    adoptions: tuple[Adoption, ...] = ()
    version: int = 0


class KnownLane(Struct, frozen=True):
    community_id: UUID
    installed: LaneInstalled
    because: UUID


class KnownStay(Struct, frozen=True):
    begun: SessionBegun
    because: UUID


async def unknown(community_id: UUID, plate: Sealed) -> str:
    return ""


class LotBook:
    """`memory` says how fresh it is; ask `ready` before every judgement. `index_of` gives the blind index of a sealed plate,
    empty where its key was erased; it raises NotYet while the key has not arrived."""

    def __init__(self, index_of: Callable[[UUID, Sealed], Awaitable[str]] = unknown) -> None:
        self.memory = Memory("lot_book", EVENTS, self._apply)
        self._plates, self.over = PlateIndex(), StaysOver(index_of)
        self._lots: dict[UUID, KnownLot] = {}
        self._lanes: dict[UUID, KnownLane] = {}
        self._by_camera: dict[tuple[UUID, UUID, int], UUID] = {}
        self._rights: dict[UUID, tuple[PlateRightGranted, UUID]] = {}
        self._given: dict[UUID, datetime] = {}
        self._used: Counter[UUID] = Counter()
        self._stays: dict[UUID, KnownStay] = {}
        self._occupied: Counter[tuple[UUID, str]] = Counter()
        self._spaces: dict[UUID, dict[UUID, SpaceMarked]] = {}
        self._of_space: dict[UUID, set[UUID]] = {}
        self._standing: dict[UUID, set[UUID]] = {}

    def _apply(self, event: Any, row: Recorded) -> None:
        match event:
            case LotOpened(lot_id=lot_id):
                known = self._lots.get(lot_id)
                self._lots[lot_id] = KnownLot(row.community_id, event, known.adoptions if known else (), row.version or 0)
            case TariffAdopted(lot_id=lot_id, adoption=adoption):
                if (lot := self._lots.get(lot_id)) is not None:  # its opening may be what this version could not read
                    self._lots[lot_id] = replace(lot, adoptions=(*lot.adoptions, adoption), version=row.version or 0)
            case LaneInstalled(lane_id=lane_id, device_id=device_id, lane_no=lane_no):
                if (before := self._lanes.get(lane_id)) is not None:
                    self._by_camera.pop((row.community_id, before.installed.device_id, before.installed.lane_no), None)
                self._lanes[lane_id] = KnownLane(row.community_id, event, row.event_id)
                self._by_camera[row.community_id, device_id, lane_no] = lane_id
            case SpaceMarked(space_id=space_id, lot_id=lot_id):
                self._spaces.setdefault(lot_id, {})[space_id] = event
            case SpaceRemoved(space_id=space_id, lot_id=lot_id):
                self._spaces.get(lot_id, {}).pop(space_id, None)
            case PlateRightGranted(right_id=right_id):
                heard = row.meta.caused_by  # the public event behind it, where another service said it
                self._let_go(right_id)
                self._rights[right_id] = (event, heard[0] if heard else row.event_id)
                self._given.setdefault(right_id, row.recorded_at)
                if event.space_id is not None:
                    self._of_space.setdefault(event.space_id, set()).add(right_id)
                self._plates.look_up(f"plate-right:{right_id}")
            case PlateRightEnded(right_id=right_id):
                self._let_go(right_id)
                self._given.pop(right_id, None)
                self._plates.forget(f"plate-right:{right_id}")
            case SessionBegun(session_id=session_id, lot_id=lot_id, zone=zone, under=under):
                self._stays[session_id] = KnownStay(event, row.event_id)
                self._occupied[lot_id, zone] += 1
                self._stand(session_id, under)
                self._plates.look_up(f"session:{session_id}")
            case RightAssigned(session_id=session_id, under=under):
                if (stay := self._stays.get(session_id)) is not None:
                    if (was := stay.begun.under) is not None:
                        self._used[was.right_id] -= 1
                        self._leave(session_id, was)
                    self._stays[session_id] = replace(stay, begun=replace(stay.begun, under=under))
                    self._stand(session_id, under)
            case SessionQuarantined(session_id=session_id) | SessionEnded(session_id=session_id):
                stay = self._stays.pop(session_id, None)
                index = self._plates.forget(f"session:{session_id}")
                if stay is not None:
                    self._occupied[event.lot_id, event.zone] -= 1
                    self._leave(session_id, stay.begun.under)
                self.over.take(event, stay.begun if stay is not None else None, index[1] if index else "", row)

    def _let_go(self, right_id: UUID) -> None:
        was = self._rights.pop(right_id, None)
        if was is not None and was[0].space_id is not None:
            self._of_space[was[0].space_id].discard(right_id)

    def _stand(self, session_id: UUID, under: Under | None) -> None:
        if under is not None:
            self._used[under.right_id] += 1
            self._standing.setdefault(under.right_id, set()).add(session_id)

    def _leave(self, session_id: UUID, under: Under | None) -> None:
        if under is not None and (standing := self._standing.get(under.right_id)) is not None:
            standing.discard(session_id)
            if not standing:
                del self._standing[under.right_id]

    async def ready(self, pool: asyncpg.Pool, community_id: UUID, position: int = 0) -> None:
        """Returns when the book is fresh and has passed `position`. Raises Problem 503 not_ready when it cannot be, NotYet
        where a newer version has said something that this one cannot read: it might be a black list."""
        await self.memory.fresh(position)
        if community_id in self.memory.unreadable:
            raise NotYet("an event that this version cannot read")
        await self._plates.ready(pool)

    def lot(self, community_id: UUID, lot_id: UUID) -> KnownLot:
        """Raises NotFound, also for a lot of another community."""
        lot = self._lots.get(lot_id)
        if lot is None or lot.community_id != community_id:
            raise NotFound("lot")
        return lot

    def lots(self, community_id: UUID) -> list[KnownLot]:
        return [lot for lot in self._lots.values() if lot.community_id == community_id]

    def lane(self, community_id: UUID, lane_id: UUID) -> KnownLane:
        """Raises NotFound, also for a lane of another community."""
        lane = self._lanes.get(lane_id)
        if lane is None or lane.community_id != community_id:
            raise NotFound("lane")
        return lane

    def lane_at(self, community_id: UUID, device_id: UUID, lane_no: int) -> KnownLane | None:
        lane_id = self._by_camera.get((community_id, device_id, lane_no))
        return self._lanes[lane_id] if lane_id else None

    def spaces(self, lot_id: UUID) -> list[SpaceMarked]:
        return sorted(self._spaces.get(lot_id, {}).values(), key=lambda space: space.space_id)

    def space(self, lot_id: UUID, space_id: UUID) -> SpaceMarked:
        """Raises NotFound, also for a space of another lot."""
        space = self._spaces.get(lot_id, {}).get(space_id)
        if space is None:
            raise NotFound("space")
        return space

    def room(self, lot: KnownLot, zone: str, now: datetime) -> int:
        """For cars without a space of their own."""
        lot_id = lot.opened.lot_id
        return lot.opened.spaces.get(zone, 0) - self._occupied[lot_id, zone] - self.kept(lot_id, zone, now)

    def kept(self, lot_id: UUID, zone: str, now: datetime) -> int:
        """Empty spaces that a permit is for."""
        found = 0
        for space in self._spaces.get(lot_id, {}).values():
            if space.zone == zone:
                held = [self._known(*self._rights[i]) for i in self.permits_for(space.space_id)]
                found += any(right.counts(now) for right in held) and not self.stands_on(space.space_id)
        return found

    def permits_for(self, space_id: UUID) -> set[UUID]:
        return self._of_space.get(space_id, set())

    def stands_on(self, space_id: UUID, besides: UUID | None = None) -> set[UUID]:
        """The stays of cars whose permits are for this space, but for the one of a right."""
        rights = self.permits_for(space_id) - {besides}
        return {stay for right in rights for stay in self._standing.get(right, ())}

    def occupied(self, lot_id: UUID, zone: str) -> int:
        return self._occupied[lot_id, zone]

    def rights(self, community_id: UUID, lot_id: UUID, indexes: list[str]) -> tuple[KnownRight, ...]:
        """The rights that count in this lot, of plates with these blind indexes."""
        found = [self._rights[i] for i in self._plates.ids(community_id, indexes, "plate-right")]
        return tuple(self._known(*one) for one in found if one[0].lot_id in (None, lot_id) and one[0].kind != "declared")

    def rights_of(self, person_id: UUID) -> list[UUID]:
        """A person's rights, and those of their vehicles."""
        theirs = {i for i, (granted, _) in self._rights.items() if granted.person_id == person_id}
        return sorted(theirs | {i for i, (granted, _) in self._rights.items() if granted.source_id in theirs})

    def permits(self) -> list[PlateRightGranted]:
        return [granted for granted, _ in self._rights.values() if granted.kind == "permit"]

    def given(self, right_id: UUID) -> datetime:
        """When a right that there is was first granted."""
        return self._given[right_id]

    def right(self, right_id: UUID) -> KnownRight | None:
        found = self._rights.get(right_id)
        return self._known(*found) if found else None

    def _known(self, grant: PlateRightGranted, because: UUID) -> KnownRight:
        left = None if grant.uses is None else max(0, grant.uses - self._used[grant.right_id])
        space = self._spaces.get(grant.lot_id, {}).get(grant.space_id) if grant.lot_id and grant.space_id else None
        taken = space is not None and bool(self.stands_on(space.space_id, grant.right_id))
        return KnownRight(
            grant.right_id, grant.kind, because, grant.valid_from, grant.valid_until, left, grant.person_id, grant.source_id, taken,
            space.zone if space is not None else "")

    def stays(self, community_id: UUID, lot_id: UUID, indexes: list[str]) -> tuple[KnownStay, ...]:
        """Open stays in this lot of plates with these blind indexes."""
        found = [self._stays[i] for i in self._plates.ids(community_id, indexes, "session")]
        return tuple(stay for stay in found if stay.begun.lot_id == lot_id)

    def stay(self, session_id: UUID) -> KnownStay | None:
        return self._stays.get(session_id)

    def stays_of(self, right_id: UUID) -> list[KnownStay]:
        """The open stays of the plate that has this right, and those that stand under it."""
        index = self._plates.of(f"plate-right:{right_id}")
        ids = set(self._plates.ids(index[0], [index[1]], "session")) if index is not None else set()
        return [self._stays[i] for i in sorted(ids | self._standing.get(right_id, set()))]
