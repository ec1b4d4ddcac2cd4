"""What parking does when others speak, and what follows from its own decisions: stays begin and end with passages."""

from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict, replace

from libs.contracts import access, devices, identity
from libs.eventkit.decider import NotYet
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.parking.book import LotBook
from services.parking.domain.findings import FINDINGS, FindingRaised, FindingSettled, NoFinding, RaiseFinding
from services.parking.domain.judging import FindingKind
from services.parking.domain.passages import (
    PASSAGES,
    Completed,
    CompletePassage,
    FailPassage,
    NoPassage,
    PassageCompleted,
    PassageJudged,
)
from services.parking.domain.plate_rights import PLATE_RIGHTS, EndPlateRight, GrantPlateRight, Held, PlateRightGranted
from services.parking.domain.sessions import SESSIONS, AssignRight, BeginSession, EndSession, QuarantineSession
from services.parking.domain.stays import Ended, Inside, NoSession
from services.parking.lane_desk import begun, finding_id, index_of, judged, moved, opened, under


def _raise(about: UUID, kind: FindingKind, **more: Any) -> Do:
    found = FindingRaised(finding_id(about, kind), kind, **more)
    return Do(f"finding {kind}", found.finding_id, RaiseFinding(found))


def passages(app: App, book: LotBook) -> Reaction:
    """Judges what cameras see at lanes, and takes what became of it; everything of one device in order."""

    async def plate_seen(event: devices.PlateSeen, row: Recorded) -> list[Do]:
        if not event.live and await unsettled(app, row):
            raise NotYet("what came of the passages before")
        command = await judged(app, book, event, row)
        if command is None:
            return []
        return [Do("judge", event.report_id, command, tuple(fact.event_id for fact in command.judgement.facts))]

    async def carried_out(event: devices.BarrierOrderCarriedOut, row: Recorded) -> list[Do]:
        return [Do("complete", event.order_id, CompletePassage(event.order_id, "barrier"))]

    async def failed(event: devices.BarrierOrderFailed, row: Recorded) -> list[Do]:
        return [Do("fail", event.order_id, FailPassage(event.order_id, event.reason))]

    async def fallback(event: devices.FallbackGiven, row: Recorded) -> list[Do]:
        """A camera that opened undecided let somebody through; who waits at a lane of others is none of ours."""
        state, _ = await app.commands.state(PASSAGES, event.report_id, row.community_id)
        if not event.admitted or (isinstance(state, NoPassage) and not book.cameras(row.community_id, event.device_id)):
            return []
        if isinstance(state, NoPassage):
            raise NotYet("the passage")
        complete = Do("complete", event.report_id, CompletePassage(event.report_id, "fallback"))
        return [complete, _raise(event.report_id, "unclear_passage", lane_id=state.said.lane.lane_id, passage_id=event.report_id)]

    return Reaction("cameras", {
        devices.PlateSeen: plate_seen, devices.BarrierOrderCarriedOut: carried_out, devices.BarrierOrderFailed: failed,
        devices.FallbackGiven: fallback}, key=lambda event, row: f"device:{event.device_id}")


async def unsettled(app: App, row: Recorded) -> bool:
    """Whether a stay may still have to begin or end: of what cameras tell from their memory, the exit comes right behind
    the entry."""
    pool = await app.database.pool()
    return bool(await pool.fetchval(
        "select exists (select 1 from events e, checkpoints c where c.name = 'after_passages' and e.position > c.position"
        " and e.type = 'passage_completed' and e.community_id = $1)", row.community_id))


