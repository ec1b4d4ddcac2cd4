"""One plate, two households, and keys: papers settle it at the first attempt, and nobody is ever told that a plate is taken."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct

from libs.eventkit.commands import Context, Done, KeyReused
from libs.eventkit.decider import Refused
from libs.eventkit.log import Key
from libs.eventkit.service import App
from services.identity import lookups, plates
from services.identity.domain.residences import StartResidence
from services.identity.domain.vehicles import PLATE, VEHICLES, Registered
from services.identity.main import SERVICE

DAY, STAFF, PLATE_NUMBER = date(2024, 9, 1), uuid4(), "沪A12345"


class Houses(Struct):
    app: App
    community: UUID

    @property
    def asked(self) -> Context:
        return Context(community_id=self.community, now=datetime.now(UTC))

    async def household(self) -> tuple[UUID, UUID]:
        """A home and who lives there."""
        home, who, residence = uuid4(), uuid4(), uuid4()
        await self.app.commands.handle(residence, StartResidence(residence, who, home, uuid4(), 1, "owner", DAY, DAY), self.asked)
        return home, who

    async def declares(self, household: tuple[UUID, UUID], car: UUID, key: Key | None = None) -> Done:
        return await plates.register(self.app, car, *household, PLATE_NUMBER, "small", self.asked, key)

    async def verifies(self, car: UUID, key: Key) -> Done:
        return await plates.verify(self.app, car, "driving_licence", STAFF, self.asked, key)

    async def holder(self) -> UUID | None:
        return await lookups.vehicle_of_plate(self.app, self.community, self.app.blind.of(self.community, PLATE, PLATE_NUMBER))

    async def findings(self, car: UUID) -> tuple[str, ...]:
        vehicle, _ = await self.app.commands.state(VEHICLES, car, self.community)
        assert isinstance(vehicle, Registered)
        return vehicle.findings


@pytest.fixture
async def houses(app_of: Callable[..., Awaitable[App]], community: UUID) -> AsyncIterator[Houses]:
    yield Houses(await app_of(SERVICE), community)


async def test_papers_settle_a_dispute_at_the_first_attempt_and_a_retry_is_the_same(houses: Houses) -> None:
    his, hers = uuid4(), uuid4()
    for car in (his, hers):
        await houses.declares(await houses.household(), car)
    key = Key("staff", f"POST /v1/vehicles/{hers}/verification", "k", "one body")
    first = await houses.verifies(hers, key)
    assert (await houses.holder(), await houses.findings(his), await houses.findings(hers)) == (hers, ("plate_declared_twice",), ())
    again = await houses.verifies(hers, key)
    assert (again.replayed, again.outcome) == (True, first.outcome)
    with pytest.raises(KeyReused):
        await houses.verifies(hers, Key(key.principal, key.route, key.key, "another body"))
    with pytest.raises(Refused, match="plate_verified_elsewhere"):
        await houses.verifies(his, Key("staff", f"POST /v1/vehicles/{his}/verification", "k", "one body"))


async def test_whoever_is_a_moment_later_with_a_key_is_not_told_that_the_plate_is_taken(
        houses: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    his, hers, ann, ben, found = uuid4(), uuid4(), await houses.household(), await houses.household(), lookups.vehicle_of_plate

    async def before_ben(*asked: Any) -> UUID | None:
        """Nobody holds it, says the look; then Ben does."""
        monkeypatch.setattr(lookups, "vehicle_of_plate", found)
        await houses.declares(ben, his)
        return None

    monkeypatch.setattr(lookups, "vehicle_of_plate", before_ben)
    key = Key("ann", "POST /v1/vehicles", "k", "body")
    first = await houses.declares(ann, hers, key)
    assert (await houses.holder(), await houses.findings(hers)) == (his, ("plate_declared_twice",))
    again = await houses.declares(ann, hers, key)
    assert (again.replayed, again.outcome) == (True, first.outcome)
