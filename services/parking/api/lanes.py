"""The guard's lane: what passed last, what is to be settled, and lifting the barrier by hand."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from msgspec.structs import replace
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, permitted
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.parking.api.lots import now
from services.parking.api.plates import masked_plates
from services.parking.book import LotBook
from services.parking.domain.findings import FINDINGS, NoFinding, SettleFinding
from services.parking.domain.judging import Fact, Judgement
from services.parking.domain.passages import PASSAGES, JudgePassage, NoPassage, Seen, held_back
from services.parking.lane_desk import Desk, opened
from services.parking.views import findings, lanes

Limit = Query(default=50, ge=1, le=200)


class Opening(Input):
    """`finding_id`: which finding this settles; `passage_id`: which car it is, where its refusal raised none; `session_id`: which
    stay ends, at a lane outwards."""

    finding_id: UUID | None = None
    passage_id: UUID | None = None
    session_id: UUID | None = None
    reason: str = Field(min_length=1, max_length=200)


class Settlement(Input):
    """`chosen`: which of the candidates it is."""

    how: Literal["let_through", "turned_away", "chosen", "waived", "left_earlier", "refunded", "other"]
    chosen: UUID | None = None
    note: str = Field(default="", max_length=200)


def routes(app: App, book: LotBook) -> APIRouter:
    router = APIRouter(prefix="/v1/parking")

    def position(done: Any) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    @router.get("/lanes/{lane_id}/passages")
    async def list_passages(
        lane_id: UUID, request: Request, principal: Principal = permitted(permissions.PARKING_READ), cursor: str | None = None,
        limit: int = Limit,
    ) -> Response:
        filter_ = f"passages {lane_id}"
        before, stale = http.cursor_position(cursor, filter_), await http.caught_up(request, lanes.PASSAGES_VIEW.name)
        rows = await app.database.fetch(principal.community_ids, lanes.passages_of(lane_id, before, limit + 1))
        plates = await masked_plates(app, [row["plate"] for row in rows])
        fields = ("at", "admitted", "rule", "reason", "live", "session_id", "outcome", "candidates", "position")
        items = [
            {"id": row["passage_id"], "plate": plate, **{f: row[f] for f in fields}}
            for row, plate in zip(rows, plates, strict=True)]
        return json(http.page(items, limit, filter_, "position"), 200, stale)

    @router.post("/lanes/{lane_id}/openings", status_code=201)
    async def open_lane(
        lane_id: UUID, body: Opening, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_GUARD),
    ) -> Response:
        """Lifts the barrier once, by hand; the car's stay begins or ends with it, and the reason is kept."""
        community_id = community_of(principal)
        await book.ready(await app.database.pool(), community_id)
        lane, passage_id = book.lane(community_id, lane_id), uuid7()
        stay = book.stay(body.session_id) if body.session_id is not None else None
        if body.session_id is not None and (stay is None or stay.begun.lot_id != lane.installed.lot_id):
            raise NotFound("session")
        (seen, held), context = await seen_before(body, community_id), http.context(request, principal, community_id)
        if body.finding_id is not None:  # first: one that was settled otherwise lifts no barrier
            settle = SettleFinding(body.finding_id, "let_through", None, principal.id, body.reason)
            await app.commands.handle(body.finding_id, settle, context)
        facts = (Fact(lane.because, "lane"), *((Fact(stay.because, "entered"),) if stay is not None else ()))
        desk = Desk(app, book, lane, book.lot(community_id, lane.installed.lot_id), await opened(app, seen.plate), seen.at)
        out = body.session_id if lane.installed.direction == "out" else None
        judgement, displaced = await desk.by_hand(Judgement(True, "by_hand", body.reason, facts, session_id=out))
        command = JudgePassage(passage_id, lane.installed, seen, judgement, displaced, lets_through=held)
        done = await app.commands.handle(passage_id, command, context, key=key)
        return json({"id": done.outcome.id}, 201, position(done))

    async def seen_before(body: Opening, community_id: UUID) -> tuple[Seen, UUID | None]:
        """What the camera had seen of the car that is let through, and in which passage; nothing where no car is named."""
        passage_id = body.passage_id
        if body.finding_id is not None:
            finding, _ = await app.commands.state(FINDINGS, body.finding_id, community_id)
            if isinstance(finding, NoFinding):
                raise NotFound("finding")
            passage_id = passage_id or finding.said.passage_id
        if passage_id is None:
            return Seen(at=now()), None
        passage, _ = await app.commands.state(PASSAGES, passage_id, community_id)
        if isinstance(passage, NoPassage) and body.passage_id is None:  # a restore has lost it, or retention
            return Seen(at=now()), None
        was = held_back(passage).seen
        return replace(was, at=now(), live=True, dated=True), passage_id

    @router.get("/findings")
    async def list_findings(
        request: Request, principal: Principal = permitted(permissions.PARKING_READ), cursor: str | None = None, limit: int = Limit,
        open_only: bool = True,
    ) -> Response:
        filter_ = f"parking findings {open_only}"
        before, stale = http.cursor_position(cursor, filter_), await http.caught_up(request, findings.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, findings.page_of(before, limit + 1, open_only))
        return json(http.page([findings.shown(dict(row)) for row in rows], limit, filter_, "position"), 200, stale)

    @router.post("/findings/{finding_id}/settlements", status_code=201)
    async def settle_finding(
        finding_id: UUID, body: Settlement, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_GUARD),
    ) -> Response:
        command = SettleFinding(finding_id, body.how, body.chosen, principal.id, body.note)
        context = http.context(request, principal, community_of(principal))
        done = await app.commands.handle(finding_id, command, context, key=key)
        return json({"id": finding_id}, 201, position(done))

    return router

