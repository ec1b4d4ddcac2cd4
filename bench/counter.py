"""A service with one route, as small as a service can be: the ours of the row `command`.

    python -m bench.counter PORT POSTGRES SECRETS
"""

import gc
import sys
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid5

import uvloop
from fastapi import APIRouter, Request, Response
from msgspec import Struct

from bench.servers import Servers
from libs.eventkit.auth import Principal
from libs.eventkit.decider import Decider
from libs.eventkit.http import IdempotencyKey, Input, community_of, context, json, permitted, position_header
from libs.eventkit.run import serve
from libs.eventkit.service import App, Service

NAME = "bench_command"
COUNT = "count"
SCOPE = UUID("20000000-0000-4000-8000-000000000002")


class KeyLearnt(Struct, frozen=True, tag="key_learnt"):
    kid: str
    public_key: str
    not_before: datetime
    expires: datetime


class Counted(Struct, frozen=True, tag="counted"):
    text: str


class Count(Struct, frozen=True):
    text: str


class Total(Struct, frozen=True):
    number: int = 0


COUNTERS = Decider[Total, Counted](
    category="counter", initial=Total(), evolve=lambda total, event: Total(total.number + 1),
    decide={Count: lambda command, total: [Counted(command.text)]})


class Text(Input):
    text: str


def routes(app: App) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/counters/{counter_id}/counts", status_code=201)
    async def count(
        counter_id: UUID, body: Text, request: Request, key: IdempotencyKey, principal: Principal = permitted(COUNT),
    ) -> Response:
        community_id = community_of(principal)
        done = await app.commands.handle(
            uuid5(SCOPE, str(counter_id)), Count(body.text), context(request, principal, community_id), key=key)
        return json({"id": done.outcome.events[0]}, 201, position_header(NAME, app.commands.generation, done))

    return router


SERVICE = Service(
    name=NAME, events=(KeyLearnt, Counted), permissions_of=lambda role: frozenset({COUNT}), signing_key=KeyLearnt,
    deciders=(COUNTERS,), routes=routes)


def main(port: str, postgres: str, secrets: str) -> None:
    settings = Servers(postgres, "", Path(), Path(secrets), "", "").settings(NAME)
    gc.freeze()  # as `libs.eventkit.run` does it for every service
    gc.set_threshold(20_000, 10, 10)
    uvloop.run(serve(App(SERVICE, settings.model_copy(update={"port": int(port)})), "api"))


if __name__ == "__main__":
    main(*sys.argv[1:])
