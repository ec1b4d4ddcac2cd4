"""How long people have for each step, by severity: what is usual, or what the community has set."""

from typing import get_args

from fastapi import APIRouter, Request, Response
from msgspec import structs
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, permitted
from libs.eventkit.service import App
from services.alarm.book import AlarmBook
from services.alarm.domain.kinds import Severity
from services.alarm.domain.ladder_settings import LONGEST, SetLadder, ladder_id_of
from services.alarm.domain.ladders import LADDERS, Ladder


class NewLadder(Input):
    """Seconds, each counted from the step before; `again`: from one level to the next."""

    acknowledge: int = Field(ge=1, le=LONGEST)
    verify: int = Field(ge=1, le=LONGEST)
    dispatch: int = Field(ge=1, le=LONGEST)
    resolve: int = Field(ge=1, le=LONGEST)
    again: int = Field(ge=1, le=LONGEST)


def routes(app: App, book: AlarmBook) -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.get("/ladders")
    async def list_ladders(principal: Principal = permitted(permissions.ALARMS_READ)) -> Response:
        community_id = community_of(principal)
        await book.memory.catch_up()
        found = []
        for severity in get_args(Severity):
            ladder = book.ladder(community_id, severity)
            found.append({"severity": severity, **structs.asdict(ladder), "usual": ladder == LADDERS[severity]})
        return json({"items": found, "next": None})

    @router.put("/ladders/{severity}")
    async def set_ladder(
        severity: Severity, body: NewLadder, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.ALARMS_MANAGE),
    ) -> Response:
        """For incidents that are raised from now on."""
        community_id = community_of(principal)
        done = await app.commands.handle(
            ladder_id_of(community_id, severity), SetLadder(severity, Ladder(**body.model_dump())),
            http.context(request, principal, community_id), key=key)
        return json({"severity": severity}, 200, http.position_header(app.service.name, app.commands.generation, done))

    return router
