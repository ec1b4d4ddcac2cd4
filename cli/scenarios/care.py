"""Care for who lives alone: nobody answers, their neighbour cannot reach them, guards are told; they open a door, and all is well."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx

from cli.scenario import Context, Step
from cli.stack.demo import Demo
from cli.story import Failed, Story


class Care(Story):
    """`home`: of the last resident shown, whom the first one helps."""

    def __init__(self, context: Context, demo: Demo, **tokens: str) -> None:
        super().__init__(context, **tokens)
        self.alone, self.neighbour, self.guard, self.staff = (self.who[name] for name in ("alone", "neighbour", "guard", "staff"))
        self.home, self.helper = demo.residents[-1]["home_id"], demo.residents[0]["id"]
        self.check, self.incident = "", dict[str, Any]()

    async def put(self, path: str, who: dict[str, str], body: dict[str, Any]) -> None:
        answer = await self.client.put(path, headers={**who, "idempotency-key": str(uuid4())}, json=body)
        if answer.status_code != 200:
            raise Failed(f"{path} answered {answer.status_code}: {answer.text[:200]}")

    async def stands(self, state: str) -> dict[str, Any]:
        async def look() -> Any:
            found = await self.get(f"/v1/care/{self.home}", self.guard)
            return found if found["state"] == state else None

        return dict(await self.until(look))

    async def arranged(self) -> tuple[str, list[str]]:
        await self.put(f"/v1/care/{self.home}", self.staff, {"agreed": "in_writing", "helpers": [self.helper]})
        await self.put(f"/v1/me/helping/{self.home}", self.neighbour, {"agrees": True})
        found = await self.stands("watched")
        return f"asked after {found['usual_minutes'] // 60} hours of silence; a neighbour has agreed to help", []

    async def asked(self) -> tuple[str, list[str]]:
        begun = await self.post(f"/v1/care/{self.home}/checks", self.guard, {"ask": "neighbours"})
        self.check = begun.json()["id"]

        async def look() -> Any:
            helping = (await self.get("/v1/me/care", self.neighbour))["helping"]
            return next((one for one in helping if one["check"] and one["check"]["id"] == self.check), None)

        found = await self.until(look)
        return f"home {found['label']}, until {found['check']['answer_by'][11:16]} UTC", []

    async def raised(self) -> dict[str, Any]:
        """The incident at the home: one that is still open takes what is said again."""

        async def look() -> Any:
            items = (await self.get("/v1/incidents", self.guard, limit=200))["items"]
            return next((one for one in items if one["code"].startswith("care:") and one["place"]["home_id"] == self.home), None)

        return dict(await self.until(look))

    async def unreached(self) -> tuple[str, list[str]]:
        await self.post(f"/v1/care/{self.home}/answers", self.neighbour, {"check_id": self.check, "answer": "not_reached"})
        await self.stands("worried")
        self.incident = await self.raised()
        return f"{self.incident['kind']}, {self.incident['severity']}, {self.incident['code']}", []

    async def seen(self) -> tuple[str, list[str]]:
        doors = await self.listed("/v1/me/doors", self.alone)
        opened = (await self.post(f"/v1/doors/{doors[0]['id']}/openings", self.alone, {})).json()
        await self.stands("watched")

        async def look() -> Any:
            return (await self.get(f"/v1/incidents/{self.incident['id']}", self.guard))["restored_at"]

        await self.until(look)
        return "the incident's source is well again, and it stays until people end it", [opened["event_id"]]

    async def ended(self) -> tuple[str, list[str]]:
        for step, body in (("acknowledgements", {}), ("verifications", {"how": "call"}), ("resolutions", {"how": "nothing_found"})):
            await self.post(f"/v1/incidents/{self.incident['id']}/{step}", self.guard, body)
        return "acknowledged, verified by a call, resolved", []

    async def explained(self) -> tuple[str, list[str]]:
        async def look() -> Any:
            answer = await self.client.get(
                f"/v1/events/{self.incident['id']}/explanation", headers={**self.staff, "accept-language": "zh"})
            chain = answer.json()["chain"] if answer.status_code == 200 else []
            return answer.json() if {c["type"] for c in chain} >= {"alarm.wellness_check", "alarm.incident_resolved"} else None

        found = await self.until(look)
        return found["text"][0][:200], [link["event_id"] for link in found["chain"]]


async def run(context: Context) -> list[Step]:
    demo = context.demo
    if demo is None or len(demo.residents) < 2:
        return [Step("the demo community", False, 0, "it is not seeded. Type: lifang up")]
    alone, neighbour, guard, staff = await asyncio.gather(
        context.token("resident", demo.residents[-1]["id"]), context.token("resident", demo.residents[0]["id"]), context.token("guard"),
        context.token("staff"))
    story = Care(context, demo, alone=alone, neighbour=neighbour, guard=guard, staff=staff)
    try:
        await story.step("staff write down how a home is cared for; a neighbour agrees", story.arranged)
        await story.step("a guard worries; the neighbour is asked", story.asked)
        await story.step("the neighbour reaches nobody: it is an incident", story.unreached)
        await story.step("who lives there opens a door: they are well", story.seen)
        await story.step("a guard ends the incident", story.ended)
        await story.step("it is explained from the check on, in Chinese", story.explained)
    except (Failed, httpx.HTTPError):
        pass
    return story.steps
