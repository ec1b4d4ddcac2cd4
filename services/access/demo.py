"""What `lifang up` puts into a fresh community: doors, a lift a building, three cards, a PIN and a duress PIN. Only where demo is on."""

import asyncio
import hmac
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from fastapi import APIRouter, Request, Response

from libs.eventkit.commands import Context
from libs.eventkit.http import Input, json, open_to_all
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.access.api.doors import issue
from services.access.domain.doors import InstallDoor
from services.access.domain.lifts import InstallLift, LiftFloor, SetHomeFloor

HERE = uuid5(NAMESPACE_URL, "lifang-demo")
CARDS = ("1000000017", "1000000025", "1000000033")
PIN, DURESS_PIN = "20080512", "19830615"
"""Of the first resident."""
FLOORS, A_LIFT = 5, 10
"""A lift has ten relays of its own, beyond those of the doors: the first lift 11 to 15, the second 21 to 25."""


class Home(Input):
    """`label`: building, unit, and floor with two digits for the door, as in 1-2-303."""

    id: UUID
    label: str

    @property
    def floor(self) -> int:
        return int(self.label.rpartition("-")[2][:-2])


class Seed(Input):
    community_id: UUID
    buildings: list[UUID]
    residents: list[UUID]
    devices: list[UUID]
    homes: list[Home]


def doors_of(seed: Seed) -> list[tuple[str, str]]:
    """(name, zone): three doors a building, three gates."""
    found = [
        (f"{n}号楼{side}", f"building:{building}")
        for n, building in enumerate(seed.buildings, 1) for side in ("东门", "西门", "地库门")]
    return [*found, *((f"{side}大门", "community") for side in ("南", "北", "西"))]


def routes(app: App) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/demo-seed", dependencies=[open_to_all], include_in_schema=False)
    async def seed(body: Seed, request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), app.settings.secret("demo").encode()):
            raise Problem(403, "not_permitted")
        context = Context(community_id=body.community_id, now=datetime.now(UTC), principal="demo")
        doors = doors_of(body)
        ids = [uuid5(body.community_id, f"door {n}") for n in range(len(doors))]
        await asyncio.gather(*(
            app.commands.handle(
                door_id,
                InstallDoor(
                    door_id=door_id, name=name, zone=zone, device_id=body.devices[n % len(body.devices)],
                    door_no=1 + n // len(body.devices)),
                context)
            for n, (door_id, (name, zone)) in enumerate(zip(ids, doors, strict=True))))
        lifts = [InstallLift(
            lift_id=uuid5(body.community_id, f"lift {n}"), name=f"{n}号楼电梯", building_id=building,
            device_id=body.devices[n % len(body.devices)],
            floors=tuple(LiftFloor(f, A_LIFT * n + f) for f in range(1, FLOORS + 1)))
            for n, building in enumerate(body.buildings, 1)]
        await asyncio.gather(
            *(app.commands.handle(lift.lift_id, lift, context) for lift in lifts),
            *(app.commands.handle(home.id, SetHomeFloor(home.id, home.floor), context) for home in body.homes))
        cards = list(zip(CARDS, body.residents, strict=False))
        for number, person_id in cards:
            await issue(app, body.community_id, uuid5(person_id, "card"), person_id, "card", number, None, context)
        pins = [(PIN, False), (DURESS_PIN, True)] if body.residents else []
        for number, duress in pins:
            first = body.residents[0]
            pin_id = uuid5(first, "duress pin" if duress else "pin")
            await issue(app, body.community_id, pin_id, first, "pin", number, None, context, duress=duress)
        return json({"doors": [
            {"id": i, "name": name, "zone": zone, "device_id": body.devices[n % len(body.devices)],
             "door_no": 1 + n // len(body.devices)} for n, (i, (name, zone)) in enumerate(zip(ids, doors, strict=True))],
            "lifts": [
                {"id": lift.lift_id, "building_id": lift.building_id, "device_id": lift.device_id,
                 "door_no": lift.floors[-1].door_no, "floors": lift.floors} for lift in lifts],
            "cards": [{"number": number, "person_id": person_id} for number, person_id in cards],
            "pins": [{"person_id": body.residents[0], "number": number, "duress": duress} for number, duress in pins]})

    return router
