"""What parking keeps in memory to answer at a lane: lots, lanes, rights of plates, open stays, each with the event that said it.

A fold of the own log. A plate's blind index stands in no event, so it is looked up once, among the claims, when the
right or the stay is new.
"""

from collections import Counter
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import NotFound, NotYet
from libs.eventkit.memory import Memory
from libs.eventkit.recorded import Recorded
from services.parking.domain.judging import KnownRight
from services.parking.domain.lanes import LaneInstalled
from services.parking.domain.lots import LotOpened, TariffAdopted
from services.parking.domain.plate_rights import PlateRightEnded, PlateRightGranted
from services.parking.domain.stays import RightAssigned, SessionBegun, SessionEnded, SessionQuarantined
from services.parking.domain.tariffs import Adoption

EVENTS = (
    LotOpened, TariffAdopted, LaneInstalled, PlateRightGranted, PlateRightEnded, SessionBegun, RightAssigned,
    SessionQuarantined, SessionEnded)


class KnownLot(Struct, frozen=True):
    community_id: UUID
    opened: LotOpened
    adoptions: tuple[Adoption, ...] = ()


class KnownLane(Struct, frozen=True):
    community_id: UUID
    installed: LaneInstalled
    because: UUID


class KnownStay(Struct, frozen=True):
    begun: SessionBegun
    because: UUID


