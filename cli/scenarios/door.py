"""A door: what a terminal kept and tells later, a code nobody knows, a card that is live, and a resident who opens from afar."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from cli.scenario import Context, Step
from cli.stack.demo import Demo
from cli.story import PATIENCE, Failed, Story, since

ORDER_WITHIN_MS = 1000


class AtTheDoor(Story):
    def __init__(self, context: Context, demo: Demo, resident: str, staff: str) -> None:
        super().__init__(context, resident=resident, staff=staff)
        self.resident, self.staff = self.who["resident"], self.who["staff"]
        self.card = demo.cards[0]["number"]
        self.door: dict[str, Any] = {}
        self.known = {door["id"]: door for door in demo.doors}

    @property
    def control(self) -> str:
        return self.controls[self.door["device_id"]]

    async def report(self, **event: Any) -> dict[str, Any]:
        """Lets the terminal report; answers what the platform told the terminal."""
        answer = await self.client.post(f"{self.control}/card", json={"door_no": self.door["door_no"], **event})
        told = answer.json()
        if answer.status_code != 200 or told["status"] != 200:
            raise Failed(f"the terminal was answered {told}")
        return dict(told)

    async def orders(self) -> list[dict[str, Any]]:
        return list((await self.client.get(f"{self.control}/orders")).json())

    async def happened(self, who: dict[str, str], path: str, before: set[str], **wanted: Any) -> dict[str, Any]:
        """A happening at the door that was not there before."""

        async def look() -> Any:
            items = (await self.get(path, who, limit=50))["items"]
            return next((
                i for i in items if i["event_id"] not in before and i["door_id"] == self.door["id"]
                and all(i.get(k) == v for k, v in wanted.items())), None)

        return dict(await self.until(look))

    async def seen(self, who: dict[str, str], path: str) -> set[str]:
        return {i["event_id"] for i in (await self.get(path, who, limit=50))["items"]}

    # the story

    async def my_doors(self) -> tuple[str, list[str]]:
        doors = await self.listed("/v1/me/doors", self.resident)
        mine = [d["id"] for d in doors if d["id"] in self.known]
        if not mine:
            raise Failed("the resident has no door")
        self.door = self.known[mine[0]]
        return f"{len(doors)} doors, the first is {self.door['name']}", []

    async def replayed(self) -> tuple[str, list[str]]:
        before, orders = await self.seen(self.staff, "/v1/door-events"), len(await self.orders())
        await self.report(card_number=self.card, live=False, remote_check=True)
        found = await self.happened(self.staff, "/v1/door-events", before, live=False)
        if len(await self.orders()) != orders:
            raise Failed("history has actuated")
        return "stored as history, nothing was opened", [found["event_id"]]

    async def unknown(self) -> tuple[str, list[str]]:
        before = await self.seen(self.staff, "/v1/door-events")
        await self.report(card_number=self.card, live=True, code="5/179")
        found = await self.happened(self.staff, "/v1/door-events", before, notice="unknown")
        return "code 5/179 is kept as unknown", [found["event_id"]]

    async def live(self) -> tuple[str, list[str]]:
        before = await self.seen(self.resident, "/v1/me/door-events")
        async with aclosing(self.feed()) as feed:
            await anext(feed)  # connected
            await self.report(card_number=self.card, live=True)
            async with asyncio.timeout(PATIENCE):
                event = await anext(feed)
        found = await self.happened(self.resident, "/v1/me/door-events", before, live=True)
        return "in the resident's page and in the live feed", [event["id"], found["event_id"]]

    async def feed(self) -> AsyncGenerator[dict[str, Any], None]:
        """First an empty object, once the feed is open; then every event of the resident's that is about passing a door."""
        parameters = {"types": "access.door_passed,access.credential_judged"}
        async with self.client.stream("GET", "/v1/live", headers=self.resident, params=parameters, timeout=PATIENCE) as answer:
            if answer.status_code != 200:
                raise Failed(f"/v1/live answered {answer.status_code}")
            yield {}
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    async def opening(self) -> tuple[str, list[str]]:
        orders, begun = len(await self.orders()), time.monotonic()
        headers = {**self.resident, "idempotency-key": str(uuid4())}
        answer = await self.client.post(f"/v1/doors/{self.door['id']}/openings", json={}, headers=headers)
        if answer.status_code != 201:
            raise Failed(f"the opening was answered {answer.status_code}: {answer.text[:200]}")

        async def look() -> Any:
            return (await self.orders())[orders:]

        order = (await self.until(look))[0]
        took = since(begun)
        if order["door_no"] != self.door["door_no"] or took > ORDER_WITHIN_MS:
            raise Failed(f"the terminal received {order} after {took:.0f} ms")
        self.opened = answer.json()
        return f"the terminal received the order after {took:.0f} ms", [self.opened["event_id"]]

    async def explained(self) -> tuple[str, list[str]]:
        path = f"/v1/events/{self.opened['event_id']}/explanation"

        async def look() -> Any:
            answer = await self.client.get(path, headers=self.resident)
            chain = answer.json().get("chain", []) if answer.status_code == 200 else []
            return answer.json() if any(c["type"] == "access.door_opened" for c in chain) else None

        explanation = await self.until(look)
        return " ".join(explanation["text"])[:300], [c["event_id"] for c in explanation["chain"]]


async def run(context: Context) -> list[Step]:
    demo = context.demo
    if demo is None or not demo.cards:
        return [Step("the demo community", False, 0, "it is not seeded. Type: lifang up")]
    resident, staff = await asyncio.gather(context.token("resident"), context.token("staff"))
    story = AtTheDoor(context, demo, resident, staff)
    try:
        await story.step("the resident sees their doors", story.my_doors)
        await story.step("a replayed event is stored and actuates nothing", story.replayed)
        await story.step("an unknown code is kept", story.unknown)
        await story.step("a live card appears at the resident's and in the feed", story.live)
        await story.step("the resident opens a door, the terminal gets the order within a second", story.opening)
        await story.step("the opening is explained across services", story.explained)
    except Failed:
        pass
    return story.steps