def after_passages(app: App, book: LotBook) -> Reaction:
    """Own decisions and what follows: findings, stays that begin, end or cannot be open any more."""

    async def passage_judged(event: PassageJudged, row: Recorded) -> list[Do]:
        kind = event.judgement.finding
        if kind is None:
            return []
        return [_raise(
            event.passage_id, kind, lane_id=event.lane.lane_id, passage_id=event.passage_id,
            session_id=event.judgement.session_id, candidates=event.judgement.candidates)]

    async def passage_completed(event: PassageCompleted, row: Recorded) -> list[Do]:
        rows = await app.log.stream(f"{PASSAGES.category}:{event.passage_id}")
        said = app.catalogue.read(rows[0])
        assert isinstance(said, PassageJudged)
        # what others can follow: the judgement, and what a device said became of it
        because = (rows[0].event_id, *row.meta.caused_by)
        await book.ready(await app.database.pool(), row.community_id, row.position)
        lot = book.lot(row.community_id, said.lane.lot_id)
        if said.lane.direction == "in":
            return [replace(do, caused_by=because) for do in await entered(said, row)]
        session_id = said.judgement.session_id
        if session_id is None:
            return []
        done = [Do("end", session_id, EndSession(session_id, said.seen.at, lot.adoptions), because)]
        if not said.judgement.admitted:  # it is out although it owed
            done.append(_raise(
                event.passage_id, "unpaid_exit", lane_id=said.lane.lane_id, session_id=session_id, passage_id=event.passage_id))
        return done

    async def entered(said: PassageJudged, row: Recorded) -> list[Do]:
        found: list[Do] = []
        displaced, _ = await app.commands.state(SESSIONS, said.displaced, row.community_id) if said.displaced else (None, 0)
        if said.displaced is not None and isinstance(displaced, Inside):  # it may have ended since the car was judged
            found += [
                Do("quarantine", said.displaced, QuarantineSession(said.displaced, "entered_again")),
                _raise(said.displaced, "missing_exit", lane_id=said.lane.lane_id, session_id=said.displaced, passage_id=said.passage_id)]
        plate = await opened(app, said.seen.plate)
        index = index_of(app, row.community_id, plate.value) if plate is not None and plate.value else ""
        session = begun(said, book.lot(row.community_id, said.lane.lot_id))
        return [*found, Do("begin", session.session_id, BeginSession(session, index))]

    async def finding_settled(event: FindingSettled, row: Recorded) -> list[Do]:
        """A look-alike at an entry that a person has recognised: the stay stands under that right."""
        await book.ready(await app.database.pool(), row.community_id, row.position)
        right = book.right(event.chosen) if event.chosen is not None else None
        if right is None:
            return []
        raised = await raised_as(app, event.finding_id, row.community_id)
        if raised is None or raised.kind != "look_alike" or raised.passage_id is None:
            return []
        stay, _ = await app.commands.state(SESSIONS, raised.passage_id, row.community_id)
        if isinstance(stay, Ended):
            return []
        if isinstance(stay, NoSession):  # who was kept out has none, and may yet come in
            passage, _ = await app.commands.state(PASSAGES, raised.passage_id, row.community_id)
            if not isinstance(passage, Completed):
                return []
            raise NotYet("the stay")
        return [Do("assign", raised.passage_id, AssignRight(raised.passage_id, under(right)))]

    return Reaction("after_passages", {
        PassageJudged: passage_judged, PassageCompleted: passage_completed, FindingSettled: finding_settled})


async def raised_as(app: App, finding: UUID, community_id: UUID) -> FindingRaised | None:
    state, _ = await app.commands.state(FINDINGS, finding, community_id)
    return None if isinstance(state, NoFinding) else state.said


def plate_rights(app: App) -> Reaction:
    """Vehicles of homes and guests with a plate become rights; whoever made them takes them back."""

    async def granted(row: Recorded, plate: Sealed, **grant: Any) -> list[Do]:
        found = await opened(app, plate)
        if found is None or not found.value:
            return []
        command: Struct = GrantPlateRight(PlateRightGranted(plate=plate, **grant), index_of(app, row.community_id, found.value))
        return [Do("grant", grant["right_id"], command)]

    async def vehicle_registered(event: identity.VehicleRegistered, row: Recorded) -> list[Do]:
        return await granted(
            row, moved(event.plate), right_id=event.vehicle_id, kind="vehicle" if event.verified else "declared",
            person_id=event.keeper_id, source_id=event.vehicle_id, reason="vehicle_of_a_home")

    async def vehicle_verified(event: identity.VehicleVerified, row: Recorded) -> list[Do]:
        state, _ = await app.commands.state(PLATE_RIGHTS, event.vehicle_id, row.community_id)
        if not isinstance(state, Held) or state.granted.kind != "declared":
            return []
        held = asdict(state.granted)
        return await granted(row, **{**held, "kind": "vehicle"})

    async def vehicle_removed(event: identity.VehicleRemoved, row: Recorded) -> list[Do]:
        return [Do("end", event.vehicle_id, EndPlateRight(event.vehicle_id, "vehicle_removed"))]

    async def pass_issued(event: access.VisitorPassIssued, row: Recorded) -> list[Do]:
        if event.plate is None:
            return []
        return await granted(
            row, moved(event.plate), right_id=event.pass_id, kind="visitor_pass", valid_from=event.valid_from,
            valid_until=event.valid_until, uses=event.uses, person_id=event.host_id, source_id=event.pass_id, reason=event.kind)

    async def pass_revoked(event: access.VisitorPassRevoked, row: Recorded) -> list[Do]:
        return [Do("end", event.pass_id, EndPlateRight(event.pass_id, "pass_revoked"))]

    return Reaction("rights_of_plates", {
        identity.VehicleRegistered: vehicle_registered, identity.VehicleVerified: vehicle_verified,
        identity.VehicleRemoved: vehicle_removed,
        access.VisitorPassIssued: pass_issued, access.VisitorPassRevoked: pass_revoked})


def reactions(app: App, book: LotBook) -> tuple[Reaction, ...]:
    return passages(app, book), after_passages(app, book), plate_rights(app)
