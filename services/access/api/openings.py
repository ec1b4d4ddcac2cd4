"""Opening a door from afar, and asking whether a credential may."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit.auth import Principal
from libs.eventkit.http import IdempotencyKey, Input, community_of, context, json, permitted, position_header
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.access.book import DoorBook
from services.access.domain.credentials import normalised
from services.access.domain.openings import JudgeCredential, OpenRemotely
from services.access.visitors import Visitors


class OpenDoor(Input):
    """Nothing is needed; the body may be left out."""


class CardOrPin(Input):
    kind: Literal["card", "pin"]
    number: str = Field(min_length=1, max_length=20)


class VisitorCode(Input):
    """`qr`: the text of a visitor's code, as a reader reads it."""

    kind: Literal["qr"]
    qr: str = Field(min_length=1, max_length=1000)


Presented = Annotated[CardOrPin | VisitorCode, Field(discriminator="kind")]


def routes(app: App, book: DoorBook, visitors: Visitors) -> APIRouter:
    router = APIRouter(prefix="/v1/doors/{door_id}")

    @router.post("/openings", status_code=201)
    async def open_door(
        door_id: UUID, request: Request, key: IdempotencyKey, body: OpenDoor | None = None,
        principal: Principal = permitted(permissions.DOORS_OPEN),
    ) -> Response:
        """Orders the opening now or refuses it with the rule that says no (409; device_retired: nobody could carry it out). The order
        lives five seconds."""
        community_id = community_of(principal)
        await book.ready(await app.database.pool())
        door = book.door(community_id, door_id)
        judgement = book.judge(door, "remote", datetime.now(UTC), person_id=principal.id)
        opening_id = uuid7()
        done = await app.commands.handle(
            opening_id,
            OpenRemotely(
                opening_id=opening_id, door_id=door_id, device_id=door.device_id, door_no=door.door_no,
                judgement=judgement),
            context(request, principal, community_id, caused_by=tuple(f.event_id for f in judgement.facts)), key=key,
            new=True)
        answer = {"id": done.outcome.id, "door_id": door_id, "state": "ordered", "event_id": done.outcome.events[0]}
        headers = position_header(app.service.name, app.commands.generation, done)
        return json(answer, 201, {**headers, "Location": f"/v1/events/{done.outcome.events[0]}/explanation"})

    @router.post("/judgements", status_code=201)
    async def judge_credential(
        door_id: UUID, body: Presented, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.ACCESS_DECIDE),
    ) -> Response:
        """May this credential, or visitor's code, open this door now? The decision is in the log before the answer; it orders
        nothing and takes no use of a pass."""
        community_id = community_of(principal)
        await book.ready(await app.database.pool())
        door = book.door(community_id, door_id)
        now, judgement_id = datetime.now(UTC), uuid7()
        if isinstance(body, VisitorCode):
            judgement = book.judge(door, "qr", now, visitor=await visitors.judged(body.qr, door, judgement_id, now))
        else:
            index = app.blind.of(community_id, body.kind, normalised(body.kind, body.number))
            judgement = book.judge(door, body.kind, now, index=index)
        done = await app.commands.handle(
            judgement_id,
            JudgeCredential(
                opening_id=judgement_id, door_id=door_id, device_id=door.device_id, door_no=door.door_no,
                means=body.kind, judgement=judgement, live=True, verified=False, awaited=False, at=now),
            context(request, principal, community_id, caused_by=tuple(f.event_id for f in judgement.facts)), key=key,
            new=True)
        event = (await app.commands.said(done))[0]
        answer = {
            "id": done.outcome.id, "allowed": event.allowed, "rule": event.rule, "reason": event.reason,
            "facts": event.facts, "event_id": done.outcome.events[0]}
        return json(answer, 201, position_header(app.service.name, app.commands.generation, done))

    return router
