"""What `lifang up` puts into a fresh community: one notice that welcomes everybody. Only where demo is switched on."""

import hmac
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from fastapi import APIRouter, Request, Response

from libs.eventkit.commands import Context
from libs.eventkit.http import Input, json, open_to_all
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.neighbors.book import CircleBook
from services.neighbors.domain.notices import PostNotice

STAFF = uuid5(uuid5(NAMESPACE_URL, "lifang-demo"), "staff-1")
TITLE, TEXT = "欢迎使用里坊", "这里是社区公告。物业的通知会显示在这里，读过请点“已读”。"


class Seed(Input):
    community_id: UUID
    buildings: list[UUID]


def routes(app: App, book: CircleBook) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/demo-seed", dependencies=[open_to_all], include_in_schema=False)
    async def seed(body: Seed, request: Request) -> Response:
        """Posted before everybody has been heard of: its audience is who was known by then."""
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), app.settings.secret("demo").encode()):
            raise Problem(403, "not_permitted")
        await book.ready()
        notice_id = uuid5(body.community_id, "welcome notice")
        notice = PostNotice(
            notice_id=notice_id, circle_id=body.community_id, building_id=None, category="general", title=TITLE, text=TEXT,
            by=STAFF, audience=len(book.reached(body.community_id, body.community_id)))
        await app.commands.handle(
            notice_id, notice, Context(community_id=body.community_id, now=datetime.now(UTC), principal="demo"))
        return json({"notices": [{"id": notice_id}]})

    return router
