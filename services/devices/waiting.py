"""A camera that waits for its answer: the decision that comes within its limit, else what is configured for it.

Decision, fallback and a later call compete for one claim on the report's answer, so that exactly one of them is told,
whichever process it reaches (architecture, decision 13). The limit counts from the arrival of the report.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.contracts.parking import BarrierOrdered, PassageJudged
from libs.eventkit.commands import Context
from libs.eventkit.decider import Refused
from libs.eventkit.reactions import context_of
from libs.eventkit.recorded import Recorded, tag_of
from libs.eventkit.service import App
from libs.eventkit.tail import set_within
from services.devices.device_book import KnownDevice
from services.devices.domain.fallbacks import GiveFallback
from services.devices.domain.orders import Actuator, AttemptOrder, RecordCarriedOut
from services.devices.domain.refusals import AttemptRefusal, EndRefusal

DECISIONS = {tag_of(BarrierOrdered), tag_of(PassageJudged)}
Decision = BarrierOrdered | PassageJudged


async def _nothing() -> None:
    return


class Answer(Struct, frozen=True):
    """`sent` is called once the response has been written, and records that."""

    admitted: bool
    sent: Callable[[], Awaitable[None]] = _nothing


async def answer(app: App, device: KnownDevice, report_id: UUID, event_id: UUID, after: int, until: float, context: Context) -> Answer:
    """What to tell the camera whose report `event_id` stands at or after position `after`; decided at the latest at
    `until` on the loop's clock. Raises Unavailable when the answer cannot be recorded: then none may be given."""
    asked = asyncio.get_running_loop().time()
    found = await decision(app, event_id, after, until)
    try:
        match found:
            case (BarrierOrdered() as order, row):
                what: tuple[UUID, UUID, int, Actuator] = (order.order_id, device.device_id, order.lane_no, "barrier")
                if await _mine(app, order.order_id, AttemptOrder(*what, report_id), _now(row)):
                    return Answer(True, partial(_say, app, order.order_id, RecordCarriedOut(*what, "answer"), _now(row)))
            case (PassageJudged(), row):
                refusal = (report_id, device.device_id)
                if await _mine(app, report_id, AttemptRefusal(*refusal, None), _now(row)):
                    return Answer(False, partial(_say, app, report_id, EndRefusal(*refusal), _now(row)))
            case _:
                admitted = device.description.fallback == "open"
                waited = round((asyncio.get_running_loop().time() - asked) * 1000)
                fallback = GiveFallback(report_id, device.device_id, admitted, waited)
                if await _mine(app, report_id, fallback, replace(context, caused_by=(event_id,))):
                    return Answer(admitted)
    except Refused:
        pass
    return Answer(False)  # somebody else has answered, or will: this response opens nothing


async def decision(app: App, event_id: UUID, after: int, until: float) -> tuple[Decision, Recorded] | None:
    """Watches the log from `after` on for what parking decides of this very report."""
    loop, position = asyncio.get_running_loop(), after
    while (left := until - loop.time()) > 0:
        grown = app.wake.next
        rows = await app.log.tail.after(position, grown)
        for row in rows:
            if row.type in DECISIONS and event_id in row.meta.caused_by and row.source == "parking":
                event = app.catalogue.read(row)
                if isinstance(event, BarrierOrdered) or (isinstance(event, PassageJudged) and not event.admitted):
                    return event, row
        if rows:
            position = rows[-1].position
            continue
        await set_within(grown, left)
    return None


def _now(row: Recorded) -> Context:
    return replace(context_of(row, "answer"), now=datetime.now(UTC), cause=None)


async def _mine(app: App, subject_id: UUID, command: Struct, context: Context) -> bool:
    """True when this very call stored it. Raises Refused where the report has had its answer."""
    done = await app.commands.handle(subject_id, command, context, new=True)
    return bool(done.outcome.events) and not done.replayed


async def _say(app: App, subject_id: UUID, command: Struct, context: Context) -> None:
    await app.commands.handle(subject_id, command, context)
