"""Consents through the real routes: said by whoever they are of, for a child by a guardian, seen by staff and given by nobody else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from libs.eventkit.run import web
from libs.eventkit.service import App
from services.identity.main import SERVICE
from tests.integration.office import NUMBER, Office, number_of, verifying
from tests.kit import everything

STAFF = f"staff:{UUID(int=5)}"
TODAY = datetime.now(UTC).date()
BORN = date(TODAY.year - 9, 6, 15)


@pytest.fixture
async def office(app_of: Callable[..., Awaitable[App]], community: UUID) -> AsyncIterator[Office]:
    app = await app_of(SERVICE)
    app.verifier.verify = verifying(community)  # type: ignore[method-assign]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(app)), base_url="http://identity") as client:
        found = Office(app, community, client)
        await found.founded()
        yield found


async def test_a_resident_gives_and_withdraws_and_reads_what_was_said(office: Office) -> None:
    ann = await office.resident(number=NUMBER)
    me = f"resident:{ann}"
    for given in (True, True, False):
        answer = await office.ask("PUT", "/v1/me/consents/face", me, {"given": given})
        assert (answer["given"], "follows" in answer) == (given, not given)
    await office.ask("PUT", "/v1/me/consents/notices", me, {"given": True})
    await office.folds()
    items = (await office.ask("GET", "/v1/me/consents", me))["items"]
    assert [(i["purpose"], i["of"], i["given"], [h["given"] for h in i["history"]]) for i in items] == [
        ("face", "self", False, [True, False]), ("sharing", "self", False, []), ("notices", "self", True, [True])]
    listed = (await office.ask("GET", "/v1/consents?purpose=notices", STAFF))["items"]
    assert [(i["resident_id"], i["name"], i["given"]) for i in listed] == [(str(ann), "林*", True)]
    first = await office.ask("GET", f"/v1/consents?resident_id={ann}&limit=1", STAFF)
    second = await office.ask("GET", f"/v1/consents?resident_id={ann}&limit=1&cursor={first['next']}", STAFF)
    assert [i["purpose"] for page in (first, second) for i in page["items"]] == ["face", "notices"] and second["next"] is None


async def test_nobody_else_says_it_for_them(office: Office) -> None:
    ann, ben = await office.resident(), await office.resident("周三")
    for role in ("staff", "guard", "grid", "police", "operator"):
        await office.ask("PUT", "/v1/me/consents/face", f"{role}:{uuid4()}", {"given": True}, 403)
    await office.ask("PUT", "/v1/me/consents/health", f"resident:{ann}", {"given": True}, 422)
    for other in (ben, uuid4()):
        body = {"given": True, "for": str(other)}
        assert (await office.ask("PUT", "/v1/me/consents/face", f"resident:{ann}", body, 404))["code"] == "resident_not_found"
    assert await office.said("consent_given") == []


async def test_whoever_guesses_for_whom_they_may_speak_is_stopped_and_found(office: Office) -> None:
    ann, ben = await office.resident(), await office.resident("周三")
    body = {"given": True, "for": str(ben)}
    for n in range(20):
        await office.ask("PUT", "/v1/me/consents/face", f"resident:{ann}", body if n % 2 else {**body, "for": str(uuid4())}, 404)
    for _ in range(2):
        assert (await office.ask("PUT", "/v1/me/consents/face", f"resident:{ann}", body, 429))["code"] == "too_many_misses"
    assert len(await office.said("probing_found")) == 1
    await office.ask("PUT", "/v1/me/consents/face", f"resident:{ann}", {"given": True})


async def test_for_a_child_the_guardian_speaks_whom_staff_have_declared(office: Office) -> None:
    ann, child = await office.resident(number=NUMBER), await office.resident("林小二", number=number_of(BORN))
    mine, theirs = f"resident:{ann}", f"resident:{child}"
    assert (await office.ask("PUT", "/v1/me/consents/face", theirs, {"given": True}, 409))["code"] == "guardian_needed"
    await office.ask("PUT", "/v1/me/consents/face", mine, {"given": True, "for": str(child)}, 404)
    assert (await office.ask("PUT", f"/v1/residents/{ann}/guardians/{child}", STAFF, status=409))["code"] == "no_guardian"
    await office.ask("PUT", f"/v1/residents/{child}/guardians/{ann}", mine, status=403)
    await office.ask("PUT", f"/v1/residents/{child}/guardians/{ann}", STAFF)
    await office.ask("PUT", "/v1/me/consents/face", mine, {"given": True, "for": str(child)})
    await office.folds()
    items = (await office.ask("GET", "/v1/me/consents", mine))["items"]
    assert [(i["of"], i["given"]) for i in items if i["resident_id"] == str(child)] == [("ward", True), ("ward", False), ("ward", False)]
    assert [h["by"] for i in items if i["given"] for h in i["history"]] == ["guardian"]
    await office.ask("PUT", "/v1/me/consents/face", theirs, {"given": False})
    await office.ask("DELETE", f"/v1/residents/{child}/guardians/{ann}", STAFF, status=204)
    await office.ask("PUT", "/v1/me/consents/face", mine, {"given": True, "for": str(child)}, 404)


async def test_at_fourteen_they_speak_for_themselves(office: Office) -> None:
    birthday = TODAY + timedelta(days=2) if (TODAY.month, TODAY.day) < (2, 20) else TODAY - timedelta(days=40)
    older, ann = await office.resident(number=number_of(birthday.replace(year=TODAY.year - 15))), await office.resident(number=NUMBER)
    assert (await office.ask("PUT", f"/v1/residents/{older}/guardians/{ann}", STAFF, status=409))["code"] == "no_guardian_needed"
    await office.ask("PUT", "/v1/me/consents/face", f"resident:{older}", {"given": True})


async def test_a_guardian_of_somebody_who_is_fourteen_reads_nothing_of_them_any_more(office: Office) -> None:
    ann, child = await office.resident(number=NUMBER), await office.resident("林小二")
    await office.ask("PUT", f"/v1/residents/{child}/guardians/{ann}", STAFF)
    for years, wards in ((13, {str(child)}), (15, set())):
        number = number_of(date(TODAY.year - years, 1, 1))
        await office.ask("PUT", f"/v1/residents/{child}/id-number", STAFF, {"number": number})
        await office.folds()
        items = (await office.ask("GET", "/v1/me/consents", f"resident:{ann}"))["items"]
        assert {item["resident_id"] for item in items if item["of"] == "ward"} == wards


async def test_no_event_says_how_old_anybody_is(office: Office) -> None:
    ann, child = await office.resident(number=NUMBER), await office.resident("林小二", number=number_of(BORN))
    await office.ask("PUT", f"/v1/residents/{child}/guardians/{ann}", STAFF)
    await office.ask("PUT", "/v1/me/consents/face", f"resident:{ann}", {"given": True, "for": str(child)})
    await office.ask("PUT", "/v1/me/consents/face", f"resident:{child}", {"given": True}, 409)
    await office.folds()
    pool = await office.app.database.pool()
    resting = [row.data for row in await everything(pool)] + [row[0] for row in await pool.fetch("select outcome::text from outcomes")]
    resting += [row[0] for row in await pool.fetch("select t::text from consents t union all select t::text from guardians t")]
    for told in (f"{BORN:%Y%m%d}", f"{BORN:%Y-%m-%d}", f"{BORN:%Y-%m}", "under_14", number_of(BORN)):
        assert not any(told in text for text in resting), told
