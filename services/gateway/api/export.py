"""`GET /v1/me/export`: a file with everything that is kept about the caller, machine-readable; nobody else's data is in it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from libs.contracts.permissions import DATA_OWN
from libs.eventkit.auth import Principal
from libs.eventkit.http import community_of, permitted
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.gateway.api.unsealing import opened
from services.gateway.exporting import Row, Section, document
from services.gateway.forwarding import Upstream
from services.gateway.freshness import fresh
from services.gateway.views import (
    cars,
    door_events,
    erasures,
    incident_lists,
    looks,
    my_doors,
    my_home,
    my_notices,
    permits,
    stays,
    visitors,
)

OWNERS = ("identity", "access", "parking", "alarm", "neighbors")
"""Whoever keeps something of a person that nobody else has."""
AT_ONCE = 4
"""Exports of one process; whoever comes then is asked to come again."""
USED = (
    *my_home.VIEWS, *my_doors.USED, *door_events.VIEWS, *visitors.VIEWS, *cars.VIEWS, *stays.VIEWS, *permits.USED,
    *incident_lists.MINE, *my_notices.USED, *looks.VIEWS, *erasures.VIEWS)
VISITORS_OWN = ("plate", "visitor_name")
"""Of a pass that the caller has given to somebody else."""
HOME = (
    "id", "kind", "severity", "state", "raised_at", "verified_at", "ended_at", "home_id", "count")
"""Of an alarm: not who acted."""


def router(app: App) -> APIRouter:
    found, upstream, running = APIRouter(), Upstream(app.settings), asyncio.Semaphore(AT_ONCE)

    @found.get("/v1/me/export", response_class=StreamingResponse, responses={200: {"content": {"application/json": {}}}})
    async def export_my_data(request: Request, principal: Principal = permitted(DATA_OWN)) -> Response:
        """One JSON file (`lifang.export.v1`). 503 where an owner of a part does not answer: half a file is none."""
        community_id = community_of(principal)
        if running.locked():
            raise Problem(503, "too_many_exports", headers={"Retry-After": "5"})
        async with running:
            stale = await fresh(app, request, community_id, USED)
            answers = await asyncio.gather(*(upstream.forward(request, owner, "/v1/me/data") for owner in OWNERS))
            refused = next((answer for answer in answers if answer.status_code != 200), None)
            if refused is not None:
                return refused
            parts = {owner: bytes(answer.body) for owner, answer in zip(OWNERS, answers, strict=True)}
            sections = await sections_of(app, community_id, principal.id)
        now = datetime.now(UTC)
        file = document(app, principal.id, community_id, now, parts, sections)
        return StreamingResponse(one_of(running, file), media_type="application/json", headers={
            **stale, "Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="lifang-{now:%Y-%m-%d}.json"'})

    return found


async def one_of(running: asyncio.Semaphore, file: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async with running:
        async for part in file:
            yield part


async def sections_of(app: App, community_id: UUID, me: UUID) -> list[Section]:
    homes = await app.database.fetch([community_id], my_home.residences_of(community_id, me))

    async def whole(row: Row) -> Row:
        return {name: value for name, value in row.items() if name != "position"}

    async def visit(row: Row) -> Row:
        return {name: value for name, value in (await whole(row)).items() if name not in VISITORS_OWN}

    async def car(row: Row) -> Row:
        plate, state = await opened(app.keyring, row["plate"])
        return {**row, "plate": plate, "plate_state": state}

    async def permit(row: Row) -> Row:
        plate, state = await opened(app.keyring, row["plate"] if row["keeper_id"] == me else None)
        kept = {name: value for name, value in row.items() if name != "keeper_id"}
        return {**kept, "plate": plate, "plate_state": state, "state": permits.state(row, datetime.now(UTC))}

    async def alarm(row: Row) -> Row:
        return {**{name: row[name] for name in HOME}, "raised_by_me": row["raised_by"] == me}

    async def look(row: Row) -> Row:
        return {name: row[name] for name in ("id", "at", "role", "purpose", "what")}

    async def told(row: Row) -> Row:
        return {name: row[name] for name in ("id", "kind", "category", "title", "at", "read_at")}

    def at_once(query: Any) -> Any:
        return lambda before, limit: query

    return [
        Section("homes", at_once(my_home.homes_of(community_id, me)), whole),
        Section("doors", at_once(my_doors.doors_of(community_id, me)), whole),
        Section("vehicles", at_once(cars.of_keeper(community_id, me)), car),
        Section("permits", at_once(permits.of_person(community_id, me)), permit),
        Section("visitor_passes", lambda before, limit: visitors.of_host(community_id, me, before, limit), visit),
        Section("parking_sessions", lambda before, limit: stays.of_person(community_id, me, before, limit), whole),
        Section("door_events", lambda before, limit: door_events.own(community_id, me, before, limit), whole),
        Section("alarms", lambda before, limit: incident_lists.at_home(community_id, me, homes, before, limit), alarm),
        Section("notices_read", lambda before, limit: my_notices.read_by(community_id, me, before, limit), told),
        Section("looks", lambda before, limit: looks.at_resident(community_id, me, before, limit), look),
        Section("erasure", at_once(erasures.of_resident(community_id, me)), erasure),
    ]


async def erasure(row: Row) -> Row:
    return {name: row[name] for name in ("erased_at", "reason", "confirmed")}
