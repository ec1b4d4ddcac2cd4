"""A gate of the real stack, driven as `lifang scenario visitor` does: simulated cameras, a resident, a guard, another resident."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from cli.scenarios.visitor import LONG, Visit

Headers = dict[str, str]
MINE = "/v1/me/parking-sessions"


def mask(plate: str) -> str:
    return f"{plate[:2]}***{plate[-2:]}"


class Gate(Visit):
    """A resident, a guard, another resident, and two lanes with cameras."""

    other: Headers

    async def invites(self, plate: str) -> str:
        home = (await self.get("/v1/me", self.resident))["homes"][0]["home_id"]
        now = datetime.now(UTC)
        body = {
            "kind": "family", "home_id": home, "plate": plate, "valid_from": (now - LONG * 2).isoformat(),
            "valid_until": (now + LONG).isoformat()}
        made = (await self.post("/v1/visitor-passes", self.resident, body)).json()
        await self.known(made["id"])
        return str(made["id"])

    async def guest(self, plate: str, hours: int = 0) -> dict[str, Any]:
        """The stay of a guest who came so many hours ago, told by the camera from its memory, or just now."""
        pass_id, ago = await self.invites(plate), timedelta(hours=hours)
        await (self.drives("in", plate, at=datetime.now(UTC) - ago) if hours else self.passes("in", plate))
        return await self.events(MINE, self.resident, pass_id=pass_id)

    async def reads(self, way: str, plate: str, colour: int) -> bool:
        """Whether the barrier was lifted for a plate that the camera read in this colour."""
        control = self.controls[self.lanes[way]["device_id"]]
        return bool((await self.client.post(f"{control}/vehicle", json={"license": plate, "colour": colour})).json()["opened"])

    async def openings(self) -> int:
        """How often both barriers were lifted, ever."""
        states = [(await self.client.get(f"{self.controls[lane['device_id']]}/state")).json() for lane in self.lanes.values()]
        return sum(state["opened"] for state in states)

    async def answers(self, way: str, after: int = 0) -> list[dict[str, Any]]:
        """What the camera of a lane was answered, but for the first so many."""
        state = (await self.client.get(f"{self.controls[self.lanes[way]['device_id']]}/state")).json()
        return list(state["answers"][after:])

    async def one_stay(self, session_id: str, **wanted: Any) -> dict[str, Any]:
        async def look() -> Any:
            found = await self.get(f"{MINE}/{session_id}", self.resident)
            return found if all(found[name] == value for name, value in wanted.items()) else None

        return dict(await self.until(look))

    async def finding(self, holds: Callable[[dict[str, Any]], bool], **parameters: Any) -> dict[str, Any]:
        """One whose plates have their keys, and of which this holds."""
        async def look() -> Any:
            items = (await self.get("/v1/parking-findings", self.guard, limit=200, **parameters))["items"]
            return next((i for i in items if i["plate_state"] != "pending" and holds(i)), None)

        return dict(await self.until(look))

    async def asks(self, method: str, path: str, who: Headers, body: Any = None) -> httpx.Response:
        return await self.client.request(method, path, headers={**who, "idempotency-key": str(uuid4())}, json=body)

    async def why(self, event_id: str, language: str) -> dict[str, Any]:
        async def look() -> Any:
            answer = await self.client.get(f"/v1/events/{event_id}/explanation", headers=self.guard, params={"language": language})
            return answer.json() if answer.status_code == 200 else None

        return dict(await self.until(look))

    async def missed(self, plate: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """A guest's stay of five hours, and what was found when the same plate came in again."""
        stay = await self.guest(plate, hours=5)
        await self.passes("in", plate)
        return stay, await self.finding(lambda f: f["kind"] == "missing_exit" and f["session_id"] == stay["id"])
