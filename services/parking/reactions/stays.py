"""What follows from own decisions: findings, stays that begin, end or cannot be open any more, and what a right that
changes means for who is inside under it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from libs.eventkit.decider import NotYet
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.parking.book import LotBook
from services.parking.domain.findings import FINDINGS, FindingRaised, FindingSettled, How, NoFinding, Raised, SettleFinding
from services.parking.domain.judging import FindingKind
from services.parking.domain.passages import PASSAGES, Completed, PassageCompleted, PassageJudged
from services.parking.domain.plate_rights import PlateRightEnded, PlateRightGranted, RenewalPaid
from services.parking.domain.sessions import SESSIONS, AssignRight, Because, BeginSession, EndSession, QuarantineSession, SettleSession
from services.parking.domain.stays import (
    FREE,
    Ended,
    Inside,
    NoSession,
    PaymentReceived,
    Session,
    SessionEnded,
    SessionQuarantined,
    StayCorrected,
    Under,
    due,
)
from services.parking.domain.tariffs import Adoption
from services.parking.lane_desk import begun, finding_id, index_in, raising, under


def after_passages(app: App, book: LotBook) -> Reaction:
    async def ready(row: Recorded) -> None:
        await book.ready(await app.database.pool(), row.community_id, row.position)

    async def stay_of(session_id: UUID, row: Recorded) -> Session:
        state, _ = await app.commands.state(SESSIONS, session_id, row.community_id)
        return state  # type: ignore[no-any-return]

    async def passage_judged(event: PassageJudged, row: Recorded) -> list[Do]:
        kind = event.judgement.finding
        if kind is None:
            return []
        return [raising(
            event.passage_id, kind, lane_id=event.lane.lane_id, passage_id=event.passage_id,
            session_id=event.judgement.session_id, candidates=event.judgement.candidates)]

    async def passage_completed(event: PassageCompleted, row: Recorded) -> list[Do]:
        rows = await app.log.stream(f"{PASSAGES.category}:{event.passage_id}")
        said = app.catalogue.read(rows[0])
        assert isinstance(said, PassageJudged)
        # what others can follow: the judgement, and what a device said became of it
        because = (rows[0].event_id, *row.meta.caused_by)
        await ready(row)
        lot = book.lot(row.community_id, said.lane.lot_id)
        if said.lane.direction == "in":
            return [replace(do, caused_by=because) for do in await entered(said, row)]
        session_id = said.judgement.session_id
        if session_id is None:
            return []
        if not said.seen.dated:  # it is out, nobody knows since when
            return [replace(do, caused_by=because) for do in quarantined(session_id, "exit_undated", said)]
        done = [Do("end", session_id, EndSession(session_id, said.seen.at, lot.adoptions, said.passage_id), because)]
        if owes(await stay_of(session_id, row), lot.adoptions, said.seen.at):  # it is out although it owed
            done.append(raising(
                session_id, "unpaid_exit", lane_id=said.lane.lane_id, session_id=session_id, passage_id=event.passage_id))
        return done

    async def entered(said: PassageJudged, row: Recorded) -> list[Do]:
        if said.judgement.session_id is not None:  # it was read again while it passed
            return []
        found: list[Do] = []
        displaced = await stay_of(said.displaced, row) if said.displaced else None
        if said.displaced is not None and isinstance(displaced, Inside):  # it may have ended since the car was judged
            found += quarantined(said.displaced, "entered_again", said)
        plate = said.seen.plate
        index = await index_in(app, row.community_id, plate) if plate is not None else ""
        await book.memory.catch_up()  # what this very reaction has ended before
        lot = book.lot(row.community_id, said.lane.lot_id)
        earlier = await book.over.billed(row.community_id, said.lane.lot_id, index, said.seen.at)
        session = begun(said, lot, earlier)
        found.append(Do("begin", session.session_id, BeginSession(session, index), new=True))
        if said.seen.told_late(row.recorded_at):
            found += [replace(do, name=f"late {do.name}") for do in quarantined(session.session_id, "told_late", said)]
        return found

    async def finding_settled(event: FindingSettled, row: Recorded) -> list[Do]:
        """A look-alike at an entry that a person has recognised: the stay stands under that right. A missing exit that is
        waived: the stay is over and costs nothing."""
        await ready(row)
        raised = await raised_as(app, event.finding_id, row.community_id)
        if raised is None:
            return []
        if raised.kind == "missing_exit" and event.how == "waived" and raised.session_id is not None:
            state = await stay_of(raised.session_id, row)
            waived = SettleSession(raised.session_id, None, row.recorded_at, ())
            return [Do("settle", raised.session_id, waived)] if isinstance(state, Inside) and state.quarantined else []
        right = book.right(event.chosen) if event.chosen is not None else None
        if right is None or raised.kind != "look_alike" or raised.passage_id is None:
            return []
        stay = await stay_of(raised.passage_id, row)
        if isinstance(stay, Ended):
            return []
        if isinstance(stay, NoSession):  # who was kept out has none, and may yet come in
            passage, _ = await app.commands.state(PASSAGES, raised.passage_id, row.community_id)
            if not isinstance(passage, Completed):
                return []
            raise NotYet("the stay")
        return [Do("assign", raised.passage_id, AssignRight(raised.passage_id, under(right)))]

    async def session_quarantined(event: SessionQuarantined, row: Recorded) -> list[Do]:
        """Of a car that has entered again, its passage raises the finding, with the lane."""
        by_hand = event.because == "by_hand"
        return [raising(event.session_id, "missing_exit", session_id=event.session_id)] if by_hand else []

    async def session_ended(event: SessionEnded, row: Recorded) -> list[Do]:
        found = await paid_too_much(event.session_id, event.session_id, row)
        if event.how == "settled":
            how: How = "waived" if event.exited_at is None else "left_earlier"
            found += await settled(event.session_id, "missing_exit", how, row)
        return found

    async def payment_received(event: PaymentReceived, row: Recorded) -> list[Do]:
        state = await stay_of(event.session_id, row)
        if not isinstance(state, Ended):
            return []
        found = await paid_too_much(event.session_id, event.payment_id, row)
        return found + (await settled(event.session_id, "unpaid_exit", "paid", row) if state.owing <= 0 else [])

    async def stay_corrected(event: StayCorrected, row: Recorded) -> list[Do]:
        return await paid_too_much(event.session_id, row.event_id, row)

    async def paid_too_much(session_id: UUID, about: UUID, row: Recorded) -> list[Do]:
        state = await stay_of(session_id, row)
        over = isinstance(state, Ended) and state.owing < 0
        return [raising(about, "overpaid", session_id=session_id)] if over else []

    async def settled(session_id: UUID, kind: FindingKind, how: How, row: Recorded) -> list[Do]:
        """What a finding about a stay asked for has happened."""
        finding = finding_id(session_id, kind)
        state, _ = await app.commands.state(FINDINGS, finding, row.community_id)
        return [Do(f"settle {kind}", finding, SettleFinding(finding, how))] if isinstance(state, Raised) else []

    async def right_granted(event: PlateRightGranted, row: Recorded) -> list[Do]:
        """A permit that was bought, renewed or changed while the car is inside."""
        if event.kind not in FREE:
            return []
        await ready(row)
        await book.memory.catch_up()  # a right that was ended just before
        right, found = book.right(event.right_id), []
        for stay in book.stays_of(event.right_id) if right is not None else []:
            was, now = stay.begun.under, Under(
                event.right_id, event.kind, event.person_id, event.source_id, event.valid_from, event.valid_until)
            here = event.lot_id in (None, stay.begun.lot_id)
            new = was is None or was.gives_way_to(now, row.recorded_at)
            if here and was != now and ((was is not None and was.right_id == event.right_id) or (new and right and not right.taken)):
                found.append(Do(f"assign {stay.begun.session_id}", stay.begun.session_id, AssignRight(stay.begun.session_id, now)))
        return found

    async def right_ended(event: PlateRightEnded, row: Recorded) -> list[Do]:
        """Who stands under a permit that is taken away pays from then on."""
        if event.kind not in FREE:
            return []
        await ready(row)
        found = []
        for stay in book.stays_of(event.right_id):
            was = stay.begun.under
            if was is not None and (was.valid_until is None or was.valid_until > row.recorded_at):
                now = replace(was, valid_until=max(row.recorded_at, was.valid_from or row.recorded_at))
                found.append(Do(f"assign {stay.begun.session_id}", stay.begun.session_id, AssignRight(stay.begun.session_id, now)))
        return found

    async def renewal_paid(event: RenewalPaid, row: Recorded) -> list[Do]:
        return [] if event.extended else [raising(event.payment_id, "overpaid", candidates=(event.right_id,))]

    return Reaction("after_passages", {
        PassageJudged: passage_judged, PassageCompleted: passage_completed, FindingSettled: finding_settled,
        SessionQuarantined: session_quarantined, SessionEnded: session_ended, PaymentReceived: payment_received,
        StayCorrected: stay_corrected, PlateRightGranted: right_granted, PlateRightEnded: right_ended, RenewalPaid: renewal_paid})


def quarantined(session_id: UUID, because: Because, said: PassageJudged) -> list[Do]:
    """A person finds out how it ended, and nothing is billed before."""
    return [
        Do("quarantine", session_id, QuarantineSession(session_id, because)),
        raising(session_id, "missing_exit", lane_id=said.lane.lane_id, session_id=session_id, passage_id=said.passage_id)]


def owes(stay: Any, adoptions: tuple[Adoption, ...], at: datetime) -> bool:
    match stay:
        case Inside():
            return due(stay, adoptions, at) > 0
        case Ended():
            return stay.owing > 0
        case _:
            return False


async def raised_as(app: App, finding: UUID, community_id: UUID) -> FindingRaised | None:
    state, _ = await app.commands.state(FINDINGS, finding, community_id)
    return None if isinstance(state, NoFinding) else state.said