class LotBook:
    """`memory` says how fresh it is; ask `ready` before every judgement."""

    def __init__(self) -> None:
        self.memory = Memory("lot_book", EVENTS, self._apply)
        self._lots: dict[UUID, KnownLot] = {}
        self._lanes: dict[UUID, KnownLane] = {}
        self._by_camera: dict[tuple[UUID, UUID, int], UUID] = {}
        self._rights: dict[UUID, tuple[PlateRightGranted, UUID]] = {}
        self._used: Counter[UUID] = Counter()
        self._stays: dict[UUID, KnownStay] = {}
        self._occupied: Counter[tuple[UUID, str]] = Counter()
        self._index_of: dict[str, tuple[UUID, str]] = {}
        self._by_index: dict[tuple[UUID, str], set[str]] = {}
        self._new: set[str] = set()

    def _apply(self, event: Any, row: Recorded) -> None:
        match event:
            case LotOpened(lot_id=lot_id):
                known = self._lots.get(lot_id)
                self._lots[lot_id] = KnownLot(row.community_id, event, known.adoptions if known else ())
            case TariffAdopted(lot_id=lot_id, adoption=adoption):
                if (lot := self._lots.get(lot_id)) is not None:  # its opening may be what this version could not read
                    self._lots[lot_id] = replace(lot, adoptions=(*lot.adoptions, adoption))
            case LaneInstalled(lane_id=lane_id, device_id=device_id, lane_no=lane_no):
                if (before := self._lanes.get(lane_id)) is not None:
                    self._by_camera.pop((row.community_id, before.installed.device_id, before.installed.lane_no), None)
                self._lanes[lane_id] = KnownLane(row.community_id, event, row.event_id)
                self._by_camera[row.community_id, device_id, lane_no] = lane_id
            case PlateRightGranted(right_id=right_id):
                heard = row.meta.caused_by  # the public event behind it, where another service said it
                self._rights[right_id] = (event, heard[0] if heard else row.event_id)
                self._look_up(f"plate-right:{right_id}")
            case PlateRightEnded(right_id=right_id):
                self._rights.pop(right_id, None)
                self._forget(f"plate-right:{right_id}")
            case SessionBegun(session_id=session_id, lot_id=lot_id, zone=zone, under=under):
                self._stays[session_id] = KnownStay(event, row.event_id)
                self._occupied[lot_id, zone] += 1
                if under is not None:
                    self._used[under.right_id] += 1
                self._look_up(f"session:{session_id}")
            case RightAssigned(session_id=session_id, under=under):
                if (stay := self._stays.get(session_id)) is not None:
                    if (was := stay.begun.under) is not None:
                        self._used[was.right_id] -= 1
                    self._stays[session_id] = replace(stay, begun=replace(stay.begun, under=under))
                    self._used[under.right_id] += 1
            case SessionQuarantined(session_id=session_id) | SessionEnded(session_id=session_id):
                if self._stays.pop(session_id, None) is not None:
                    self._occupied[event.lot_id, event.zone] -= 1
                self._forget(f"session:{session_id}")

    def _look_up(self, stream: str) -> None:
        self._forget(stream)
        self._new.add(stream)

    def _forget(self, stream: str) -> None:
        self._new.discard(stream)
        if (index := self._index_of.pop(stream, None)) is not None:
            self._by_index[index].discard(stream)

    async def ready(self, pool: asyncpg.Pool, community_id: UUID, position: int = 0) -> None:
        """Returns when the book is fresh and has passed `position`. Raises Problem 503 not_ready when it cannot be, NotYet
        where a newer version has said something that this one cannot read: it might be a black list."""
        await self.memory.fresh(position)
        if community_id in self.memory.unreadable:
            raise NotYet("an event that this version cannot read")
        if self._new:
            wanted = set(self._new)
            for row in await pool.fetch("select community_id, stream, value from claims where stream = any($1)", list(wanted)):
                if row["stream"] in self._new:
                    self._index_of[row["stream"]] = index = (row["community_id"], row["value"])
                    self._by_index.setdefault(index, set()).add(row["stream"])
            self._new -= wanted

    def lot(self, community_id: UUID, lot_id: UUID) -> KnownLot:
        """Raises NotFound, also for a lot of another community."""
        lot = self._lots.get(lot_id)
        if lot is None or lot.community_id != community_id:
            raise NotFound("lot")
        return lot

    def lane(self, community_id: UUID, lane_id: UUID) -> KnownLane:
        """Raises NotFound, also for a lane of another community."""
        lane = self._lanes.get(lane_id)
        if lane is None or lane.community_id != community_id:
            raise NotFound("lane")
        return lane

    def lane_at(self, community_id: UUID, device_id: UUID, lane_no: int) -> KnownLane | None:
        lane_id = self._by_camera.get((community_id, device_id, lane_no))
        return self._lanes[lane_id] if lane_id else None

    def cameras(self, community_id: UUID, device_id: UUID) -> list[UUID]:
        """The lanes of this community that this camera watches."""
        return [lane for (owner, camera, _), lane in self._by_camera.items() if (owner, camera) == (community_id, device_id)]

    def room(self, lot: KnownLot, zone: str) -> int:
        return lot.opened.spaces.get(zone, 0) - self._occupied[lot.opened.lot_id, zone]

    def occupied(self, lot_id: UUID, zone: str) -> int:
        return self._occupied[lot_id, zone]

    def rights(self, community_id: UUID, lot_id: UUID, indexes: list[str]) -> tuple[KnownRight, ...]:
        """The rights that count in this lot, of plates with these blind indexes."""
        found = [self._rights[UUID(i)] for i in self._ids(community_id, indexes, "plate-right")]
        return tuple(self._known(*one) for one in found if one[0].lot_id in (None, lot_id) and one[0].kind != "declared")

    def right(self, right_id: UUID) -> KnownRight | None:
        found = self._rights.get(right_id)
        return self._known(*found) if found else None

    def _known(self, grant: PlateRightGranted, because: UUID) -> KnownRight:
        left = None if grant.uses is None else max(0, grant.uses - self._used[grant.right_id])
        return KnownRight(
            grant.right_id, grant.kind, because, grant.valid_from, grant.valid_until, left, grant.person_id, grant.source_id)

    def stays(self, community_id: UUID, lot_id: UUID, indexes: list[str]) -> tuple[KnownStay, ...]:
        """Open stays in this lot of plates with these blind indexes."""
        found = [self._stays[UUID(i)] for i in self._ids(community_id, indexes, "session")]
        return tuple(stay for stay in found if stay.begun.lot_id == lot_id)

    def stay(self, session_id: UUID) -> KnownStay | None:
        return self._stays.get(session_id)

    def _ids(self, community_id: UUID, indexes: list[str], category: str) -> list[str]:
        streams = {s for index in indexes for s in self._by_index.get((community_id, index), ())}
        return sorted(s.partition(":")[2] for s in streams if s.startswith(f"{category}:"))

