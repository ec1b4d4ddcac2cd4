"""Fire releases, as guards and staff see, begin and end them. Nothing else ends one."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import FIRE_RELEASE
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, permitted
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.access.book import DoorBook
from services.access.domain.releases import BY_HAND, RELEASES, BeginRelease, EndRelease, FireReleaseBegun, NotReleased, Release
from services.access.views import releases

Limit = Query(default=50, ge=1, le=200)


class NewRelease(Input):
    building_id: UUID


class Ending(Input):
    """`despite_fire`: the caller knows that a fire of it is not over."""

    despite_fire: bool = False


def routes(app: App, book: DoorBook) -> APIRouter:
    router = APIRouter(prefix="/v1/fire-releases")

    @router.get("")
    async def list_fire_releases(
        request: Request, principal: Principal = permitted(FIRE_RELEASE), state: releases.State | None = None,
        cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """Newest first, each with its relays: `answer` waiting, confirmed or failed."""
        filter_ = f"fire releases {state}"
        before, stale = http.cursor_position(cursor, filter_), await http.caught_up(request, releases.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, releases.page_of(state, before, limit + 1))
        found = [{"id": r["release_id"], **{k: r[k] for k in releases.VIEW.columns[2:]}} for r in rows]
        page = http.page(found, limit, filter_, "position")
        return json({**page, "items": [{k: v for k, v in i.items() if k != "position"} for i in page["items"]]}, 200, stale)

    @router.post("", status_code=201)
    async def begin_fire_release(
        body: NewRelease, request: Request, key: IdempotencyKey, principal: Principal = permitted(FIRE_RELEASE),
    ) -> Response:
        """Opens the evacuation doors of a building and calls its lifts to the ground floor, now and until people end it. Where that
        has begun already, the answer is the release that runs."""
        community_id = community_of(principal)
        await book.ready(await app.database.pool())
        if book.stands_in(body.building_id) != community_id:
            await book.memory.catch_up()
        if book.stands_in(body.building_id) != community_id:
            raise NotFound("building")
        command = BeginRelease(
            release_id=uuid7(), building_id=body.building_id, incident_id=None, by=principal.id,
            relays=book.to_release(community_id, body.building_id), rule=BY_HAND)
        done = await app.commands.handle(
            body.building_id, command, http.context(request, principal, community_id), key=key)
        answer = {"id": await release_of(done, community_id), "building_id": body.building_id, "state": "begun"}
        return json(answer, 201, http.position_header(app.service.name, app.commands.generation, done))

    async def release_of(done: Any, community_id: UUID) -> UUID:
        """The one that the command began, or found running."""
        for event in await app.commands.said(done):
            if isinstance(event, FireReleaseBegun):
                return event.release_id
        state: Release
        state, _ = await app.commands.state(RELEASES, done.outcome.id, community_id)
        if isinstance(state, NotReleased):
            raise NotFound("fire_release")
        return state.release_id

    @router.post("/{release_id}/endings", status_code=201)
    async def end_fire_release(
        release_id: UUID, request: Request, key: IdempotencyKey, body: Ending | None = None,
        principal: Principal = permitted(FIRE_RELEASE),
    ) -> Response:
        """Sets doors and lifts back. 409 `fire_not_over` while a fire of it is not over, unless `despite_fire`."""
        community_id = community_of(principal)
        await book.ready(await app.database.pool())
        building_id = book.released_building(community_id, release_id)
        if building_id is None:  # another process may have begun it a moment ago
            await book.memory.catch_up()
            building_id = book.released_building(community_id, release_id)
        if building_id is None:
            raise NotFound("fire_release")
        command = EndRelease(release_id, building_id, principal.id, body is not None and body.despite_fire)
        done = await app.commands.handle(building_id, command, http.context(request, principal, community_id), key=key)
        answer = {"id": release_id, "building_id": building_id, "state": "ended"}
        return json(answer, 201, http.position_header(app.service.name, app.commands.generation, done))

    return router
