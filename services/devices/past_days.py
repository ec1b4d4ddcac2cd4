"""The day of a device that fell silent is closed as that of any other, so that what it said goes when its time is over (decision 18).

A device that speaks goes on to its next day by itself (`intake.py`). What has to be known of the closed day goes into the next one, which
stays open however long nothing is said in it: it holds nobody's word. No `Timer`: to know the day, that would fold every body of every
device.
"""

import asyncio
import logging
from datetime import UTC, date, datetime, timedelta

from libs.eventkit.commands import Context
from libs.eventkit.db import is_away
from libs.eventkit.recorded import tag_of, uuid7
from libs.eventkit.service import App
from services.devices.device_book import DeviceBook, KnownDevice
from services.devices.domain.reports import REPORTS, BodyReceived, BodyUnreadable
from services.devices.intake import Intake, day_id

log = logging.getLogger(__name__)
LOOK = 3600.0
"""Seconds between looks, the first one that long after the start."""
ITS_OWN = timedelta(hours=1)
"""After midnight, for devices that speak."""
_BODIES = [tag_of(BodyReceived), tag_of(BodyUnreadable)]


async def closing_past_days(app: App, book: DeviceBook) -> None:
    """For as long as this process runs. Others may do the same: whoever is second finds it done."""
    while True:
        await asyncio.sleep(LOOK)
        await close_past_days(app, book, datetime.now(UTC))


async def close_past_days(app: App, book: DeviceBook, now: datetime) -> None:
    """What cannot be closed now is closed after the next look."""
    await book.memory.catch_up()
    for device_id, day in list(book.last_day.items()):
        try:
            device = await book.find(device_id) or book.retired.get(device_id)
            if device is not None and day < (now - ITS_OWN).date() and await _said(app, device, day):
                context = Context(community_id=device.community_id, now=now, correlation=str(uuid7()))
                await Intake(app, book, device, context).today()
        except Exception as error:
            log.log(logging.WARNING if is_away(error) else logging.ERROR, "day of device %s: %s", device_id, type(error).__name__)


async def _said(app: App, device: KnownDevice, day: date) -> bool:
    query = "select exists (select 1 from events where stream = $1 and community_id = $2 and type = any($3))"
    stream = f"{REPORTS.category}:{day_id(device.device_id, day)}"
    return bool(await (await app.database.pool()).fetchval(query, stream, device.community_id, _BODIES))
