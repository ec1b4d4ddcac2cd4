"""A visitor with a car: invited with a plate, through barrier, door and lift, and out again for nothing; then one who stays and pays."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from cli.scenario import Context, Step
from cli.stack.demo import Demo
from cli.story import Failed, Story

QR = "5/156"
"""The code with which a Hikvision terminal tells of a QR code."""
LONG = timedelta(hours=5)
LOOKS = 5
"""How often the plate of a vehicle that still stands before the barrier is read."""


def some_plate() -> str:
    """Another one every time: the barrier remembers who is inside. Without look-alikes of itself."""
    return f"粤{random.choice('CEFGHJKLMN')}{random.choice('ACEFGHJKLM')}{random.randrange(1000, 9999)}".replace("0", "7")


class Visit(Story):
    def __init__(self, context: Context, demo: Demo, resident: str, guard: str, staff: str) -> None:
        super().__init__(context, resident=resident, guard=guard, staff=staff)
        self.resident, self.guard, self.staff = self.who["resident"], self.who["guard"], self.who["staff"]
        self.parking = context.status["services"]["parking"]["url"]
        self.demo, self.plate, self.late, self.stranger = demo, some_plate(), some_plate(), some_plate()
        self.lanes = {lane["direction"]: lane for lane in demo.lanes}
        self.made: dict[str, Any] = {}
        self.stay: dict[str, Any] = {}

    async def drives(self, way: str, plate: str, at: datetime | None = None) -> bool:
        """Whether the camera's own barrier was lifted by the answer to its push. With `at`: told from its memory."""
        control = self.controls[self.lanes[way]["device_id"]]
        body: dict[str, Any] = {"license": plate, "offline": at is not None}
        answer = (await self.client.post(f"{control}/vehicle", json={**body, **({"at": at.isoformat()} if at else {})})).json()
        if answer["status"] != 200:
            raise Failed(f"the camera was answered {answer}")
        return bool(answer["opened"])

    async def passes(self, way: str, plate: str) -> str:
        """Until the barrier is lifted. A decision that took longer than the camera waits has lifted nothing, and will not: the
        vehicle stands there, and is read again. Raises Failed."""
        for look in range(1, LOOKS + 1):
            if await self.drives(way, plate):
                return "" if look == 1 else f", when it had read the plate {look} times"
        raise Failed(f"the barrier stayed down, though the camera read the plate {LOOKS} times")

    async def shows(self, door: dict[str, Any]) -> bool:
        """Whether the terminal, which asks, lets in whoever shows the code."""
        body = {"card_number": self.made["qr"], "door_no": door["door_no"], "remote_check": True, "code": QR}
        told = (await self.client.post(f"{self.controls[door['device_id']]}/card", json=body)).json()
        if told["status"] != 200:
            raise Failed(f"the terminal was answered {told}")
        return bool(told["admitted"])

    async def events(self, path: str, who: dict[str, str], **wanted: Any) -> dict[str, Any]:
        async def look() -> Any:
            items = (await self.get(path, who, limit=50))["items"]
            return next((i for i in items if all(i.get(k) == v for k, v in wanted.items())), None)

        return dict(await self.until(look))

    async def known(self, pass_id: str) -> None:
        """Until parking has heard of the pass."""
        async def look() -> Any:
            found = await self.client.get(
                "/v1/parking/plate-rights", headers=self.staff, params={"kind": "visitor_pass", "limit": 200})
            return [i for i in found.json().get("items", []) if i["id"] == pass_id]

        await self.until(look)

    async def pays(self, session_id: str, who: dict[str, str]) -> dict[str, Any]:
        """Asks what to pay and plays the payer at the local provider, which then tells parking, signed: it is nobody's at the gateway."""
        asked = (await self.post(f"/v1/parking-sessions/{session_id}/payments", who, {})).json()
        await self.post(f"{self.parking}/v1/parking/demo-payments/{session_id}/{asked['id']}", who, {}, 200)
        return dict(asked)

    # the story

    async def invited(self) -> tuple[str, list[str]]:
        self.home = (await self.listed("/v1/me", self.resident, "homes"))[0]
        body = {"kind": "family", "home_id": self.home["home_id"], "plate": self.plate, "visitor_name": "张来访"}
        self.made = (await self.post("/v1/visitor-passes", self.resident, body)).json()
        await self.known(self.made["id"])
        return f"pass for {len(self.made['qr'])} characters of QR code, plate …{self.plate[-3:]}", []

    async def comes(self) -> tuple[str, list[str]]:
        looks = await self.passes("in", self.plate)
        self.stay = await self.events("/v1/me/parking-sessions", self.resident, pass_id=self.made["id"])
        return f"the camera was answered ok and lifted its barrier{looks}", [self.stay["event_id"]]

    async def goes_up(self) -> tuple[str, list[str]]:
        zone = f"building:{self.home['building_id']}"
        known = {terminal.device_id for terminal in self.demo.terminals}
        door = next((d for d in self.demo.doors if d["zone"] == zone and d["device_id"] in known), None)
        lift = next((x for x in self.demo.lifts if x["building_id"] == self.home["building_id"]), None)
        if door is None or lift is None:
            raise Failed("the building has no door or lift")
        if not await self.shows(door):
            raise Failed("the unit door did not open for the code")
        floor = int(self.home["label"].rpartition("-")[2][:-2])
        relay = next((f["door_no"] for f in lift["floors"] if f["floor"] == floor), None)
        other = next(f["door_no"] for f in lift["floors"] if f["floor"] not in (floor, 1))
        if relay is None or not await self.shows({"device_id": lift["device_id"], "door_no": relay}):
            raise Failed("the lift did not take the visitor to the floor")
        if await self.shows({"device_id": lift["device_id"], "door_no": other}):
            raise Failed("the lift went to a floor that is none of theirs")
        passed = await self.events("/v1/door-events", self.staff, door_id=door["id"], means="qr", allowed=True)
        return f"door {door['name']} and floor {floor}, no other", [passed["event_id"]]

    async def told(self) -> tuple[str, list[str]]:
        async def look() -> Any:
            found = (await self.client.get("/v1/me/visitor-notices", headers=self.resident)).json()
            return [n for n in found.get("items", []) if n["pass_id"] == self.made["id"] and n["kind"] == "visitor_arrived"]

        notice = (await self.until(look))[0]
        return f"an in-app notice: arrived by {notice['detail']}", []

    async def leaves(self) -> tuple[str, list[str]]:
        await self.passes("out", self.plate)
        ended = await self.events("/v1/me/parking-sessions", self.resident, id=self.stay["id"], state="ended")
        if ended["total"] != 0:
            raise Failed(f"the bill is {ended['total']} fen")
        return "the bill is zero", [ended["ended_event_id"]]

    async def guest_pays(self) -> tuple[str, list[str]]:
        """The same with a guest who stays: five hours, told by the camera from its memory."""
        now = datetime.now(UTC)
        body = {
            "kind": "family", "home_id": self.home["home_id"], "plate": self.late, "valid_from": (now - LONG * 2).isoformat(),
            "valid_until": (now + LONG).isoformat()}
        made = (await self.post("/v1/visitor-passes", self.resident, body)).json()
        await self.known(made["id"])
        await self.drives("in", self.late, at=now - LONG)
        stay = await self.events("/v1/me/parking-sessions", self.resident, pass_id=made["id"])
        if await self.drives("out", self.late):
            raise Failed("the barrier was lifted for somebody who owes")
        asked = await self.pays(stay["id"], self.resident)
        await self.passes("out", self.late)
        ended = await self.events("/v1/me/parking-sessions", self.resident, id=stay["id"], state="ended")
        if not asked["amount"] == ended["total"] == ended["paid"] == sum(line["amount"] for line in ended["lines"]) > 0:
            raise Failed(f"asked for {asked['amount']}, the page says {ended}")
        return f"¥{ended['total'] / 100:.2f}, {len(ended['lines'])} lines in the resident's page", [ended["ended_event_id"]]

    async def stranger_pays(self) -> tuple[str, list[str]]:
        await self.drives("in", self.stranger, at=datetime.now(UTC) - LONG)
        sessions = "/v1/parking-sessions"

        async def look() -> Any:
            found = await self.client.get(sessions, headers=self.staff, params={"state": "inside", "limit": 200})
            return [i for i in found.json().get("items", []) if i["plate"] == f"{self.stranger[:2]}***{self.stranger[-2:]}"]

        stay = (await self.until(look))[0]
        if await self.drives("out", self.stranger):
            raise Failed("the barrier was lifted for somebody who owes")
        bill = (await self.client.get(f"{sessions}/{stay['id']}/bill", headers=self.staff)).json()
        asked = await self.pays(stay["id"], self.guard)
        if asked["amount"] != bill["due"] or bill["total"] != sum(line["amount"] for line in bill["lines"]):
            raise Failed(f"asked for {asked['amount']}, due {bill['due']}, lines {bill['lines']}")
        await self.passes("out", self.stranger)
        lines = ", ".join(f"{line['code']} {line['amount'] / 100:.2f}" for line in bill["lines"])
        return f"¥{bill['total'] / 100:.2f} for five hours ({lines})", []

    async def explained(self) -> tuple[str, list[str]]:
        event = self.steps[4].events[0]

        async def look() -> Any:
            answer = await self.client.get(f"/v1/events/{event}/explanation", headers=self.staff)
            found = answer.json() if answer.status_code == 200 else {}
            services = {link["service"] for link in found.get("chain", [])}
            return found if len(services) >= 3 else None

        found = await self.until(look)
        chinese = await self.client.get(f"/v1/events/{event}/explanation", headers={**self.staff, "accept-language": "zh"})
        return chinese.json()["text"][0][:200], [*(link["event_id"] for link in found["chain"]), event]


async def run(context: Context) -> list[Step]:
    demo = context.demo
    if demo is None or not demo.cards or len(demo.lanes) < 2:
        return [Step("the demo community", False, 0, "it is not seeded. Type: lifang up")]
    resident, guard, staff = await asyncio.gather(
        context.token("resident"), context.token("guard"), context.token("staff"))
    story = Visit(context, demo, resident, guard, staff)
    try:
        await story.step("a resident invites a guest with a plate", story.invited)
        await story.step("the barrier lifts for the plate, in the answer to the camera's push", story.comes)
        await story.step("the code opens the unit door and takes the lift to the floor", story.goes_up)
        await story.step("the resident is told of the arrival", story.told)
        await story.step("the guest leaves and owes nothing", story.leaves)
        await story.step("a guest who stays beyond the free time pays in the resident's page", story.guest_pays)
        await story.step("a stranger's car pays by tariff before the barrier lifts", story.stranger_pays)
        await story.step("the stay is explained across services, in English and Chinese", story.explained)
    except (Failed, httpx.HTTPError):
        pass
    return story.steps
