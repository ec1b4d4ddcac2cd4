"""What `lifang up` puts into a fresh community: one car park with a lane in and one out. Only where demo is switched on."""

import hmac
from datetime import UTC, date, datetime
from uuid import UUID, uuid5

from fastapi import APIRouter, Request, Response

from libs.eventkit.commands import Context
from libs.eventkit.http import Input, json, open_to_all
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.parking.domain.lanes import InstallLane
from services.parking.domain.lots import AdoptTariff, OpenLot
from services.parking.domain.published_tariffs import residential_visitors

LANES = (("东门入口", "in"), ("东门出口", "out"))
SINCE = date(2020, 1, 1)


class Seed(Input):
    """`cameras`: the one inwards, then the one outwards."""

    community_id: UUID
    cameras: list[UUID]


def routes(app: App) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/demo-seed", dependencies=[open_to_all], include_in_schema=False)
    async def seed(body: Seed, request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), app.settings.secret("demo").encode()):
            raise Problem(403, "not_permitted")
        context = Context(community_id=body.community_id, now=datetime.now(UTC), principal="demo")
        lot_id = uuid5(body.community_id, "lot")
        lot = OpenLot(lot_id, "地面停车场", "Asia/Shanghai", {"地面": 120, "地库": 300}, True, 900)
        await app.commands.handle(lot_id, lot, context)
        await app.commands.handle(lot_id, AdoptTariff(lot_id, residential_visitors(), SINCE, SINCE), context)
        lanes = [
            (uuid5(body.community_id, f"lane {way}"), name, way, camera)
            for (name, way), camera in zip(LANES, body.cameras, strict=False)]
        for lane_id, name, way, camera in lanes:
            installed = InstallLane(lane_id, lot_id, name, "in" if way == "in" else "out", "地面", camera, 1)
            await app.commands.handle(lane_id, installed, context)
        return json({"lots": [{"id": lot_id, "name": lot.name}], "lanes": [
            {"id": lane_id, "name": name, "direction": way, "device_id": camera} for lane_id, name, way, camera in lanes]})

    return router
