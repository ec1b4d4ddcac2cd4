"""How a resident counts, declared over HTTP by those who may, each in their own name."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.views import follow_views
from services.identity.main import SERVICE
from tests.kit import caught_up, everything

AppOf = Callable[..., Awaitable[App]]


async def test_every_source_speaks_for_itself_and_a_contradiction_is_shown(app_of: AppOf, community: UUID):
    app = await app_of(SERVICE)
    app.supervisor.start("views", lambda: follow_views(app.log, app.wake, app.catalogue, SERVICE.views))

    async def ask(method: str, path: str, role: str, body: Any = None, here: UUID = community) -> httpx.Response:
        principal = Principal(uuid4(), role, frozenset({here}), permissions_of(role))

        def verify(token: str, now: datetime) -> Principal:
            return principal

        app.verifier.verify = verify  # type: ignore[method-assign]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(web(app)), base_url="http://identity") as client:
            return await client.request(method, path, json=body, headers={"authorization": "Bearer x"})

    registered = await ask("POST", "/v1/residents", "staff", {"name": "王安然"})
    path = f"/v1/residents/{registered.json()['id']}"

    async def declares(role: str, kind: str, here: UUID = community) -> tuple[int, str]:
        answer = await ask("POST", f"{path}/population-declarations", role, {"kind": kind}, here)
        return answer.status_code, answer.json().get("source") or answer.json()["code"]

    assert await declares("grid", "floating") == (201, "grid")
    assert await declares("staff", "floating") == await declares("staff", "floating") == (201, "staff")
    pool = await app.database.pool()
    await caught_up(pool, "residents")
    shown = (await ask("GET", path, "grid")).json()
    assert (shown["population"], shown["population_findings"]) == ("floating", [])
    assert await declares("police", "registered") == (201, "police")
    await caught_up(pool, "residents")
    [shown] = (await ask("GET", "/v1/residents", "police")).json()["items"]
    assert shown["population"] == "registered" and shown["population_findings"] == ["sources_contradict"]
    assert shown["population_sources"] == {"grid": "floating", "staff": "floating", "police": "registered"}
    for role in ("resident", "guard", "operator"):
        assert await declares(role, "floating") == (403, "not_permitted")
    assert await declares("staff", "resident") == (422, "invalid")
    assert await declares("staff", "foreign", uuid4()) == (404, "resident_not_found")
    unknown = await ask("POST", f"/v1/residents/{uuid4()}/population-declarations", "staff", {"kind": "foreign"})
    assert unknown.status_code == 404
    assert len([r for r in await everything(pool) if r.type.startswith("population_")]) == 5
