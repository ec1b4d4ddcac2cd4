"""A desk that shows somebody's contact and is killed at a point: `python -m tests.integration.mortal_desk POINT ORDER FILE RESIDENT KEY`.

Whoever asked has the answer as soon as it is a line of the file, written through. `ORDER`: `recorded first`, as it is, or `answers
first`, which must be caught.
"""

import asyncio
import os
import signal
import sys
from typing import Any
from uuid import UUID

import httpx

from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.settings import settings_for
from services.identity import contacts
from services.identity.api import residents
from services.identity.main import SERVICE
from tests.integration.office import verifying

POINTS = ("before anything", "between the record and the answer", "answered")


def reach(chosen: str, here: str) -> None:
    if chosen == here:
        os.kill(os.getpid(), signal.SIGKILL)


def delivered(path: str, answer: dict[str, Any]) -> None:
    with open(path, "a") as file:
        file.write(f"{answer['id']} {answer['phone']}\n")
        file.flush()
        os.fsync(file.fileno())


async def main(point: str, order: str, path: str, resident: str, key: str) -> None:
    app = App(SERVICE, settings_for("identity"))
    await app.open()
    in_full = contacts.in_full

    async def opening(*asked: Any, **more: Any) -> Any:
        reach(point, POINTS[1])
        return await in_full(*asked, **more)

    async def answers_first(record: Any, show: Any) -> Any:
        shown = await show()
        delivered(path, shown)
        reach(point, POINTS[1])
        return await record(), shown

    if order == "answers first":
        residents.recorded_first = answers_first
    else:
        contacts.in_full = opening
    rows = await app.log.stream(f"resident:{resident}")
    app.verifier.verify = verifying(rows[0].community_id)  # type: ignore[method-assign]
    reach(point, POINTS[0])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(app)), base_url="http://identity") as client:
        answer = await client.post(
            f"/v1/residents/{resident}/disclosures", json={"purpose": "parcel at the gate"},
            headers={"authorization": f"Bearer staff:{UUID(int=5)}", "idempotency-key": key})
    assert answer.status_code == 201, answer.text
    delivered(path, answer.json())
    reach(point, POINTS[2])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
