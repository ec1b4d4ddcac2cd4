"""A page that is one row of a view and nothing else: FastAPI, one asyncpg query, no token. The limit of the row `page`.

    python -m bench.one_row PORT DATABASE_URL COMMUNITY CONNECTIONS
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import uvicorn
from fastapi import FastAPI, Request, Response

ONE_ROW = "select * from gateway_rights limit 1"
PATH = "/v1/row"


def application(url: str, community: str, connections: int) -> FastAPI:
    """What it reads is seen under row-level security."""

    @asynccontextmanager
    async def pooled(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
                url, min_size=connections, max_size=connections, server_settings={"lifang.communities": f"{{{community}}}"}) as pool:
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=pooled, openapi_url=None, telemetry={"tracing": False, "metrics": False, "logs": False})

    @app.get(PATH)
    async def row(request: Request) -> Response:
        found = await request.app.state.pool.fetchrow(ONE_ROW)
        return Response(msgspec.json.encode(dict(found)), media_type="application/json")

    return app


def main(port: str, url: str, community: str, connections: str) -> None:
    app = application(url, community, int(connections))
    uvicorn.run(
        app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False, server_header=False, proxy_headers=False,
        loop="uvloop")


if __name__ == "__main__":
    main(*sys.argv[1:])
