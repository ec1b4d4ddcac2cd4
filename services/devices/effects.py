"""What devices do in the world: open a door when access has ordered it, once and within five seconds, or not."""

from functools import partial

import httpx
from msgspec import Struct

from libs.contracts.access import DoorOpeningOrdered
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.devices.adapters.isapi_client import open_door
from services.devices.device_book import DeviceBook, KnownDevice
from services.devices.domain.door_orders import AttemptDoorOrder, CloseUnknownDoorOrder, ExpireDoorOrder, RecordCarriedOut, RecordFailed
from services.devices.performer import Effect, Order


def door_orders_at(app: App, book: DeviceBook) -> Effect:
    # short-lived connections: on one that the device has closed nobody knows whether an order was sent
    client = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=200, keepalive_expiry=1.0))

    async def door_opening_ordered(event: DoorOpeningOrdered, row: Recorded) -> Order:
        device = await book.find(event.device_id)
        mine = device if device is not None and device.community_id == row.community_id else None
        what = (event.opening_id, event.device_id, event.door_no)
        return Order(
            subject_id=event.opening_id, queue=str(event.device_id), attempt=AttemptDoorOrder(*what),
            expire=ExpireDoorOrder(*what), unknown=CloseUnknownDoorOrder(*what),
            perform=partial(open_at, app, client, mine, event))

    return Effect(name="door_orders", on={DoorOpeningOrdered: door_opening_ordered})


async def open_at(app: App, client: httpx.AsyncClient, device: KnownDevice | None, event: DoorOpeningOrdered) -> Struct:
    """Sends the order, once, and says how it ended."""
    what = (event.opening_id, event.device_id, event.door_no)
    if device is None or not device.description.base_url:
        return RecordFailed(*what, "unreachable", "no_address")
    about = device.description
    try:
        password = app.settings.secret(about.password_secret)
    except OSError:
        return RecordFailed(*what, "unreachable", "no_password")
    outcome = await open_door(client, about.base_url, event.door_no, about.user, password)
    if outcome.result == "carried_out":
        return RecordCarriedOut(*what)
    return RecordFailed(*what, outcome.result, outcome.code[:64])
