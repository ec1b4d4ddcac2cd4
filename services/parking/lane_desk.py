"""At a lane: puts together what is known of the vehicle before the camera, asks the rule, and says what follows."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from libs.contracts.devices import PlateSeen
from libs.contracts.fields import SealedField
from libs.eventkit.privacy import Pending
from libs.eventkit.reactions import Do
from libs.eventkit.recorded import Recorded
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.parking.book import KnownLane, KnownLot, KnownStay, LotBook
from services.parking.domain.bill_lines import Line
from services.parking.domain.findings import FindingRaised, RaiseFinding
from services.parking.domain.judging import (
    ENTITLED,
    Entry,
    Exit,
    FindingKind,
    Judgement,
    KnownRight,
    KnownSession,
    judge_entry,
    judge_exit,
)
from services.parking.domain.passages import PASSAGES, JudgePassage, PassageJudged, Seen, read_again
from services.parking.domain.plates import Plate, read_plate, variants
from services.parking.domain.sessions import SESSIONS
from services.parking.domain.stays import Inside, SessionBegun, Under, due

SCOPE = "plate"
SKEW = timedelta(seconds=60)
"""By so much two clocks may differ. A stay that began later is not the one of a passage told from memory."""


def moved(field: SealedField) -> Sealed:
    return Sealed(field.key_id, field.event_id, field.slot, field.box)


async def opened(app: App, sealed: Sealed | None, source: Literal["camera", "form"] = "camera") -> Plate | None:
    """The plate; None where there is none or its key was erased. Raises as `App.key_missing` says while the key has not arrived."""
    if sealed is None:
        return None
    found = await app.keyring.open(sealed)
    if isinstance(found, Pending):
        raise app.key_missing("the key of a plate")
    return read_plate(found.decode(), source) if isinstance(found, bytes) else None


def index_of(app: App, community_id: UUID, value: str) -> str:
    return app.blind.of(community_id, SCOPE, value)


async def index_in(app: App, community_id: UUID, sealed: Sealed) -> str:
    """The blind index of a sealed plate; empty where its key was erased. Raises NotYet while the key has not arrived."""
    plate = await opened(app, sealed)
    return index_of(app, community_id, plate.value) if plate is not None and plate.value else ""


class Desk(Struct):
    """What is known of the vehicle before the camera, of its very plate and of those that look like it."""

    app: App
    book: LotBook
    lane: KnownLane
    lot: KnownLot
    plate: Plate | None
    now: datetime

    @property
    def value(self) -> str:
        return (self.plate.value or "") if self.plate is not None else ""

    def _exact(self) -> list[str]:
        return [index_of(self.app, self.lane.community_id, self.value)] if self.value else []

    def _alike(self) -> list[str]:
        others = variants(self.value) - {self.value} if self.value else ()
        return [index_of(self.app, self.lane.community_id, other) for other in others]

    def rights(self, indexes: Iterable[str]) -> tuple[KnownRight, ...]:
        return self.book.rights(self.lane.community_id, self.lot.opened.lot_id, list(indexes))

    async def sessions(self, indexes: Iterable[str]) -> tuple[KnownSession, ...]:
        stays = self.book.stays(self.lane.community_id, self.lot.opened.lot_id, list(indexes))
        return tuple([await self.session(stay) for stay in stays if stay.begun.entered_at <= self.now + SKEW])

    async def session(self, stay: KnownStay) -> KnownSession:
        """With what it owes now, from its own stream."""
        begun = stay.begun
        state, _ = await self.app.commands.state(SESSIONS, begun.session_id, self.lane.community_id)
        owing = due(state, self.lot.adoptions, self.now) if isinstance(state, Inside) else 0
        return KnownSession(begun.session_id, stay.because, owing)

    async def inside(self) -> KnownSession | None:
        """The open stay of this very plate."""
        return next(iter(await self.sessions(self._exact())), None)

    async def by_hand(self, judgement: Judgement) -> tuple[Judgement, UUID | None]:
        """Who is let in by hand comes in under the right that its plate has; and the stay whose exit nobody saw."""
        if self.lane.installed.direction == "out":
            return judgement, None
        held = [r for kind in ENTITLED for r in self.rights(self._exact()) if r.kind == kind and r.counts(self.now)]
        inside = await self.inside()
        return replace(judgement, right=held[0] if held else None), inside.session_id if inside is not None else None

    async def passing(self, inside: KnownSession | None) -> Judgement | None:
        """What was said of this very car, where it only passes on through this lane. A stay has the id of the passage inwards."""
        session_id = passage_id = inside.session_id if inside is not None else None
        if self.lane.installed.direction == "out":
            left = self.book.over.left(self.lot.opened.lot_id, self._exact()) if inside is None else None
            session_id, passage_id = (left.session_id, left.passage_id) if left is not None else (None, None)
        if session_id is None or passage_id is None:
            return None
        passage, _ = await self.app.commands.state(PASSAGES, passage_id, self.lane.community_id)
        return read_again(passage, session_id, self.lane.installed.lane_id, self.now)

    async def judge(self, fake: bool) -> tuple[Judgement, UUID | None]:
        """The judgement, and the stay of this very plate whose exit nobody saw. A picture of a plate is no sign of either."""
        inside = await self.inside() if not fake else None
        if not fake and (passing := await self.passing(inside)) is not None:
            return passing, None
        rights = self.rights(self._exact())
        if self.lane.installed.direction == "out":
            alike = await self.sessions(self._alike()) if inside is None else ()
            return judge_exit(Exit(self.now, self.lane.because, bool(self.value), rights, inside, alike, fake)), None
        room = self.book.room(self.lot, self.lane.installed.zone, self.now)
        alike_rights = self.rights(self._alike()) if not rights else ()
        entry = Entry(
            self.now, self.lane.because, bool(self.value), self.lot.opened.public, room, rights, alike_rights, inside, fake)
        return judge_entry(entry), inside.session_id if inside is not None else None


async def judged(app: App, book: LotBook, event: PlateSeen, row: Recorded) -> JudgePassage | None:
    """What to decide about a vehicle that a camera saw; None where the camera watches no lane of ours."""
    await book.ready(await app.database.pool(), row.community_id, row.position)
    lane = book.lane_at(row.community_id, event.device_id, event.lane_no)
    if lane is None:
        return None
    sealed = moved(event.plate) if event.plate is not None else None
    plate = await opened(app, sealed)
    said_at = row.meta.source_time or row.recorded_at
    at = said_at if event.live else event.device_time or said_at
    desk = Desk(app, book, lane, book.lot(row.community_id, lane.installed.lot_id), plate, at)
    judgement, displaced = await desk.judge("fake_plate" in event.findings)
    seen = Seen(
        plate=sealed if desk.value else None, colour=event.plate_colour, vehicle_kind=event.vehicle_kind,
        new_energy=plate is not None and "new_energy" in plate.kind, at=at, live=event.live,
        dated=event.live or event.device_time is not None)
    doubted = "replay_unmarked" in event.findings
    return JudgePassage(event.report_id, lane.installed, seen, judgement, displaced, event.awaits_decision, doubted)


def begun(said: PassageJudged, lot: KnownLot, earlier: tuple[Line, ...] = ()) -> SessionBegun:
    """The stay that begins with a vehicle's passage inwards; `earlier` as it has it. It takes a space of the lane's zone, or the one
    that its permit is for, to which a gate may well lead through another zone."""
    right = said.judgement.right
    zone = right.zone if right is not None and right.zone else said.lane.zone
    return SessionBegun(
        session_id=said.passage_id, lot_id=said.lane.lot_id, zone=zone, clock=lot.opened.clock,
        grace=lot.opened.grace, plate=said.seen.plate, new_energy=said.seen.new_energy,
        looks=(said.seen.colour, said.seen.vehicle_kind), under=under(right) if right is not None else None,
        entered_at=said.seen.at, earlier=earlier)


def under(right: KnownRight) -> Under:
    return Under(right.right_id, right.kind, right.person_id, right.source_id, right.valid_from, right.valid_until)


def finding_id(about: UUID, kind: str) -> UUID:
    return uuid5(about, f"finding {kind}")


def raising(about: UUID, kind: FindingKind, **more: Any) -> Do:
    found = FindingRaised(finding_id(about, kind), kind, **more)
    return Do(f"finding {kind}", found.finding_id, RaiseFinding(found), new=True)
