"""Who lives where, at the real routes: a residence is a fact, so it begins and ends today or before, and never on a day to come."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from uuid import UUID

import pytest

from libs.eventkit.service import App
from services.identity import lookups
from services.identity.main import SERVICE
from tests.integration.office import HOME, Office, office_with_a_home

STAFF = "staff"
DAY = timedelta(days=1)


@pytest.fixture
async def office(app_of: Callable[..., Awaitable[App]], community: UUID) -> AsyncIterator[Office]:
    async with office_with_a_home(await app_of(SERVICE), community) as found:
        yield found


async def residences(office: Office, who: UUID) -> list[tuple[str, str | None]]:
    await office.folds()
    found = await office.ask("GET", f"/v1/residences?resident_id={who}", STAFF)
    return [(one["since"], one["until"]) for one in found["items"]]


async def test_a_lease_that_is_to_begin_opens_nothing_before_its_day(office: Office) -> None:
    ann, today = await office.resident(), await lookups.today(office.app, office.community)
    path, lease = f"/v1/residents/{ann}/residences", {"home_id": str(HOME), "role": "tenant"}
    refused = await office.ask("POST", path, STAFF, {**lease, "since": f"{today + 60 * DAY}"}, 409)
    assert (refused["code"], refused["today"]) == ("not_yet", f"{today}")
    for since in (date(1, 1, 1), date(1899, 12, 31)):
        await office.ask("POST", path, STAFF, {**lease, "since": f"{since}"}, 422)
    assert await residences(office, ann) == []
    await office.ask("POST", path, STAFF, {**lease, "since": f"{today}"}, 201)
    assert await residences(office, ann) == [(f"{today}", None)]


async def test_a_notice_to_quit_ends_nothing_before_its_day(office: Office) -> None:
    ann, today = await office.resident(), await lookups.today(office.app, office.community)
    lease = {"home_id": str(HOME), "role": "tenant", "since": f"{today - DAY}"}
    lives = (await office.ask("POST", f"/v1/residents/{ann}/residences", STAFF, lease, 201))["id"]
    refused = await office.ask("POST", f"/v1/residences/{lives}/end", STAFF, {"until": f"{today + 90 * DAY}"}, 409)
    assert refused["code"] == "not_yet" and await residences(office, ann) == [(f"{today - DAY}", None)]
    await office.ask("POST", f"/v1/residences/{lives}/end", STAFF, {})
    assert await residences(office, ann) == [(f"{today - DAY}", f"{today}")]
