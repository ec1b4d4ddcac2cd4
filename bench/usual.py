"""How this is usually built: FastAPI, pydantic, SQLAlchemy Core on asyncpg; the same rows. The peer of the row `command`.

    python -m bench.usual PORT DATABASE_URL

The token is looked at by nobody here: what it costs ours comes on top.
"""

import sys
from typing import Annotated
from uuid import UUID, uuid4

import uvicorn
from fastapi import FastAPI, Header
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

VERSION = text("select coalesce(max(version), 0) from events where stream = :stream")
KNOWN = text("select outcome from outcomes where community_id = :community and principal = 'p' and route = 'r' and key = :key")
EVENT = text(
    "insert into events (position, generation, community_id, stream, version, event_id, type, schema, data, meta) values"
    " (nextval('positions'), 1, :community, :stream, :version, :event, 'counted', 1, cast(:data as json), '{}')")
OUTCOME = text(
    "insert into outcomes (community_id, principal, route, key, body_hash, outcome) values"
    " (:community, 'p', 'r', :key, 'f00d', cast(:outcome as json))")
COMMUNITY = UUID("10000000-0000-4000-8000-000000000001")


class Text(BaseModel):
    text: str


class Counted(BaseModel):
    id: UUID


def application(url: str) -> FastAPI:
    app, engine = FastAPI(), create_async_engine(url, pool_size=16, max_overflow=0)

    @app.post("/v1/counters/{counter_id}/counts", status_code=201)
    async def count(counter_id: UUID, body: Text, idempotency_key: Annotated[str, Header()]) -> Counted:
        stream, event = f"counter:{counter_id}", uuid4()
        async with engine.begin() as connection:
            known = (await connection.execute(KNOWN, {"community": COMMUNITY, "key": idempotency_key})).first()
            if known is not None:
                return Counted(id=UUID(known[0]["id"]))
            version = (await connection.execute(VERSION, {"stream": stream})).scalar_one()
            await connection.execute(EVENT, {
                "community": COMMUNITY, "stream": stream, "version": version + 1, "event": event, "data": body.model_dump_json()})
            await connection.execute(OUTCOME, {
                "community": COMMUNITY, "key": idempotency_key, "outcome": f'{{"id": "{event}"}}'})
        return Counted(id=event)

    return app


def main(port: str, url: str) -> None:
    address = url.replace("postgresql://", "postgresql+asyncpg://")
    uvicorn.run(application(address), host="127.0.0.1", port=int(port), log_level="warning", access_log=False, loop="uvloop")


if __name__ == "__main__":
    main(*sys.argv[1:])
