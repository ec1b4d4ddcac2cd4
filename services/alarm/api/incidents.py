"""Incidents as guards and staff work on them: the queue, one with its whole history, and each step; raised by hand, or by a resident
who calls for help."""

from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

import msgspec
from fastapi import APIRouter, Query, Request, Response

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Done
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, permitted
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import Recorded, uuid7
from libs.eventkit.service import App
from services.alarm.api.places import NewPlace, place_of
from services.alarm.book import AlarmBook, Spot
from services.alarm.domain.incident_history import Cause, End, How, OfIncident, To
from services.alarm.domain.incidents import (
    INCIDENTS,
    AcknowledgeIncident,
    DispatchIncident,
    FindFalse,
    ResolveIncident,
    VerifyIncident,
)
from services.alarm.domain.signals import alarm_of, source_of_sos
from services.alarm.reactions import raising
from services.alarm.views import incidents as view

Limit = Query(default=50, ge=1, le=200)
Rank = Annotated[int, msgspec.Meta(ge=0, le=view.CLOSED)]
Order = Annotated[int, msgspec.Meta(gt=-10**18, lt=10**18)]
ByHand = Literal["fire", "gas", "water", "medical", "panic", "burglary", "tamper", "trouble", "other"]
FIELDS = (
    "kind", "severity", "silent", "place", "sensor_id", "device_id", "code", "raised_by", "live", "state", "owner", "count", "active",
    "level", "waiting_for", "due", "raised_at", "last_at", "ended_at", "outcome", "version")


class NewIncident(Input):
    kind: ByHand
    place: NewPlace


class Sos(Input):
    home_id: UUID


class Acknowledgement(Input):
    """`take_over`: though another one owns it."""

    take_over: bool = False


class Verification(Input):
    how: How


class FalseAlarm(Input):
    cause: Cause


class Dispatch(Input):
    to: To
    assignee: UUID | None = None


class Resolution(Input):
    how: End


