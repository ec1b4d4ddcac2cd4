"""A patrol: a round begins, a guard reads the tags of its points, one of them without a network; it is judged, also for authorities."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx

from cli.scenario import Context, Step
from cli.stack.demo import Demo
from cli.story import Failed, Story

ROUTE, POINTS, WIDE = "演练巡更", 3, 5
"""WIDE: minutes by which one may be early, so that a round is under way that starts soon."""
FAR = {"longitude": 121.5, "latitude": 31.0, "accuracy": 10}
WITHOUT_NETWORK = timedelta(minutes=1)


class Patrol(Story):
    """`points`: those of its route, with what is read there."""

    def __init__(self, context: Context, demo: Demo, **tokens: str) -> None:
        super().__init__(context, **tokens)
        self.guard, self.staff, self.police = (self.who[role] for role in ("guard", "staff", "police"))
        self.points, self.route, self.name = demo.patrol_points[:POINTS], dict[str, Any](), ROUTE
        self.begun: dict[str, Any] = {}

    async def set_out(self) -> tuple[str, list[str]]:
        """A route that has no other round near: a scan is of the round whose time is nearest."""
        routes = (await self.get("/v1/patrol-routes", self.staff, limit=200))["items"]
        zone, start = ZoneInfo(routes[0]["zone"]), (datetime.now(UTC) + timedelta(minutes=2)).replace(second=0, microsecond=0)
        mine = [route for route in routes if route["name"].startswith(self.name)]
        for self.route in mine:
            last = await self.rounds(limit=1)
            if not last or datetime.fromisoformat(last[0]["starts_at"]) < start - timedelta(minutes=2 * WIDE):
                break
        else:
            self.route, self.name = {}, f"{self.name} {len(mine) + 1}"
        await self.sets(starts=[f"{start.astimezone(zone):%H:%M}"], in_use=True)
        self.begun = await self.until(lambda: self.round_with(starts_at=f"{start:%Y-%m-%dT%H:%M:%SZ}"))
        return f"of {len(self.points)} points, starting at {start:%H:%M} UTC", []

    async def sets(self, **more: Any) -> None:
        stops = [{"point_id": point["id"], "after": 0} for point in self.points]
        body = {"name": self.route.get("name", self.name), "stops": stops, "tolerance": WIDE, "counts": WIDE, **more}
        if not self.route:
            made = await self.post("/v1/patrol-routes", self.staff, body)
            self.route = {"id": made.json()["id"], "version": 1, "starts": body["starts"]}
            return
        headers = {**self.staff, "if-match": f'"{self.route["version"]}"'}
        answer = await self.client.put(f"/v1/patrol-routes/{self.route['id']}", json=body, headers=headers)
        if answer.status_code != 200:
            raise Failed(f"the route was not set: {answer.text[:200]}")
        self.route |= {"version": int(answer.headers["etag"].strip('"')), "starts": body["starts"]}

    async def rounds(self, **parameters: Any) -> list[dict[str, Any]]:
        return list((await self.get("/v1/patrol-rounds", self.guard, route_id=self.route["id"], **parameters))["items"])

    async def round_with(self, **wanted: Any) -> dict[str, Any] | None:
        found = await self.rounds()
        return next((one for one in found if all(one[name] == value for name, value in wanted.items())), None)

    async def scans(self, n: int, ago: timedelta = timedelta(), clock: timedelta = timedelta(), **more: Any) -> dict[str, Any]:
        """The n-th point's tag is read, and told so much later by a phone whose clock is so far off."""
        sent = datetime.now(UTC) + clock
        scan = {"id": str(uuid4()), "tag": self.points[n]["tag"], "means": "nfc", "scanned_at": (sent - ago).isoformat(), **more}
        answer = await self.post("/v1/patrol-scans", self.guard, {"sent_at": sent.isoformat(), "scans": [scan]}, 200)
        told: dict[str, Any] = answer.json()["items"][0]
        if told["refused"]:
            raise Failed(f"the scan was refused: {told['refused']}")
        return told

    async def met(self, *wanted: str | None) -> dict[str, Any]:
        async def look() -> Any:
            found = await self.get(f"/v1/patrol-rounds/{self.begun['id']}", self.guard)
            return found if tuple(stop["met"] for stop in found["stops"]) == wanted else None

        return dict(await self.until(look))

    async def first(self) -> tuple[str, list[str]]:
        await self.scans(0)
        return f"{self.points[0]['name']}: {(await self.met('on_time', None, None))['stops'][0]['met']}", []

    async def kept(self) -> tuple[str, list[str]]:
        before = datetime.now(UTC)
        await self.scans(1, ago=WITHOUT_NETWORK, clock=timedelta(days=-400))
        at = datetime.fromisoformat((await self.met("on_time", "on_time", None))["stops"][1]["at"])
        if not before - WITHOUT_NETWORK <= at <= datetime.now(UTC) - WITHOUT_NETWORK:
            raise Failed(f"it counts as of {at}")
        return f"counts as of {at:%H:%M:%S} UTC", []

    async def elsewhere(self) -> tuple[str, list[str]]:
        told = await self.scans(2, position=FAR)

        async def look() -> Any:
            return next((s for s in (await self.get("/v1/patrol-scans", self.guard))["items"] if s["id"] == told["id"]), None)

        scan = await self.until(look)
        if told["there"] or scan["there"] or (await self.met("on_time", "on_time", None))["state"] != "under_way":
            raise Failed("it counted")
        return f"{scan['distance']} m away: it counts in no round", []

    async def judged(self) -> tuple[str, list[str]]:
        await self.scans(2)
        found = await self.met("on_time", "on_time", "on_time")
        if (found["state"], found["on_time"], found["missed"]) != ("judged", POINTS, 0):
            raise Failed(f"it was judged as {found}")
        return "nothing was missed", []

    async def figures(self) -> tuple[str, list[str]]:
        async def look() -> Any:
            told = (await self.get("/v1/government/patrols", self.police))["items"]
            return next((one for one in told if one["route_id"] == self.route["id"]), None)

        found = await self.until(look)
        return f"rounds: {found['rounds']}, complete: {found['complete']}, stops met: {found['percent']} %", []

    async def explained(self) -> tuple[str, list[str]]:
        async def look() -> Any:
            asked = {"headers": {**self.staff, "accept-language": "zh"}}
            answer = await self.client.get(f"/v1/events/{self.begun['id']}/explanation", **asked)  # type: ignore[arg-type]
            return answer.json() if answer.status_code == 200 else None

        found = await self.until(look)
        await self.sets(starts=self.route["starts"], in_use=False)
        return found["text"][0][:200], [link["event_id"] for link in found["chain"]]


ROLES = ("guard", "staff", "police")


async def run(context: Context) -> list[Step]:
    demo = context.demo
    if demo is None or len(demo.patrol_points) < POINTS:
        return [Step("the demo community", False, 0, "it is not seeded. Type: lifang up")]
    tokens = dict(zip(ROLES, await asyncio.gather(*map(context.token, ROLES)), strict=True))
    story = Patrol(context, demo, **tokens)
    try:
        await story.step("staff set a route; its round is under way", story.set_out)
        await story.step("a guard reads the tag of the first point", story.first)
        await story.step("the second was read without a network, by a phone whose clock is a year behind", story.kept)
        await story.step("who is elsewhere by their own phone's word was not there", story.elsewhere)
        await story.step("they go there; the round is judged", story.judged)
        await story.step("the authorities see it in figures", story.figures)
        await story.step("how it was judged is explained, in Chinese", story.explained)
    except (Failed, httpx.HTTPError):
        pass
    return story.steps
