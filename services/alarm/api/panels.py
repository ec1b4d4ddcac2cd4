"""Panels and what they said; sensors, where they hang, and how often each was right."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, permitted
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.alarm.api.places import NewPlace, place_of
from services.alarm.book import AlarmBook
from services.alarm.domain.panels import InstallPanel
from services.alarm.domain.sensors import MOST_PARTITIONS, MOST_ZONES, InstallSensor, SensorInstalled, SensorKind
from services.alarm.views import panels, sensors

Limit = Query(default=50, ge=1, le=200)


class NewPanel(Input):
    device_id: UUID
    name: str = Field(min_length=1, max_length=80)


class NewSensor(Input):
    """`partition` 0: the panel names none. Of a camera or reader `zone` is a channel, input or door (0: any), and `code` one of its
    events by the device's own name for it (empty: all of them)."""

    panel_id: UUID
    partition: int = Field(default=0, ge=0, le=MOST_PARTITIONS)
    zone: int = Field(ge=0, le=MOST_ZONES)
    kind: SensorKind
    place: NewPlace
    code: str = Field(default="", max_length=200, pattern=r"^[!-~]*$")


def routes(app: App, book: AlarmBook) -> APIRouter:
    router = APIRouter(prefix="/v1")
    manages, reads = permitted(permissions.ALARMS_MANAGE), permitted(permissions.ALARMS_READ)

    def answer(done: Any, status: int) -> Response:
        headers = http.position_header(app.service.name, app.commands.generation, done)
        return json({"id": done.outcome.id}, status, {**headers, "ETag": f'"{done.outcome.version}"'})

    @router.post("/panels", status_code=201)
    async def install_panel(body: NewPanel, request: Request, key: IdempotencyKey, principal: Principal = manages) -> Response:
        """409 device_retired: the device is out of use."""
        return await put_panel(uuid7(), body, request, key, principal, None, 201)

    @router.put("/panels/{panel_id}")
    async def change_panel(
        panel_id: UUID, body: NewPanel, request: Request, key: IdempotencyKey, principal: Principal = manages,
    ) -> Response:
        """Needs If-Match with the version that the caller saw (428 without, 412 when it has changed)."""
        return await put_panel(panel_id, body, request, key, principal, http.if_match(request, required=True), 200)

    async def put_panel(
        panel_id: UUID, body: NewPanel, request: Request, key: Any, principal: Principal, expected: int | None, status: int,
    ) -> Response:
        context = http.context(request, principal, community_of(principal))
        await book.memory.fresh()
        book.speaks(community_of(principal), panel_id, body.device_id)
        command = InstallPanel(panel_id, body.device_id, body.name)
        return answer(await app.commands.handle(panel_id, command, context, key=key, expected=expected), status)

    @router.get("/panels")
    async def list_panels(
        request: Request, principal: Principal = reads, cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """`device_retired`: the panel says nothing until another device speaks for it."""
        after, stale = http.cursor_id(cursor, "panels"), await http.caught_up(request, panels.PANELS_VIEW.name)
        await book.memory.fresh()
        rows = await app.database.fetch(principal.community_ids, panels.page_of(after, limit + 1))
        found = [
            {"id": r["panel_id"], **{k: r[k] for k in ("device_id", "name", "version")},
             "device_retired": book.retired(r["community_id"], r["device_id"])} for r in rows]
        return json(http.page(found, limit, "panels", "id"), 200, stale)

    @router.get("/panels/{panel_id}/signals")
    async def list_signals(
        panel_id: UUID, request: Request, principal: Principal = reads, cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """All that it said, by whatever device, the newest first: also what raised nothing."""
        filter_ = f"signals {panel_id}"
        before, stale = http.cursor_position(cursor, filter_), await http.caught_up(request, panels.SIGNALS_VIEW.name)
        await book.memory.fresh()
        book.panel(community_of(principal), panel_id)
        rows = await app.database.fetch(principal.community_ids, panels.signals_of(panel_id, before, limit + 1))
        fields = ("protocol", "code", "effect", "partition", "zone", "by_user", "live", "device_time", "at", "position")
        found = [
            {"id": r["report_id"], "name": {"en": r["english"], "zh": r["chinese"]}, **{f: r[f] for f in fields}} for r in rows]
        return json(http.page(found, limit, filter_, "position"), 200, stale)

    @router.post("/sensors", status_code=201)
    async def install_sensor(body: NewSensor, request: Request, key: IdempotencyKey, principal: Principal = manages) -> Response:
        return await put_sensor(uuid7(), body, request, key, principal, None, 201)

    @router.put("/sensors/{sensor_id}")
    async def change_sensor(
        sensor_id: UUID, body: NewSensor, request: Request, key: IdempotencyKey, principal: Principal = manages,
    ) -> Response:
        """Moved or replaced. Needs If-Match with the version that the caller saw (428 without, 412 when it has changed)."""
        return await put_sensor(sensor_id, body, request, key, principal, http.if_match(request, required=True), 200)

    async def put_sensor(
        sensor_id: UUID, body: NewSensor, request: Request, key: Any, principal: Principal, expected: int | None, status: int,
    ) -> Response:
        community_id = community_of(principal)
        await book.memory.catch_up()
        book.panel(community_id, body.panel_id)
        place = place_of(body.place, book, community_id)
        command = InstallSensor(SensorInstalled(
            sensor_id, body.panel_id, body.partition, body.zone, body.kind, place, body.code))
        context = http.context(request, principal, community_id)
        return answer(await app.commands.handle(sensor_id, command, context, key=key, expected=expected), status)

    @router.get("/sensors")
    async def list_sensors(
        request: Request, principal: Principal = reads, cursor: str | None = None, limit: int = Limit, panel_id: UUID | None = None,
    ) -> Response:
        """With what is known of each one's false alarms; `false_rate` None where nothing was judged yet."""
        filter_ = f"sensors {panel_id}"
        after, stale = http.cursor_id(cursor, filter_), await http.caught_up(request, sensors.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, sensors.page_of(after, limit + 1, panel_id))
        fields = ("panel_id", "partition", "zone", "code", "kind", "place", "raised", "verified", "found_false", "open", "version")
        found = [
            {"id": r["sensor_id"], **{f: r[f] for f in fields}, "false_rate": sensors.rate(r["verified"], r["found_false"])}
            for r in rows]
        return json(http.page(found, limit, filter_, "id"), 200, stale)

    return router
