"""What `lifang up` puts into a fresh community: its alarm panels, the sensors of each building, the night's patrol, and a
home that is cared for. Only where demo is switched on."""

import asyncio
import hmac
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Request, Response
from msgspec import Struct

from libs.eventkit.commands import Context
from libs.eventkit.decider import VersionMismatch
from libs.eventkit.http import Input, json, open_to_all
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.alarm.domain.care import AnswerAsHelper, ArrangeCare
from services.alarm.domain.care_history import Terms
from services.alarm.domain.kinds import Place
from services.alarm.domain.panels import InstallPanel
from services.alarm.domain.patrol_points import Ground, PatrolPointPlaced, PlacePatrolPoint
from services.alarm.domain.patrol_routes import Course, PatrolRouteSet, SetPatrolRoute, Stop, Timetable
from services.alarm.domain.sensors import InstallSensor, SensorInstalled, SensorKind
from services.alarm.patrol_book import tag_of

FLOORS, OF_HOMES = 5, 21
"""Zones 1 to 5 are the smoke detectors of unit 1, by floor; the homes' buttons begin at zone 21."""
SPOTS: tuple[tuple[SensorKind, int, str], ...] = (
    ("gas", 1, "燃气表间"), ("call_point", 1, "大堂手动报警按钮"), ("water", -1, "水泵房"), ("contact", 6, "天台门"),
    ("motion", -1, "非机动车库"), ("heat", -1, "配电间"))
"""Zones 6, 7, … of each building: kind, floor, name."""


HERE = Ground(121.4365, 31.1884, 300)
ZONE, NIGHT = "Asia/Shanghai", (22 * 60, 0, 2 * 60, 4 * 60)


class Panel(Input):
    device_id: UUID
    name: str


class Home(Input):
    """`label`: building, unit, and floor with two digits for the door, as in 1-2-303."""

    id: UUID
    label: str

    @property
    def numbers(self) -> tuple[int, int, int]:
        building, unit, door = self.label.split("-")
        return int(building), int(unit), int(door[:-2])


class Resident(Input):
    id: UUID
    home_id: UUID


class Seed(Input):
    """`panels`: the n-th serves the n-th building; where there are fewer, each serves several, in partitions. `residents`: the last of
    them is cared for, the first one helps."""

    community_id: UUID
    buildings: list[UUID]
    panels: list[Panel]
    homes: list[Home]
    residents: list[Resident]


def sensors_of(n: int, building_id: UUID, homes: list[Home]) -> Iterator[tuple[int, SensorKind, Place]]:
    """(zone, kind, place) of the n-th building."""
    for floor in range(1, FLOORS + 1):
        yield floor, "smoke", Place(building_id, 1, floor, name=f"{n}号楼1单元{floor}层走廊烟感")
    for zone, (kind, floor, name) in enumerate(SPOTS, FLOORS + 1):
        yield zone, kind, Place(building_id, None, floor, name=f"{n}号楼{name}")
    for zone, home in enumerate((home for home in homes if home.numbers[0] == n), OF_HOMES):
        _, unit, floor = home.numbers
        yield zone, "sos", Place(building_id, unit, floor, home.id, f"{home.label}求助按钮")


def installed(seed: Seed) -> list[SensorInstalled]:
    found = []
    for n, building_id in enumerate(seed.buildings if seed.panels else (), 1):
        panel = seed.panels[(n - 1) % len(seed.panels)]
        partition = 1 + (n - 1) // len(seed.panels)
        for zone, kind, place in sensors_of(n, building_id, seed.homes):
            sensor_id = uuid5(seed.community_id, f"sensor {n} {zone}")
            found.append(SensorInstalled(sensor_id, panel_id_of(panel.device_id), partition, zone, kind, place))
    return found