def routes(app: App, book: AlarmBook) -> APIRouter:
    router = APIRouter(prefix="/v1")
    guards, reads = permitted(permissions.ALARMS_GUARD), permitted(permissions.ALARMS_READ)

    def headers(done: Done) -> dict[str, str]:
        return {**http.position_header(app.service.name, app.commands.generation, done), "ETag": f'"{done.outcome.version}"'}

    async def raise_at(
        source_id: UUID, kind: Any, spot: Spot, code: str, request: Request, key: Any, principal: Principal,
    ) -> tuple[UUID, dict[str, str]]:
        """The incident that is open there: a new one, or the one that this folds into; and what an answer says of it."""
        context = http.context(request, principal, community_of(principal), caused_by=spot.because)
        command = raising(
            book, context.community_id, source_id, uuid7(), alarm_of(kind), spot, code, True, context.now, raised_by=principal.id)
        done = await app.commands.handle(source_id, command, context, key=key)
        event: Any = (await app.commands.said(done))[0]
        return event.about.incident_id, headers(done)

    @router.post("/incidents", status_code=201)
    async def raise_incident(body: NewIncident, request: Request, key: IdempotencyKey, principal: Principal = guards) -> Response:
        """By hand. The same kind at the same place again folds into the one that is open."""
        community_id = community_of(principal)
        await book.memory.fresh()
        place = place_of(body.place, book, community_id)
        said = msgspec.json.encode([body.kind, place]).decode()
        source_id = uuid5(community_id, f"by hand {said}")
        incident_id, about = await raise_at(source_id, body.kind, Spot(place), "manual", request, key, principal)
        return json({"id": incident_id}, 201, {**about, "Location": f"/v1/incidents/{incident_id}"})

    @router.post("/sos", status_code=201)
    async def call_for_help(
        body: Sos, request: Request, key: IdempotencyKey, principal: Principal = permitted(permissions.ALARMS_RAISE_OWN),
    ) -> Response:
        """From a home where the caller lives, who reads on at the gateway's `/v1/me/alarms`: incidents are for who is on duty."""
        community_id = community_of(principal)
        await book.memory.fresh()
        if not book.lives_in(community_id, principal.id, body.home_id):
            await book.memory.catch_up()
        if not book.lives_in(community_id, principal.id, body.home_id):
            raise Refused("not_a_resident_of_this_home")
        spot = book.home(community_id, body.home_id)
        incident_id, about = await raise_at(source_of_sos(body.home_id), "sos", spot, "sos", request, key, principal)
        return json({"id": incident_id}, 201, about)

    @router.get("/incidents")
    async def list_incidents(
        request: Request, principal: Principal = reads, state: view.Shown = "open", cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """Open ones first, the worst and oldest of them at the top; then those that are over, the newest first."""
        filter_ = f"incidents {state}"
        after, stale = row_after(cursor, filter_), await http.caught_up(request, view.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, view.page_of(state, after, limit + 1))
        page = http.page([{**_shown(row), "rank": row["rank"], "order_no": row["order_no"]} for row in rows], limit, filter_,
                         "rank", "order_no")
        for item in page["items"]:
            del item["rank"], item["order_no"]
        return json(page, 200, stale)

    @router.get("/incidents/{incident_id}")
    async def show_incident(incident_id: UUID, request: Request, principal: Principal = reads) -> Response:
        """With all that happened to it. ETag: the version that If-Match of a step takes."""
        stale = await http.caught_up(request, view.VIEW.name)
        found = await app.database.fetch(principal.community_ids, view.one(incident_id))
        if not found:
            raise NotFound("incident")
        rows = await app.log.stream(f"{INCIDENTS.category}:{found[0]['source_id']}")
        history = [told for row in rows if (told := _told(row, app.catalogue.read(row), incident_id)) is not None]
        return json({**_shown(found[0]), "history": history}, 200, {**stale, "ETag": f'"{found[0]["version"]}"'})

    async def step(incident_id: UUID, command: Any, request: Request, key: Any, principal: Principal) -> Response:
        community_id = community_of(principal)
        source_id = await source_of(app, book, community_id, incident_id)
        done = await app.commands.handle(
            source_id, command, http.context(request, principal, community_id), key=key, expected=http.if_match(request))
        return json({"id": incident_id}, 201, headers(done))

    @router.post("/incidents/{incident_id}/acknowledgements", status_code=201)
    async def acknowledge(
        incident_id: UUID, body: Acknowledgement, request: Request, key: IdempotencyKey, principal: Principal = guards,
    ) -> Response:
        """The caller owns it from now on. Of two at once the later is refused (409 `acknowledged_by_another`), and so is at every step what
        another one has done otherwise. If-Match, for whoever wants nothing to have happened since at all, takes the ETag of what this
        client was answered last; a signal that repeats changes it, too."""
        now = http.context(request, principal).now
        command = AcknowledgeIncident(incident_id, principal.id, principal.role, now, body.take_over)
        return await step(incident_id, command, request, key, principal)

    @router.post("/incidents/{incident_id}/verifications", status_code=201)
    async def verify(
        incident_id: UUID, body: Verification, request: Request, key: IdempotencyKey, principal: Principal = guards,
    ) -> Response:
        now = http.context(request, principal).now
        command = VerifyIncident(incident_id, principal.id, principal.role, body.how, now)
        return await step(incident_id, command, request, key, principal)

    @router.post("/incidents/{incident_id}/false-alarms", status_code=201)
    async def find_false(
        incident_id: UUID, body: FalseAlarm, request: Request, key: IdempotencyKey, principal: Principal = guards,
    ) -> Response:
        return await step(incident_id, FindFalse(incident_id, principal.id, principal.role, body.cause), request, key, principal)

    @router.post("/incidents/{incident_id}/dispatches", status_code=201)
    async def dispatch(
        incident_id: UUID, body: Dispatch, request: Request, key: IdempotencyKey, principal: Principal = guards,
    ) -> Response:
        if body.assignee is not None:
            await book.memory.catch_up()
            if not book.works(community_of(principal), body.assignee):
                raise Refused("assignee_not_on_duty")
        now = http.context(request, principal).now
        command = DispatchIncident(incident_id, principal.id, principal.role, body.to, body.assignee, now)
        return await step(incident_id, command, request, key, principal)

    @router.post("/incidents/{incident_id}/resolutions", status_code=201)
    async def resolve(
        incident_id: UUID, body: Resolution, request: Request, key: IdempotencyKey, principal: Principal = guards,
    ) -> Response:
        return await step(incident_id, ResolveIncident(incident_id, principal.id, principal.role, body.how), request, key, principal)

    return router


async def source_of(app: App, book: AlarmBook, community_id: UUID, incident_id: UUID) -> UUID:
    """Raises NotFound, also for an incident of another community."""
    await book.memory.fresh()
    if book.source(community_id, incident_id) is None:
        await book.memory.catch_up()
    if (known := book.source(community_id, incident_id)) is not None:
        return known
    rows = await app.database.fetch([community_id], view.one(incident_id))
    if not rows:
        raise NotFound("incident")
    return UUID(str(rows[0]["source_id"]))


def row_after(cursor: str | None, filter_: str) -> tuple[int, int] | None:
    """Rank and number of the last row that was shown. Raises Problem 400."""
    values = http.cursor(cursor, filter_, 2)
    try:
        return msgspec.convert(values, tuple[Rank, Order], strict=False) if values else None
    except msgspec.ValidationError as error:
        raise Problem(400, "cursor_malformed") from error


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["incident_id"], **{field: row[field] for field in FIELDS}}


def _told(row: Recorded, event: Any, incident_id: UUID) -> dict[str, Any] | None:
    """An event of this incident as its history has it."""
    if not isinstance(event, OfIncident) or event.about.incident_id != incident_id:
        return None
    said = msgspec.to_builtins(event)
    return {
        "event_id": row.event_id, "at": row.recorded_at, **{k: v for k, v in said.items() if k not in ("about", "ladder")},
        "caused_by": row.meta.caused_by}
