"""Notices: posted and withdrawn by staff, read by the members of a circle, with receipts."""

from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts.permissions import NEIGHBORS_OWN, NOTICES_POST
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Done
from libs.eventkit.decider import NotFound
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, permitted
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.neighbors.book import CircleBook
from services.neighbors.domain.notices import (
    LONGEST_TEXT,
    LONGEST_TITLE,
    NOTICES,
    Category,
    NoNotice,
    Posted,
    PostNotice,
    WithdrawNotice,
)
from services.neighbors.domain.receipts import ReadNotice, receipt_id_of
from services.neighbors.views import members, notices, receipts

Limit = Query(default=50, ge=1, le=200)
HIDDEN = ("position", "seen")


class NewNotice(Input):
    circle_id: UUID
    category: Category = "general"
    title: str = Field(min_length=1, max_length=LONGEST_TITLE)
    text: str = Field(min_length=1, max_length=LONGEST_TEXT)


def routes(app: App, book: CircleBook) -> APIRouter:
    router = APIRouter(prefix="/v1")

    def said(done: Done) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    @router.post("/notices", status_code=201)
    async def post_notice(
        body: NewNotice, request: Request, key: IdempotencyKey, principal: Principal = permitted(NOTICES_POST),
    ) -> Response:
        """`audience`: how many belong to the circle as far as the log says now. Who joins later may read it too."""
        community_id, notice_id = community_of(principal), uuid7()
        await book.memory.catch_up()
        await book.ready()
        building_id, audience = book.building_of(community_id, body.circle_id), len(book.reached(community_id, body.circle_id))
        command = PostNotice(
            notice_id=notice_id, circle_id=body.circle_id, building_id=building_id, category=body.category, title=body.title,
            text=body.text, by=principal.id, audience=audience)
        done = await app.commands.handle(notice_id, command, http.context(request, principal, community_id), key=key)
        return json({"id": done.outcome.id}, 201, said(done))

    @router.get("/notices")
    async def list_notices(
        request: Request, circle_id: UUID | None = None, cursor: str | None = None, limit: int = Limit,
        principal: Principal = permitted(NEIGHBORS_OWN, NOTICES_POST),
    ) -> Response:
        """For a resident those of their circles, unread first; for staff all, with how many of the audience have read them."""
        stale = await http.caught_up(request, notices.VIEW.name, receipts.VIEW.name, members.VIEW.name)
        if NOTICES_POST not in principal.permissions:
            filter_ = f"notices for {principal.id}"
            values = http.cursor(cursor, filter_, 2)
            query = notices.mine(principal.id, numbers(values) if values else None, limit + 1)
            page = http.page(await app.database.fetch(principal.community_ids, query), limit, filter_, "seen", "position")
        else:
            filter_ = f"notices of {circle_id}"
            query = notices.all_of(circle_id, http.cursor_position(cursor, filter_), limit + 1)
            page = http.page(await app.database.fetch(principal.community_ids, query), limit, filter_, "position")
        shown = [{k: v for k, v in item.items() if k not in HIDDEN} for item in page["items"]]
        return json({**page, "items": shown}, 200, stale)

    @router.post("/notices/{notice_id}/withdrawals", status_code=201)
    async def withdraw_notice(
        notice_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = permitted(NOTICES_POST),
    ) -> Response:
        community_id = community_of(principal)
        done = await app.commands.handle(
            notice_id, WithdrawNotice(notice_id, principal.id), http.context(request, principal, community_id), key=key)
        return json({"id": notice_id}, 201, said(done))

    @router.post("/notices/{notice_id}/receipts", status_code=201)
    async def read_notice(
        notice_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = permitted(NEIGHBORS_OWN),
    ) -> Response:
        """404 also for who does not belong to its circle, and for one that is withdrawn."""
        community_id = community_of(principal)
        await book.ready()
        notice, _ = await app.commands.state(NOTICES, notice_id, community_id)
        told = isinstance(notice, Posted) and book.belongs(community_id, notice.circle_id, principal.id)
        done = await app.commands.handle(
            receipt_id_of(notice_id, principal.id), ReadNotice(notice_id, principal.id, told),
            http.context(request, principal, community_id), key=key)
        return json({"id": notice_id}, 201, said(done))

    @router.get("/notices/{notice_id}/receipts")
    async def list_receipts(
        notice_id: UUID, request: Request, cursor: str | None = None, limit: int = Limit,
        principal: Principal = permitted(NOTICES_POST),
    ) -> Response:
        filter_ = f"receipts of {notice_id}"
        before, stale = http.cursor_position(cursor, filter_), await http.caught_up(request, receipts.VIEW.name)
        notice, _ = await app.commands.state(NOTICES, notice_id, community_of(principal))
        if isinstance(notice, NoNotice):
            raise NotFound("notice")
        rows = await app.database.fetch(principal.community_ids, receipts.page_of(notice_id, before, limit + 1))
        page = http.page(rows, limit, filter_, "position")
        items = [{k: item[k] for k in ("resident_id", "read_at")} for item in page["items"]]
        return json({**page, "items": items, "audience": notice.audience}, 200, stale)

    return router


def numbers(values: list[str]) -> tuple[int, int]:
    """Raises Problem 400 for what is no place in the list of a resident's notices."""
    seen, position = values
    if seen not in ("0", "1") or not (position.isascii() and position.isdigit() and len(position) <= 18):
        raise Problem(400, "cursor_malformed")
    return int(seen), int(position)
