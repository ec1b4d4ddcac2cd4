"""Relays that a fire release holds: what access wants becomes a wish for each relay, and the device is told until it confirms it or is
retired.

What is told is what the log says is wanted when the device is free, however long somebody waited for it. A process that dies in between
has recorded nothing: the next one tells it again.
"""

import asyncio
from datetime import UTC, datetime
from functools import partial
from uuid import UUID
from weakref import WeakValueDictionary

import httpx
from msgspec import Struct
from msgspec.structs import replace

from libs.contracts.access import FireReleaseBegun, FireReleaseEnded
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from libs.eventkit.timers import Due, Timer
from services.devices.adapters.isapi_client import hold_relay
from services.devices.device_book import DeviceBook
from services.devices.domain.holds import HOLDS, EndWithDevice, RecordHeld, RecordNotHeld, RelayState, Untold, WantHold, due, hold_id_of
from services.devices.effects import told

AT_ONCE = 256
"""Relays that are told, or wait until their device is free, so that those of a dead device leave room for others."""


def holds_wanted() -> Reaction:
    async def begun(event: FireReleaseBegun, row: Recorded) -> list[Do]:
        return [want(event, row, relay.device_id, relay.door_no, relay.state) for relay in event.relays]

    async def ended(event: FireReleaseEnded, row: Recorded) -> list[Do]:
        return [want(event, row, relay.device_id, relay.door_no, "normal") for relay in event.relays]

    def want(event: FireReleaseBegun | FireReleaseEnded, row: Recorded, device_id: UUID, door_no: int, state: RelayState) -> Do:
        wish = WantHold(event.release_id, device_id, door_no, state, row.event_id, row.recorded_at)
        return Do(f"hold {device_id} {door_no}", hold_id_of(row.community_id, device_id, door_no), wish)

    return Reaction("holds_wanted", {FireReleaseBegun: begun, FireReleaseEnded: ended}, apart=True)


def holds_kept(app: App, book: DeviceBook, client: httpx.AsyncClient) -> Timer:
    """One call per device at a time; a dead one holds up no other."""
    in_use: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def fire(now_due: Due) -> None:
        async with in_use.setdefault(now_due.state.device_id, asyncio.Lock()):
            hold, version = await app.commands.state(HOLDS, now_due.subject_id, now_due.community_id)
            if isinstance(hold, Untold) and hold.again_at <= datetime.now(UTC):
                outcome = await tell(hold, now_due.community_id)
                context = replace(now_due.context(f"told {version}"), caused_by=(hold.because,))
                await app.commands.handle(now_due.subject_id, outcome, context)

    async def tell(hold: Untold, community_id: UUID) -> Struct:
        device, retired = await book.find(hold.device_id), book.retired.get(hold.device_id)
        if retired is not None and retired.community_id == community_id:
            return EndWithDevice()
        mine = device if device is not None and device.community_id == community_id else None
        outcome = await told(app, client, mine, partial(hold_relay, door_no=hold.door_no, state=hold.wanted))
        if outcome.result == "carried_out":
            return RecordHeld(hold.wanted)
        return RecordNotHeld(hold.wanted, outcome.result, outcome.code[:64], hold.attempts + 1, datetime.now(UTC))

    return Timer("holds", HOLDS, due, fire, AT_ONCE)
