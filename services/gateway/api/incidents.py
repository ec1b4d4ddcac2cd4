"""Incidents: the guard's queue, one with its history, and a resident's own."""

from collections.abc import Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response

from libs.contracts.permissions import ALARMS_READ, ALARMS_READ_OWN, HISTORY_READ
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound
from libs.eventkit.http import community_of, cursor_position, json, page, permitted
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.gateway.api.paging import Cursor, Limit
from services.gateway.freshness import fresh
from services.gateway.history import AsOf, Source, may_look_back, source
from services.gateway.views import incident_lists, installed, my_home

PLACE = ("building_id", "building", "unit", "floor")
QUEUED = (
    "id", "kind", "severity", "silent", "code", "state", "raised_at", "live", "count", "last_at", "restored_at", "waiting_for",
    "deadline", "how", "verified_at", "ended_at")
OWN = ("id", "kind", "severity", "state", "raised_at", "count", "last_at", "restored_at", "how", "verified_at", "ended_at", "position")
State = Annotated[Literal["open", "closed", "all"], Query()]
Queue = Annotated[int, msgspec.Meta(ge=0, lt=10**18)]
Row = dict[str, Any]


def router(app: App) -> APIRouter:
    found = APIRouter()

    @found.get("/v1/incidents")
    async def list_incidents(
        request: Request, state: State = "open", as_of: AsOf = None, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(ALARMS_READ, HISTORY_READ),
    ) -> Response:
        """Open first, by severity, the oldest first; then those that are over, the last first. `as_of` (for staff and police): as the
        queue was then; ages and what was overdue are of that moment too."""
        may_look_back(principal, as_of, live=ALARMS_READ)
        community_id, filter_ = community_of(principal), f"incidents {state} {as_of or ''}".strip()
        after = queue_after(cursor, filter_)
        stale = await fresh(app, request, community_id, incident_lists.USED)
        seen, now, then = await source(app, community_id, as_of, incident_lists.USED)
        rows = await seen.fetch([community_id], incident_lists.in_order(community_id, state, after, limit))
        roles, found = await roles_in(seen, community_id, rows), page(rows, limit, filter_, "queue", "id")
        return json({**found, "items": [queued(row, roles, now) for row in found["items"]], **then}, headers=stale)

    @found.get("/v1/incidents/{incident_id}")
    async def read_incident(request: Request, incident_id: UUID, principal: Principal = permitted(ALARMS_READ)) -> Response:
        """With its history: each step, who did it, when, and the event that says so."""
        community_id = community_of(principal)
        stale = await fresh(app, request, community_id, incident_lists.USED)
        rows = await app.database.fetch([community_id], incident_lists.one(community_id, incident_id))
        if not rows:
            raise NotFound("incident")
        roles = await roles_in(app.database, community_id, rows)
        history = [{**step, "role": roles.get(step["by"])} for step in rows[0]["steps"]]
        return json({**queued(rows[0], roles, datetime.now(UTC)), "history": history}, headers=stale)

    @found.get("/v1/me/alarms")
    async def list_my_alarms(
        request: Request, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = None,
        principal: Principal = permitted(ALARMS_READ_OWN),
    ) -> Response:
        """Those at the caller's home, those that they raised, and verified fires and gas leaks in their building."""
        community_id, filter_ = community_of(principal), f"my-alarms {principal.id}"
        position, now = cursor_position(cursor, filter_), datetime.now(UTC)
        stale = await fresh(app, request, community_id, incident_lists.MINE)
        homes = await app.database.fetch([community_id], my_home.residences_of(community_id, principal.id))
        rows = await app.database.fetch(
            [community_id], incident_lists.of_resident(community_id, principal.id, homes, now, position, limit))
        since = {home["home_id"]: home["begun"] for home in sorted(homes, key=itemgetter("begun"), reverse=True)}
        return json(page([mine(row, since, principal.id) for row in rows], limit, filter_, "position"), headers=stale)

    return found


def queued(row: Row, roles: dict[str, str], now: datetime) -> Row:
    """`overdue`: the step that is waited for should have been done; `escalation`: only while it is still that step that is late."""
    escalation, deadline = row["escalation"], row["deadline"]
    place = {**{name: row[name] for name in PLACE}, "home_id": row["home_id"], "home": row["home"], "name": row["spot"]}
    sensor = {name: row[name] for name in ("sensor_id", "sensor", "panel_id", "partition", "zone", "device_id")}
    return {
        **{name: row[name] for name in QUEUED},
        "place": place, "sensor": sensor if row["sensor_id"] or row["device_id"] else None,
        "raised_by": person(row["raised_by"], roles), "owner": person(row["owner_id"], roles),
        "age_seconds": max(0, int(((row["ended_at"] or now) - row["raised_at"]).total_seconds())),
        "overdue": deadline is not None and now > deadline,
        "escalation": escalation if escalation is not None and escalation["waiting_for"] == row["waiting_for"] else None,
        "dispatches": [
            {"to": sent["to"], "assignee": person(sent["assignee"], roles), "at": sent["at"]} for sent in row["dispatches"]],
        "events": [*dict.fromkeys([*(step["event_id"] for step in row["steps"]), str(row["last_event_id"])])]}


def person(person_id: Any, roles: dict[str, str]) -> Row | None:
    return {"id": person_id, "role": roles.get(str(person_id))} if person_id else None


def mine(row: Row, since: Mapping[UUID, datetime], person_id: UUID) -> Row:
    """Where it is not their home, or was not yet, the place is the building, its unit and floor alone. `since`: when they began to live
    in each of their homes."""
    begun = since.get(row["home_id"])
    home = begun is not None and row["raised_at"] >= begun
    whole = {"home_id": row["home_id"], "name": row["spot"]} if home else {}
    because = "home" if home else "raised" if row["raised_by"] == person_id else "building"
    return {**{name: row[name] for name in OWN}, "place": {**{name: row[name] for name in PLACE}, **whole}, "because": because}


async def roles_in(seen: Source, community_id: UUID, rows: list[Row]) -> dict[str, str]:
    """Of everybody who acted in these incidents, by their id as JSON has it."""
    acted = {row[name] for row in rows for name in ("owner_id", "raised_by")}
    acted |= {step["by"] for row in rows for step in row["steps"]} | {sent["assignee"] for row in rows for sent in row["dispatches"]}
    ids = {UUID(str(i)) for i in acted if i is not None}
    named = await seen.fetch([community_id], installed.roles_of(community_id, ids)) if ids else []
    return {str(row["id"]): row["name"] for row in named}


def queue_after(cursor: str | None, filter_: str) -> tuple[int, UUID] | None:
    """Raises Problem 400."""
    values = http.cursor(cursor, filter_, 2)
    try:
        return msgspec.convert(values, tuple[Queue, UUID], strict=False) if values else None
    except msgspec.ValidationError as error:
        raise Problem(400, "cursor_malformed") from error
