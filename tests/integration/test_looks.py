"""Whoever is looked at learns of it: no answer without a record, whenever the process dies, and no look beyond the budget."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec.structs import replace

from libs.eventkit.run import web
from libs.eventkit.service import App
from services.identity import plates
from services.identity.api import residents, vehicles
from services.identity.domain.askers import LIMITS, RETRY
from services.identity.main import SERVICE
from services.identity.publishing import publish
from tests.integration.mortal_desk import POINTS
from tests.integration.office import NUMBER, Office, verifying

STAFF, GRID, POLICE = (f"{role}:{UUID(int=n)}" for n, role in enumerate(("staff", "grid", "police"), 5))


@pytest.fixture
async def office(app_of: Callable[..., Awaitable[App]], community: UUID) -> AsyncIterator[Office]:
    app = await app_of(SERVICE)
    app.verifier.verify = verifying(community)  # type: ignore[method-assign]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(app)), base_url="http://identity") as client:
        found = Office(app, community, client)
        await found.founded()
        yield found


async def looks(office: Office, resident: UUID) -> list[tuple[str, str, tuple[str, ...]]]:
    """As others hear them."""
    rows = await office.said("contact_disclosed", "plate_disclosed")
    told = [public.body for row in rows for public in publish(office.app.catalogue.read(row), row)]
    return [(look.role, look.purpose, look.what) for look in told if look.resident_id == resident]


async def test_a_grid_worker_is_shown_whoever_agrees_and_the_police_say_why(office: Office) -> None:
    ann = await office.resident(number=NUMBER)
    path, look = f"/v1/residents/{ann}/disclosures", {"purpose": "door to door", "id_number": True}
    assert (await office.ask("POST", path, GRID, look, 409))["code"] == "consent_missing"
    assert (await office.ask("POST", path, POLICE, look, 409))["code"] == "legal_basis_missing"
    await office.ask("POST", path, f"guard:{uuid4()}", look, 403)
    assert await looks(office, ann) == []
    await office.ask("PUT", "/v1/me/consents/sharing", f"resident:{ann}", {"given": True})
    shown = await office.ask("POST", path, GRID, look, 201)
    assert (shown["name"], shown["phone"], shown["id_number"]) == ("林一", "13800138000", NUMBER)
    await office.ask("PUT", "/v1/me/consents/sharing", f"resident:{ann}", {"given": False})
    assert (await office.ask("POST", path, GRID, look, 409))["code"] == "consent_missing", "at once"
    await office.ask("POST", path, POLICE, {**look, "id_number": False, "basis": "case 2026-17"}, 201)
    assert await looks(office, ann) == [
        ("grid", "door to door", ("name", "phone", "id_number")), ("police", "door to door", ("name", "phone"))]


async def test_looks_have_a_budget_and_whoever_runs_into_it_is_found(office: Office) -> None:
    ann, most = await office.resident(), LIMITS["look"][0]
    path, look = f"/v1/residents/{ann}/disclosures", {"purpose": "counting"}
    key = {"idempotency-key": "once"}
    for _ in range(2):
        await office.ask("POST", path, STAFF, look, 201, **key)
    for _ in range(most - 1):
        await office.ask("POST", f"/v1/residents/{uuid4()}/disclosures", STAFF, look, 404)
    for _ in range(2):
        refused = await office.client.post(path, json=look, headers={"authorization": f"Bearer {STAFF}"})
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_looks") and int(refused.headers["retry-after"]) > 3500
    await office.ask("POST", path, STAFF, look, 201, **key)
    assert len(await looks(office, ann)) == 1, "a retry is one look"
    await office.ask("POST", path, f"staff:{uuid4()}", look, 201)
    await office.folds()
    found = (await office.ask("GET", "/v1/probing-findings", STAFF))["items"]
    assert [(f["person_id"], f["role"], f["kind"], f["most"]) for f in found] == [(str(UUID(int=5)), "staff", "look", most)]
    await office.ask("GET", "/v1/probing-findings", f"resident:{ann}", status=403)


def a_minute_later(monkeypatch: pytest.MonkeyPatch) -> None:
    for routes in (residents, vehicles):
        context = routes.context  # type: ignore[attr-defined]
        monkeypatch.setattr(routes, "context", lambda *a, of=context: replace(of(*a), now=datetime.now(UTC) + RETRY))


async def test_a_look_is_not_repeated_once_the_consent_is_gone_or_its_minute_is_over(
        office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, car = await office.resident(), uuid4()
    await plates.register(office.app, car, uuid4(), None, "沪A12345", "small", office.asked)
    path, look, sharing = f"/v1/residents/{ann}/disclosures", {"purpose": "door to door"}, "/v1/me/consents/sharing"
    key = {"idempotency-key": "once"}
    await office.ask("PUT", sharing, f"resident:{ann}", {"given": True})
    for _ in range(2):
        await office.ask("POST", path, GRID, look, 201, **key)
        await office.ask("POST", f"/v1/vehicles/{car}/disclosures", STAFF, look, 201, **key)
    await office.ask("PUT", sharing, f"resident:{ann}", {"given": False})
    assert (await office.ask("POST", path, GRID, look, 409, **key))["code"] == "consent_missing"
    await office.ask("PUT", sharing, f"resident:{ann}", {"given": True})
    a_minute_later(monkeypatch)
    for asked, who in ((path, GRID), (f"/v1/vehicles/{car}/disclosures", STAFF)):
        assert (await office.ask("POST", asked, who, look, 409, **key))["code"] == "look_expired"
    assert len(await looks(office, ann)) == len(await office.said("plate_disclosed")) == 1


async def test_an_officer_of_two_communities_has_a_budget_in_each(office: Office) -> None:
    there = Office(office.app, uuid4(), office.client)
    await there.founded()
    look, verify = {"purpose": "missing person", "basis": "case 2026-17"}, office.app.verifier.verify
    for one in (office, there, office):
        office.app.verifier.verify = verifying(one.community)  # type: ignore[method-assign]
        ann = await one.resident()
        await one.ask("POST", f"/v1/residents/{ann}/disclosures", POLICE, look, 201)
    office.app.verifier.verify = verify  # type: ignore[method-assign]
    counted = [row.community_id for row in await office.said("attempt_counted")]
    assert counted == [office.community, there.community, office.community]


async def run(office: Office, point: str, order: str, path: Path, resident: UUID, key: str) -> int:
    settings = office.app.settings
    environment = {
        **os.environ, "DATABASE_URL_IDENTITY": settings.database_url, "LIFANG_SECRETS": str(settings.secrets),
        "LIFANG_TOPIC_PREFIX": settings.topic_prefix}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.mortal_desk", point, order, str(path), str(resident), key, env=environment,
        cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
    return await asyncio.wait_for(process.wait(), 60)


async def killed(office: Office, point: str, order: str, path: Path) -> None:
    """And asked again with the same key: whoever was told anything is on record, once or more often."""
    ann = await office.resident()
    assert await run(office, point, order, path, ann, "k") == -signal.SIGKILL
    answers = path.read_text().splitlines() if path.exists() else []
    assert not answers or await looks(office, ann), "an answer without a record"
    assert await run(office, "lives", order, path, ann, "k") == 0
    assert f"{ann} 13800138000" in path.read_text()
    assert await looks(office, ann) == [("staff", "parcel at the gate", ("name", "phone"))]


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_any_point_nobody_has_an_answer_that_is_not_on_record(office: Office, point: str, tmp_path: Path) -> None:
    await killed(office, point, "recorded first", tmp_path / "answers")


async def test_a_desk_that_answers_first_is_caught(office: Office, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="an answer without a record"):
        await killed(office, POINTS[1], "answers first", tmp_path / "answers")
