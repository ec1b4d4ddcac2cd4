"""A key makes one thing for a week; used again when its outcome is forgotten it gives nobody what it had made for somebody else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from libs.eventkit.service import App
from services.identity.main import SERVICE
from tests.integration.office import HOME, Office, office_with_a_home

MADE: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = [
    ("staff", "/v1/residents", {"name": "张三"}, {"name": "李四"}, "resident_already_registered"),
    ("operator", "/v1/accounts", {"role": "guard", "phone": "13800138000"}, {"role": "guard", "phone": "13900139000"},
     "account_already_opened"),
    ("staff", "/v1/vehicles", {"plate": "沪A12345"}, {"plate": "沪B54321"}, "vehicle_already_registered"),
]


@pytest.fixture
async def office(app_of: Callable[..., Awaitable[App]], community: UUID) -> AsyncIterator[Office]:
    async with office_with_a_home(await app_of(SERVICE), community) as found:
        yield found


@pytest.mark.parametrize(("who", "path", "first", "other", "code"), MADE)
async def test_an_old_key_makes_nothing_and_gives_nobody_elses_id(
        office: Office, who: str, path: str, first: dict[str, Any], other: dict[str, Any], code: str) -> None:
    car = {"home_id": str(HOME), "vehicle_class": "small"} if "plate" in first else {}
    key = {"idempotency-key": "row-1"}
    made = [await office.ask("POST", path, who, first | car, 201, **key) for _ in range(2)]
    assert made[0]["id"] == made[1]["id"], "a retry is one"
    assert (await office.ask("POST", path, who, other | car, 422, **key))["code"] == "idempotency_key_reused"
    await (await office.app.database.pool()).execute("delete from outcomes where community_id = $1", office.community)
    for _ in range(2):
        assert (await office.ask("POST", path, who, other | car, 409, **key))["code"] == code
