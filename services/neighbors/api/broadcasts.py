"""Emergency broadcasts: sent and ended by hand by staff and guards, confirmed by residents; who was told, and who was not."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts.permissions import BROADCASTS_SEND, NEIGHBORS_OWN
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Done
from libs.eventkit.decider import NotFound
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, permitted
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.neighbors.book import CircleBook
from services.neighbors.domain.broadcasts import (
    BROADCASTS,
    BY_HAND,
    LONGEST_TEXT,
    EndBroadcast,
    Kind,
    NoBroadcast,
    SendBroadcast,
)
from services.neighbors.domain.receipts import ReadNotice, receipt_id_of
from services.neighbors.views import broadcasts, members, receipts

Limit = Query(default=50, ge=1, le=200)
SHOWN = ("building_id", "kind", "text", "incident_id", "sent_at", "ended_at", "ended_reason")
MORE = ("event_id", "by", "rule", "reason", "audience", "ended_by", "ended_event_id")


class NewBroadcast(Input):
    building_id: UUID
    kind: Kind = "other"
    text: str = Field(min_length=1, max_length=LONGEST_TEXT)


def routes(app: App, book: CircleBook) -> APIRouter:
    router = APIRouter(prefix="/v1")
    own_or_all = permitted(NEIGHBORS_OWN, BROADCASTS_SEND)

    def said(done: Done) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    @router.post("/broadcasts", status_code=201)
    async def send_broadcast(
        body: NewBroadcast, request: Request, key: IdempotencyKey, principal: Principal = permitted(BROADCASTS_SEND),
    ) -> Response:
        """Everybody who lives in the building is told, from now on until it is ended."""
        community_id = community_of(principal)
        await book.memory.catch_up()
        await book.ready()
        building_id, broadcast_id = book.building(community_id, body.building_id), uuid7()
        command = SendBroadcast(
            broadcast_id=broadcast_id, building_id=building_id, kind=body.kind, text=body.text, incident_id=None,
            by=principal.id, rule=BY_HAND, reason="sent_by_a_person", facts=(),
            recipients=tuple(sorted(book.reached(community_id, building_id))))
        done = await app.commands.handle(broadcast_id, command, http.context(request, principal, community_id), key=key)
        broadcast, _ = await app.commands.state(BROADCASTS, done.outcome.id, community_id)
        audience = 0 if isinstance(broadcast, NoBroadcast) else len(broadcast.sent.recipients)
        return json({"id": done.outcome.id, "audience": audience}, 201, said(done))

    @router.get("/broadcasts")
    async def list_broadcasts(
        request: Request, building_id: UUID | None = None, cursor: str | None = None, limit: int = Limit,
        principal: Principal = own_or_all,
    ) -> Response:
        """For a resident those that were meant for them, wherever they live now, also when they are over: that is the all-clear."""
        filter_ = f"broadcasts of {building_id} for {principal.id}"
        before, stale = http.cursor_position(cursor, filter_), await caught_up(request)
        shown: tuple[str, ...] = (*SHOWN, *MORE) if watches(principal) else (*SHOWN, "read_at")
        query = (
            broadcasts.page_of(building_id, before, limit + 1) if watches(principal)
            else broadcasts.mine(principal.id, None, before, limit + 1))
        page = http.page(await app.database.fetch(principal.community_ids, query), limit, filter_, "position")
        return json({**page, "items": [with_id(row, shown) for row in page["items"]]}, 200, stale)

    @router.get("/broadcasts/{broadcast_id}")
    async def show_broadcast(broadcast_id: UUID, request: Request, principal: Principal = own_or_all) -> Response:
        """Staff and guards see who was told and who was not, by the ids of residents; a resident what concerns them."""
        stale = await caught_up(request)
        if not watches(principal):
            rows = await app.database.fetch(principal.community_ids, broadcasts.mine(principal.id, broadcast_id, None, 1))
            return json(with_id(_one(rows), (*SHOWN, "read_at")), 200, stale)
        row = _one(await app.database.fetch(principal.community_ids, broadcasts.one(broadcast_id)))
        residents = broadcasts.reached(await app.database.fetch(principal.community_ids, broadcasts.tellings_of(broadcast_id)))
        read = await app.database.fetch(principal.community_ids, receipts.page_of(broadcast_id, None, 10_000))
        read_at = {r["resident_id"]: r["read_at"] for r in read}
        counts = {state: sum(r["state"] == state for r in residents) for state in ("told", "waiting", "not_told")}
        return json({
            **with_id(row, (*SHOWN, *MORE)), **counts, "read": len(read),
            "residents": [{**r, "read_at": read_at.get(r["resident_id"])} for r in residents]}, 200, stale)

    @router.post("/broadcasts/{broadcast_id}/receipts", status_code=201)
    async def confirm_broadcast(
        broadcast_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = permitted(NEIGHBORS_OWN),
    ) -> Response:
        """404 also for who was not told, wherever they live now."""
        community_id = community_of(principal)
        broadcast, _ = await app.commands.state(BROADCASTS, broadcast_id, community_id)
        told = not isinstance(broadcast, NoBroadcast) and (
            principal.id in broadcast.sent.recipients
            or bool(await app.database.fetch(principal.community_ids, broadcasts.tellings_of(broadcast_id, principal.id))))
        done = await app.commands.handle(
            receipt_id_of(broadcast_id, principal.id), ReadNotice(broadcast_id, principal.id, told),
            http.context(request, principal, community_id), key=key)
        return json({"id": broadcast_id}, 201, said(done))

    @router.post("/broadcasts/{broadcast_id}/endings", status_code=201)
    async def end_broadcast(
        broadcast_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = permitted(BROADCASTS_SEND),
    ) -> Response:
        """All clear, also where a rule has begun it."""
        command = EndBroadcast(broadcast_id, principal.id, BY_HAND)
        done = await app.commands.handle(
            broadcast_id, command, http.context(request, principal, community_of(principal)), key=key)
        return json({"id": broadcast_id}, 201, said(done))

    async def caught_up(request: Request) -> dict[str, str]:
        readers = (broadcasts.BROADCASTS_VIEW.name, broadcasts.TELLINGS_VIEW.name, receipts.VIEW.name, members.VIEW.name)
        return await http.caught_up(request, *readers)

    return router


def watches(principal: Principal) -> bool:
    """Whether they look after broadcasts, and not only at their own."""
    return BROADCASTS_SEND in principal.permissions


def with_id(row: dict[str, Any], shown: tuple[str, ...]) -> dict[str, Any]:
    state = "running" if row["ended_at"] is None else "ended"
    return {"id": row["broadcast_id"], "state": state, **{k: row[k] for k in shown}}


def _one(rows: list[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        raise NotFound("broadcast")
    return rows[0]
