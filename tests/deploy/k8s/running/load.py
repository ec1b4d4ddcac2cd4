"""A constant load from inside the cluster, through the Services, as any HTTP client would: `python load.py` in a pod of the tools' image.

Half of it keeps its connections, half opens one a request. Says one line of JSON a request: what came of it the first time (`failed`:
what went wrong before it was asked again with the same key), and, of a command, where the log has it. Ends once /tmp/enough is there.
Environment: KEY (of the demo desk), GATEWAY, DEVICES, DESK (URLs), PAUSE (seconds between two requests of one caller).
"""

import asyncio
import base64
import itertools
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

from cli.outside import Desk
from simulator.hikvision_bodies import AccessEvent, Origin, body

ENOUGH = Path("/tmp/enough")
PAUSE = float(os.environ["PAUSE"])
PATIENCE = 60.0
"""Seconds for which one thing is asked again: a database that is away for ten, and as long again until whoever lost it is called ready."""
HALF_TIME = 240.0
"""Seconds after which tokens are asked for again: they last for ten minutes."""


class Asked(NamedTuple):
    method: str
    url: str
    headers: dict[str, str]
    content: bytes


class Site:
    def __init__(self, desk: Desk) -> None:
        self.desk, self.demo, self.gateway, self.devices = desk, desk.demo, os.environ["GATEWAY"], os.environ["DEVICES"]
        self.tokens: dict[str, str] = {}
        self.numbers = itertools.count(int(time.time()) % 1_000_000 * 1000)
        self.home = ""

    def renew(self) -> None:
        self.tokens = {role: self.desk.token(role, None) for role in ("resident", "staff", "guard")}

    def at_gateway(self, role: str, method: str, path: str, given: object = None) -> Asked:
        headers = {"authorization": f"Bearer {self.tokens[role]}", "content-type": "application/json"}
        return Asked(method, f"{self.gateway}{path}", headers, b"" if given is None else json.dumps(given).encode())

    def reported(self) -> Asked:
        """What a terminal kept and tells later: stored, judged, shown; nothing is opened."""
        terminal = self.demo.terminals[0]
        event = AccessEvent(
            major=5, minor=1, serial=next(self.numbers), at=datetime.now(UTC), door_no=1, live=False,
            card_number=self.demo.cards[0]["number"])
        content, kind = body(event, Origin("127.0.0.1", 80, "", terminal.name), "json")
        path = httpx.URL(terminal.push.url).raw_path.decode()
        return Asked("POST", f"{self.devices}{path}", {**terminal.push.headers, "content-type": kind}, content)

    def kinds(self) -> dict[str, Callable[[], Asked]]:
        # not the first: a story that is played meanwhile counts what that one's terminal is ordered
        door, lane, building = self.demo.doors[1]["id"], self.demo.lanes[0]["id"], self.demo.lifts[0]["building_id"]
        return {
            "read of the gateway": lambda: self.at_gateway("resident", "GET", "/v1/me/doors"),
            "read by the gateway": lambda: self.at_gateway("resident", "GET", "/v1/me/consents"),
            "pass": lambda: self.at_gateway(
                "resident", "POST", "/v1/visitor-passes", {"kind": "courier", "home_id": self.home, "visitor_name": "某某"}),
            "opening": lambda: self.at_gateway("resident", "POST", f"/v1/doors/{door}/openings", {}),
            "consent": lambda: self.at_gateway(
                "resident", "PUT", "/v1/me/consents/notices", {"given": next(self.numbers) % 2 == 0}),
            "notice": lambda: self.at_gateway(
                "staff", "POST", "/v1/notices", {"circle_id": building, "title": "停水", "text": f"第{next(self.numbers)}次"}),
            "incident": lambda: self.at_gateway(
                "guard", "POST", "/v1/incidents", {"kind": "other", "place": {"building_id": building}}),
            "barrier": lambda: self.at_gateway("guard", "POST", f"/v1/lanes/{lane}/openings", {"reason": "load"}),
            "report": self.reported}


def position(answer: httpx.Response) -> tuple[str, int] | None:
    """Of which service's log, and where in it."""
    text = answer.headers.get("lifang-position")
    if not text:
        return None
    service, own, _ = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return service, own


async def ask(client: httpx.AsyncClient, make: Callable[[], Asked]) -> dict[str, Any]:
    """Again with the same key and body until it is answered."""
    asked, failed, begun = make(), list[str](), time.monotonic()

    def said(status: int, at: tuple[str, int] | None) -> dict[str, Any]:
        return {"status": status, "at": at, "failed": failed, "ms": round((time.monotonic() - begun) * 1000)}

    headers = {**asked.headers, "idempotency-key": str(uuid4())}
    while time.monotonic() < begun + PATIENCE:
        try:
            answer = await client.request(asked.method, asked.url, content=asked.content, headers=headers)
            if answer.status_code < 500:
                return said(answer.status_code, position(answer))
            failed.append(f"{answer.status_code} {answer.text[:160]}")
        except httpx.TransportError as error:
            failed.append(f"{type(error).__name__} {error}")
        await pause(0.5)
    return said(0, None)


async def pause(seconds: float) -> None:
    with_end = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(seconds, with_end.set_result, None)
    await with_end


async def call_again_and_again(client: httpx.AsyncClient, what: str, how: str, make: Callable[[], Asked]) -> None:
    while not ENOUGH.exists():
        said = await ask(client, make)
        print(json.dumps({"what": what, "how": how, "until": round(time.time(), 3), **said}), flush=True)
        await pause(PAUSE)


async def renew_now_and_then(site: Site) -> None:
    while True:
        await pause(HALF_TIME)
        try:
            await asyncio.to_thread(site.renew)
        except Exception as error:
            print(f"tokens are not renewed: {error}", flush=True)


async def main() -> None:
    site = Site(Desk(os.environ["DESK"], os.environ["KEY"].strip()))
    site.renew()
    patience = httpx.Timeout(20)
    kept = httpx.AsyncClient(timeout=patience, trust_env=False)
    fresh = httpx.AsyncClient(timeout=patience, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
    async with kept, fresh:
        me = await kept.get(f"{site.gateway}/v1/me", headers={"authorization": f"Bearer {site.tokens['resident']}"})
        site.home = me.json()["homes"][0]["home_id"]
        renewing = asyncio.create_task(renew_now_and_then(site))
        await asyncio.gather(*(
            call_again_and_again(client, what, how, make) for what, make in site.kinds().items()
            for client, how in ((kept, "kept"), (fresh, "fresh"))))
        renewing.cancel()


if __name__ == "__main__":
    asyncio.run(main())
