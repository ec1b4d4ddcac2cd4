"""What devices do in the world: open a door when access has ordered it, lift a barrier when parking has, tell a terminal
that asked what was decided; each once and within five seconds, or not.

A terminal that asks (ISAPI `remoteCheck`) is answered with the serial number of its event and opens by itself; it gets
no other order for that. A camera that waits is answered in its response (`waiting.py`); a call comes only where nobody
took that answer, as when the process that held the response died.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import httpx
from msgspec import Struct, ValidationError

from libs.contracts.access import CredentialJudged, DoorOpeningOrdered
from libs.contracts.parking import BarrierOrdered
from libs.eventkit.recorded import Recorded, UnknownVersion
from libs.eventkit.service import App
from services.devices.adapters.isapi_client import Outcome, Terminal, answer_check, lift_barrier, open_door
from services.devices.device_book import DeviceBook, KnownDevice
from services.devices.domain.orders import (
    Actuator,
    AttemptOrder,
    CloseUnknownOrder,
    ExpireOrder,
    RecordCarriedOut,
    RecordFailed,
)
from services.devices.domain.refusals import AttemptRefusal, EndRefusal, ExpireRefusal
from services.devices.domain.reports import DeviceReported
from services.devices.performer import Effect, Order

Call = Callable[[httpx.AsyncClient, Terminal], Awaitable[Outcome]]
MARGIN = 0.3
"""Seconds beyond a camera's limit after which nobody answers in its response any more."""


async def _unclear(client: httpx.AsyncClient, terminal: Terminal) -> Outcome:
    return Outcome("refused", "cause_unreadable")


def client_of_devices(most: int | None = 200) -> httpx.AsyncClient:
    """With at most so many connections at once; None: as many as there are devices that are read, which keep one each."""
    # short-lived connections: on one that the device has closed nobody knows whether an order was sent
    return httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=most, keepalive_expiry=1.0))


def door_orders_at(app: App, book: DeviceBook, client: httpx.AsyncClient) -> Effect:
    async def door_opening_ordered(event: DoorOpeningOrdered, row: Recorded) -> Order:
        device = await book.find(event.device_id)
        mine = device if device is not None and device.community_id == row.community_id else None
        asked, call = await asked_and(partial(open_door, door_no=event.door_no), row, event.means != "remote")
        if asked is not None and asked.device_id == event.device_id and asked.told.serial is not None:
            call = partial(answer_check, serial=asked.told.serial, admitted=True)
        what = (event.opening_id, event.device_id, event.door_no)

        async def perform() -> Struct:
            outcome = await told(app, client, mine, call)
            return RecordCarriedOut(*what) if outcome.result == "carried_out" else RecordFailed(*what, outcome.result, outcome.code[:64])

        return Order(
            subject_id=event.opening_id, queue=str(event.device_id), attempt=AttemptOrder(*what),
            expire=ExpireOrder(*what), unknown=CloseUnknownOrder(*what), perform=perform)

    async def asked_and(call: Call, row: Recorded, rests: bool) -> tuple[DeviceReported | None, Call]:
        """The question behind an order, and what to call; nothing where it cannot be read whether the device asked."""
        try:
            return await question_behind(app, row) if rests else None, call
        except (UnknownVersion, ValidationError):
            return None, _unclear

    async def credential_judged(event: CredentialJudged, row: Recorded) -> Order | None:
        asked = await question_behind(app, row) if event.live and not event.allowed else None
        if asked is None or asked.told.serial is None:
            return None
        device = await book.find(asked.device_id)
        what, call = (asked.told.report_id, asked.device_id), partial(answer_check, serial=asked.told.serial, admitted=False)

        async def perform() -> Struct:
            outcome = await told(app, client, device, call)
            return EndRefusal(*what) if outcome.result == "carried_out" else EndRefusal(*what, outcome.result, outcome.code[:64])

        return Order(
            subject_id=asked.told.report_id, queue=str(asked.device_id), attempt=AttemptRefusal(*what, asked.told.serial),
            expire=ExpireRefusal(*what), unknown=EndRefusal(*what, "unknown"), perform=perform)

    async def barrier_ordered(event: BarrierOrdered, row: Recorded) -> Order:
        device = await book.find(event.device_id)
        mine = device if device is not None and device.community_id == row.community_id else None
        asked, call = await asked_and(partial(lift_barrier, channel=event.lane_no), row, event.answers is not None)
        answers = event.answers if asked is not None and asked.told.report_id == event.answers else None
        what: tuple[UUID, UUID, int, Actuator] = (event.order_id, event.device_id, event.lane_no, "barrier")

        async def perform() -> Struct:
            outcome = await told(app, client, mine, call)
            if outcome.result == "carried_out":
                return RecordCarriedOut(*what)
            return RecordFailed(*what[:3], outcome.result, outcome.code[:64], "barrier")

        return Order(
            subject_id=event.order_id, queue=str(event.device_id), attempt=AttemptOrder(*what, answers),
            expire=ExpireOrder(*what), unknown=CloseUnknownOrder(*what), perform=perform,
            hold=mine.description.answer_ms / 1000 + MARGIN if mine is not None and answers is not None else 0.0)

    return Effect(name="door_orders", on={
        DoorOpeningOrdered: door_opening_ordered, CredentialJudged: credential_judged, BarrierOrdered: barrier_ordered})


async def question_behind(app: App, row: Recorded) -> DeviceReported | None:
    """Our own live report that this rests on, where its device asked and waits; of this community alone."""
    for event_id in row.meta.caused_by:
        cause = await app.log.event(event_id)
        if cause is None or cause.source is not None or cause.community_id != row.community_id:
            continue
        event = app.catalogue.read(cause)
        if isinstance(event, DeviceReported) and event.live and event.told.awaits_decision:
            return event
    return None


async def told(app: App, client: httpx.AsyncClient, device: KnownDevice | None, call: Call) -> Outcome:
    """Calls the device, once, and says how it ended."""
    if device is None or not device.description.base_url:
        return Outcome("unreachable", "no_address")
    about = device.description
    try:
        password = app.settings.secret(about.password_secret)
    except OSError:
        return Outcome("unreachable", "no_password")
    return await call(client, Terminal(about.base_url, about.user, password))
