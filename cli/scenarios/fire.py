"""A fire: a smoke detector, a guard, doors and lifts of the building, everybody in it told, the authorities too; set back by people."""

import asyncio
from typing import Any

import httpx

from cli.scenario import Context, Step
from cli.stack.demo import Demo
from cli.story import Failed, Story

SMOKE, WELL_AGAIN = "1110", "3110"
"""Ademco Contact ID: a fire alarm, and its restore."""


class Fire(Story):
    def __init__(self, context: Context, demo: Demo, **tokens: str) -> None:
        super().__init__(context, **tokens)
        self.demo = demo
        self.resident, self.guard, self.staff, self.police = (self.who[role] for role in ("resident", "guard", "staff", "police"))
        self.incident: dict[str, Any] = {}
        self.sensor: dict[str, Any] = {}
        self.heard: list[dict[str, Any]] = []
        self.broadcast = self.release = self.read_up_to = ""

    async def signals(self, code: str, times: int = 1) -> None:
        """The panel says it and waits for the receiver's answer."""
        body = {"code": code, "partition": self.sensor["partition"], "zone": self.sensor["zone"], "times": times}
        answer = (await self.client.post(f"{self.controls[self.sensor['device_id']]}/signal", json=body)).json()
        if answer.get("answers") != ["ACK"] * times:
            raise Failed(f"the panel was answered {answer}")

    async def incident_with(self, **wanted: Any) -> dict[str, Any]:
        """The guard's queue, once it has the incident like this."""
        async def look() -> Any:
            items = (await self.get("/v1/incidents", self.guard, state="all", limit=200))["items"]
            mine = (i for i in items if self.is_its(i) and i["id"] == self.incident.get("id", i["id"]))
            return next((i for i in mine if all(i[k] == v for k, v in wanted.items())), None)

        return dict(await self.until(look))

    def is_its(self, incident: dict[str, Any]) -> bool:
        """Whether the sensor of this story raised it."""
        return incident["sensor"] is not None and incident["sensor"]["sensor_id"] == self.sensor["id"]

    async def does(self, what: str, body: dict[str, Any], state: str, who: dict[str, str] | None = None) -> dict[str, Any]:
        await self.post(f"/v1/incidents/{self.incident['id']}/{what}", who or self.guard, body)
        return await self.incident_with(state=state)

    async def relays(self, states: set[str]) -> None:
        """Until the building's doors and lifts on simulated terminals are like this."""
        building = self.sensor["building_id"]
        doors = [d for d in self.demo.doors if d["zone"] == f"building:{building}"]
        floors = [{**lift, **lift["floors"][0]} for lift in self.demo.lifts if lift["building_id"] == building]

        async def look() -> Any:
            found = []
            for relay in (*doors, *floors):
                control = self.controls.get(relay["device_id"])
                if control is not None:
                    found.append((await self.client.get(f"{control}/relays")).json().get(str(relay["door_no"]), "normal"))
            return found and set(found) <= states

        await self.until(look)

    async def tidied(self) -> None:
        """Ends, as people would, what a story that was broken off has left."""
        for open_ in (await self.get("/v1/incidents", self.guard, state="open", limit=200))["items"]:
            if self.is_its(open_):
                self.incident = open_
                if open_["state"] in ("raised", "acknowledged"):
                    await self.does("acknowledgements", {"take_over": True}, "acknowledged")
                    await self.does("false-alarms", {"cause": "test"}, "found_false")
                else:
                    await self.does("resolutions", {"how": "put_out"}, "resolved")
        self.incident = {}
        for release in (await self.get("/v1/fire-releases", self.staff, open_only=True))["items"]:
            if release["building_id"] == self.sensor["building_id"]:
                await self.post(f"/v1/fire-releases/{release['id']}/endings", self.staff, {"despite_fire": True})
        await self.relays({"normal"})

    # the story

    async def reported(self) -> tuple[str, list[str]]:
        building = (await self.listed("/v1/me", self.resident, "homes"))[0]["building_id"]
        self.sensor = next((s for s in self.demo.sensors if s["kind"] == "smoke" and s["building_id"] == building), {})
        if not self.sensor or self.sensor["device_id"] not in self.controls:
            raise Failed("the resident's building has no smoke detector on a simulated panel")
        await self.tidied()
        await self.signals(SMOKE)
        self.incident = await self.incident_with(state="raised", kind="fire")
        return f"{self.incident['severity']}, {self.sensor['name']}, to be acknowledged by {self.incident['deadline']}", [
            self.incident["events"][0]]

    async def folded(self) -> tuple[str, list[str]]:
        await self.signals(SMOKE, times=2)
        found = await self.incident_with(count=3)
        return f"one incident, said {found['count']} times", []

    async def verified(self) -> tuple[str, list[str]]:
        owned = await self.does("acknowledgements", {}, "acknowledged")
        self.incident = await self.does("verifications", {"how": "camera"}, "verified")
        return f"owned by {owned['owner']['role']}", self.incident["events"]

    async def released(self) -> tuple[str, list[str]]:
        async def look() -> Any:
            items = (await self.get("/v1/fire-releases", self.guard, limit=50))["items"]
            return next((i for i in items if i["incident_id"] == self.incident["id"]), None)

        found = await self.until(look)
        self.release = found["id"]
        await self.relays({"held_open", "recalled"})
        lifts = sum(relay["wanted"] == "recalled" for relay in found["relays"])
        doors = len(found["relays"]) - lifts
        return f"{doors} doors stand open, {lifts} lifts are called to the ground floor", [found["event_id"]]

    async def told(self) -> tuple[str, list[str]]:
        async def mine() -> Any:
            items = (await self.get("/v1/me/notices", self.resident, limit=50))["items"]
            return next((i for i in items if i["kind"] == "broadcast" and i["ended_at"] is None), None)

        notice = await self.until(mine)
        self.broadcast = notice["id"]
        await self.post(f"/v1/broadcasts/{self.broadcast}/receipts", self.resident, {})

        async def look() -> Any:
            found = await self.get(f"/v1/broadcasts/{self.broadcast}", self.guard)
            everybody = found["told"] >= found["audience"] > 0
            return found if everybody and found["read"] and found["incident_id"] == self.incident["id"] else None

        found = await self.until(look)
        return f"{found['told']} of {found['audience']} residents told, {found['read']} have read it", [found["event_id"]]

    async def government(self) -> tuple[str, list[str]]:
        async def look() -> Any:
            after = {"after": self.read_up_to} if self.read_up_to else {}
            page = await self.get("/v1/government/incident-events", self.police, limit=200, **after)
            self.read_up_to = page["after"]
            self.heard += [event for event in page["items"] if event["subject"].endswith(self.incident["id"])]
            said = {event["type"] for event in self.heard}
            return {"gov.incident_opened", "gov.incident_progressed", "gov.fire_released"} <= said

        await self.until(look)
        return f"{len(self.heard)} events of it on the government stream", [self.heard[0]["id"]]

    async def dispatched(self) -> tuple[str, list[str]]:
        self.incident = await self.does("dispatches", {"to": "fire_brigade"}, "dispatched")
        return "the fire brigade is on the way", []

    async def resolved(self) -> tuple[str, list[str]]:
        await self.signals(WELL_AGAIN)

        async def restored() -> Any:
            found = await self.incident_with()
            return found if found["restored_at"] else None

        if (found := await self.until(restored))["state"] != "dispatched":
            raise Failed(f"a restore made it {found['state']}")
        self.incident = await self.does("resolutions", {"how": "put_out"}, "resolved")
        return "the restore ended nothing; a guard did", self.incident["events"]

    async def set_back(self) -> tuple[str, list[str]]:
        path = f"/v1/fire-releases/{self.release}/endings"

        async def end() -> Any:
            answer = await self.client.post(path, headers={**self.staff, "idempotency-key": str(self.release)}, json={})
            return answer if answer.status_code == 201 else None

        await self.until(end)
        await self.relays({"normal"})

        async def look() -> Any:
            chain = (await self.get(f"/v1/events/{self.release}/explanation", self.staff)).get("chain", [])
            return [link["event_id"] for link in chain if link["type"] == "access.fire_release_ended"]

        return "doors and lifts are as before", await self.until(look)

    async def explained(self) -> tuple[str, list[str]]:
        event = self.steps[-1].events[-1]

        async def look() -> Any:
            answer = await self.client.get(f"/v1/events/{event}/explanation", headers=self.staff)
            found = answer.json() if answer.status_code == 200 else {}
            return found if len({link["service"] for link in found.get("chain", [])}) >= 3 else None

        found = await self.until(look)
        chinese = await self.client.get(f"/v1/events/{event}/explanation", headers={**self.staff, "accept-language": "zh"})
        return chinese.json()["text"][0][:200], [*(link["event_id"] for link in found["chain"]), event]


ROLES = ("resident", "guard", "staff", "police")


async def run(context: Context) -> list[Step]:
    demo = context.demo
    if demo is None or not demo.sensors or not demo.panels:
        return [Step("the demo community", False, 0, "it is not seeded. Type: lifang up")]
    tokens = dict(zip(ROLES, await asyncio.gather(*map(context.token, ROLES)), strict=True))
    story = Fire(context, demo, **tokens)
    try:
        await story.step("a smoke detector reports through its panel", story.reported)
        await story.step("repeats fold into one incident", story.folded)
        await story.step("a guard acknowledges and verifies it", story.verified)
        await story.step("the building's doors stand open, its lifts go to the ground floor", story.released)
        await story.step("everybody in the building is told", story.told)
        await story.step("the government stream hears of it", story.government)
        await story.step("help is dispatched", story.dispatched)
        await story.step("the sensor is well again; a person resolves the incident", story.resolved)
        await story.step("people set doors and lifts back", story.set_back)
        await story.step("why the doors stood open is explained across services, in English and Chinese", story.explained)
    except (Failed, httpx.HTTPError):
        pass
    return story.steps