def placed(seed: Seed, tag: Callable[[str], str]) -> list[tuple[str, PatrolPointPlaced]]:
    """What is read at each point of a patrol, and the point: the gate, the basement, and the roof and hall of each building."""
    spots = [(Place(name="南大门岗亭"), "gate"), (Place(floor=-1, name="地下车库水泵房"), "basement")]
    for n, building_id in enumerate(seed.buildings, 1):
        spots.append((Place(building_id, 1, 1, name=f"{n}号楼大堂"), f"hall {n}"))
        spots.append((Place(building_id, 1, 6, name=f"{n}号楼天台"), f"roof {n}"))
    tags = [uuid5(seed.community_id, f"patrol tag {key}").hex[:14].upper() for _, key in spots]
    return [(text, PatrolPointPlaced(uuid5(seed.community_id, f"patrol point {key}"), place.name, place, HERE, tag(text)))
            for text, (place, key) in zip(tags, spots, strict=True)]


def night_route(seed: Seed, points: list[PatrolPointPlaced], now: datetime) -> PatrolRouteSet:
    """By all of them and back to the gate, three minutes from each to the next."""
    stops = [Stop(point.point_id, 3 * n) for n, point in enumerate((*points, points[0]))]
    timetable = Timetable(ZONE, (1, 2, 3, 4, 5, 6, 7), NIGHT)
    return PatrolRouteSet(uuid5(seed.community_id, "night patrol"), Course("夜间巡更", tuple(stops), 5, 15), timetable, True, now)


def cared_for(seed: Seed, now: datetime) -> list[tuple[UUID, Struct]]:
    """By home; nobody where there are not two who live apart."""
    if len(seed.residents) < 2 or seed.residents[0].home_id == seed.residents[-1].home_id:
        return []
    helper, one = seed.residents[0].id, seed.residents[-1]
    terms = Terms(12, 48, 30, (helper,))
    arranged = ArrangeCare(one.home_id, (one.id,), terms, ZONE, "in_writing", seed.community_id, now, 0)
    return [(one.home_id, arranged), (one.home_id, AnswerAsHelper(helper, True))]


def panel_id_of(device_id: UUID) -> UUID:
    return uuid5(device_id, "panel")


def routes(app: App) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/demo-seed", dependencies=[open_to_all], include_in_schema=False)
    async def seed(body: Seed, request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), app.settings.secret("demo").encode()):
            raise Problem(403, "not_permitted")
        context = Context(community_id=body.community_id, now=datetime.now(UTC), principal="demo")
        panels = {panel_id_of(panel.device_id): panel for panel in body.panels}
        sensors = installed(body)
        await asyncio.gather(*(
            app.commands.handle(i, InstallPanel(i, panel.device_id, panel.name), context) for i, panel in panels.items()))
        await asyncio.gather(*(
            app.commands.handle(sensor.sensor_id, InstallSensor(sensor), context) for sensor in sensors))
        points = placed(body, lambda tag: tag_of(app.blind, body.community_id, tag))
        await asyncio.gather(*(app.commands.handle(p.point_id, PlacePatrolPoint(p), context) for _, p in points))
        route = night_route(body, [point for _, point in points], context.now)
        with suppress(VersionMismatch):  # it is there, as it was set or as somebody has changed it
            await app.commands.handle(route.route_id, SetPatrolRoute(route, 0), context)
        with suppress(VersionMismatch):
            for home_id, command in cared_for(body, context.now):
                await app.commands.handle(home_id, command, context)
        shown: list[dict[str, Any]] = [
            {"id": s.sensor_id, "name": s.place.name, "kind": s.kind, "device_id": panels[s.panel_id].device_id,
             "partition": s.partition, "zone": s.zone, "building_id": s.place.building_id} for s in sensors]
        return json({
            "alarm_panels": [{"id": i, "device_id": panel.device_id, "name": panel.name} for i, panel in panels.items()],
            "sensors": shown, "patrol_points": [{"id": p.point_id, "name": p.name, "tag": tag} for tag, p in points]})

    return router
