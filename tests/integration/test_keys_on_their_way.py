"""A card that is shown while access still reads the keys that others made, as after a restore, is judged once they are read."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

from msgspec import Struct, json
from msgspec.structs import replace

from libs.contracts.devices import DeviceReported
from libs.contracts.fields import SealedField
from libs.eventkit.log import Append, NewEvent
from libs.eventkit.privacy import KeyRecord, encrypt, seal
from libs.eventkit.recorded import Meta, tag_of
from libs.eventkit.service import App
from libs.eventkit.subscriptions import follow
from services.access.domain.doors import DoorInstalled
from services.access.main import SERVICE
from services.access.reactions import REPORTS
from tests.kit import everything, until

AppOf = Callable[..., Awaitable[App]]
DOOR, DEVICE = uuid4(), uuid4()


async def test_while_the_keys_are_read_a_card_waits_and_nothing_is_put_aside(app_of: AppOf, community: UUID):
    app = await app_of(SERVICE)
    pool = await app.database.pool()

    async def says(stream: str, event: Struct) -> None:
        new = [NewEvent(uuid4(), tag_of(event), 1, json.encode(event), Meta())]
        assert (await app.log.append(Append(community, stream, 0, new))).verdict == "ok"

    kek_id, kek = app.keks.current("credential")
    dek, record = os.urandom(32), KeyRecord(uuid4(), community, f"device:{DEVICE}", "credential", "devices", kek_id)
    box = seal(dek, record.key_id, uuid4(), "card_number", "12345678")
    await says(f"door:{DOOR}", DoorInstalled(DOOR, "gate", "community", DEVICE, 1))
    number = SealedField(box.key_id, box.event_id, box.slot, box.box)
    await says("heard:report", DeviceReported(uuid4(), DEVICE, "card_read", "5/1", None, 1, 1, True, True, None, None, (), number))
    app.keys_heard = asyncio.Event()
    reports = next(s for s in app.subscriptions if s.name == REPORTS)
    app.supervisor.start(REPORTS, lambda: follow(app.log, app.wake, reports))
    await until(lambda: app.supervisor.restarts.get(REPORTS, 0) >= 2)
    assert await pool.fetchval("select count(*) from parked") == 0
    await app.keyring.store(replace(record, wrapped=encrypt(kek, dek, record.bound)))
    app.keys_heard.set()

    async def judged() -> list[str]:
        return [json.decode(row.data)["reason"] for row in await everything(pool) if row.type == "credential_judged"]

    assert await until(judged) == ["credential_unknown"]
