"""Judges what cameras see at lanes, and takes what became of it."""

from datetime import timedelta

from libs.contracts import devices
from libs.eventkit.decider import NotYet
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.parking.book import LotBook
from services.parking.domain.passages import PASSAGES, CompletePassage, FailPassage, NoPassage
from services.parking.lane_desk import judged, raising

ANSWERED = timedelta(seconds=5)
"""By then a camera has its answer, or its fallback, and no order lives longer."""


def cameras(app: App, book: LotBook) -> Reaction:
    """Everything of one device in order."""

    async def plate_seen(event: devices.PlateSeen, row: Recorded) -> list[Do]:
        if (not event.live or late(row)) and await unsettled(app, row):
            raise NotYet("what came of the passages before")
        command = await judged(app, book, event, row)
        if command is None:
            return []
        return [Do("judge", event.report_id, command, tuple(fact.event_id for fact in command.judgement.facts), new=True)]

    async def carried_out(event: devices.BarrierOrderCarriedOut, row: Recorded) -> list[Do]:
        return [Do("complete", event.order_id, CompletePassage(event.order_id, "barrier"))]

    async def failed(event: devices.BarrierOrderFailed, row: Recorded) -> list[Do]:
        return [Do("fail", event.order_id, FailPassage(event.order_id, event.reason))]

    async def fallback(event: devices.FallbackGiven, row: Recorded) -> list[Do]:
        """A camera that opened undecided let somebody through. What it saw is judged before, so that where there is no passage it was at
        a lane that is none of ours, or was none then."""
        state, _ = await app.commands.state(PASSAGES, event.report_id, row.community_id)
        if not event.admitted or isinstance(state, NoPassage):
            return []
        complete = Do("complete", event.report_id, CompletePassage(event.report_id, "fallback"))
        return [complete, raising(event.report_id, "unclear_passage", lane_id=state.said.lane.lane_id, passage_id=event.report_id)]

    return Reaction("cameras", {
        devices.PlateSeen: plate_seen, devices.BarrierOrderCarriedOut: carried_out, devices.BarrierOrderFailed: failed,
        devices.FallbackGiven: fallback}, key=lambda event, row: f"device:{event.device_id}")


def late(row: Recorded) -> bool:
    """We, or Kafka, were away: nobody waits for an answer to this any more."""
    return row.meta.source_time is not None and row.recorded_at - row.meta.source_time > ANSWERED


async def unsettled(app: App, row: Recorded) -> bool:
    """Whether a stay may still have to begin or end: of what cameras tell from their memory, and of what has waited for us, the
    exit comes right behind the entry."""
    pool = await app.database.pool()
    return bool(await pool.fetchval(
        "select exists (select 1 from events e, checkpoints c where c.name = 'after_passages' and e.position > c.position"
        " and e.type = 'passage_completed' and e.community_id = $1)", row.community_id))
