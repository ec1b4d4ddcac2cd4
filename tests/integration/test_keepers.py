"""With its keeper's residence in the home a vehicle ends: once, whatever is tried again, and whoever was faster."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import Struct

from libs.eventkit.commands import Context
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.identity import plates
from services.identity.domain.residences import EndResidence, StartResidence
from services.identity.domain.vehicles import VEHICLES, ConfirmKeeper
from services.identity.main import SERVICE
from tests.kit import everything

SINCE = date(2024, 9, 1)
HOME, OTHER, BUILDING = (uuid4() for _ in range(3))


class Village(Struct):
    app: App
    community: UUID
    seen: int = 0

    @property
    def asked(self) -> Context:
        return Context(community_id=self.community, now=datetime.now(UTC))

    async def moves_in(self, resident: UUID, home: UUID = HOME) -> UUID:
        residence = uuid4()
        start = StartResidence(residence, resident, home, BUILDING, 1, "owner", SINCE, SINCE)
        await self.app.commands.handle(residence, start, self.asked)
        return residence

    async def moves_out(self, residence: UUID) -> None:
        day = SINCE + timedelta(days=1)
        await self.app.commands.handle(residence, EndResidence(residence, day, day), self.asked)

    async def car(self, resident: UUID, text: str, home: UUID = HOME) -> UUID:
        car = uuid4()
        await plates.register(self.app, car, home, resident, text, "small", self.asked)
        return car

    async def reacts(self) -> None:
        """To what has come since, and again as after a crash."""
        reactor = next(r for r in self.app.reactors if r.reaction.name == "vehicles_of_residents")
        rows = [r for r in await everything(await self.app.database.pool()) if r.position > self.seen]
        self.seen = rows[-1].position
        for _ in range(2):
            for row in rows:
                event = self.app.catalogue.read(row)
                if type(event) in reactor.reaction.on:
                    await reactor.handle(event, row)

    async def removals(self) -> list[Recorded]:
        return [r for r in await everything(await self.app.database.pool()) if r.type == "vehicle_removed"]

    async def moved_out(self) -> list[UUID]:
        return [r.event_id for r in await everything(await self.app.database.pool()) if r.type == "residence_ended"]


@pytest.fixture
async def village(app_of, community: UUID) -> AsyncIterator[Village]:
    yield Village(await app_of(SERVICE), community)


async def test_a_vehicle_is_removed_once_with_the_residence_as_its_cause_and_others_stay(village: Village):
    ann, ben = uuid4(), uuid4()
    lives, _, _ = await village.moves_in(ann), await village.moves_in(ben), await village.moves_in(ann, OTHER)
    hers = await village.car(ann, "沪A00001")
    await village.car(ben, "沪A00002")
    await village.car(ann, "沪A00003", OTHER)
    await village.moves_out(lives)
    await village.reacts()
    removed = await village.removals()
    assert [(r.stream, r.meta.caused_by) for r in removed] == [(f"vehicle:{hers}", tuple(await village.moved_out()))]
    again = await village.car(ben, "沪A00001")
    state, _ = await village.app.commands.state(VEHICLES, again, village.community)
    assert state.findings == (), "the plate was given up"


async def test_who_has_moved_in_again_keeps_the_vehicle(village: Village):
    ann = uuid4()
    lives = await village.moves_in(ann)
    await village.car(ann, "沪A00001")
    await village.moves_out(lives)
    lives = await village.moves_in(ann)
    await village.reacts()
    assert await village.removals() == []
    await village.moves_out(lives)
    await village.reacts()
    assert [r.meta.caused_by for r in await village.removals()] == [((await village.moved_out())[-1],)]


async def test_a_vehicle_of_another_keeper_by_now_stays(village: Village):
    ann, ben = uuid4(), uuid4()
    lives, _ = await village.moves_in(ann), await village.moves_in(ben)
    car = await village.car(ann, "沪A00001")
    await village.moves_out(lives)
    await village.app.commands.handle(car, ConfirmKeeper(car, ben, True), village.asked)
    await village.reacts()
    assert await village.removals() == []


async def test_a_vehicle_declared_in_the_moment_of_moving_out_goes_too(village: Village):
    """Decided while the keeper lived there, stored after the end."""
    ann, ben = uuid4(), uuid4()
    lives, stays = await village.moves_in(ann), await village.moves_in(ben)
    assert stays
    car = await village.car(ben, "沪A00001")
    await village.moves_out(lives)
    await village.reacts()
    await village.app.commands.handle(car, ConfirmKeeper(car, ann, lives_there=True), village.asked)
    await village.reacts()
    removed = await village.removals()
    assert [r.stream for r in removed] == [f"vehicle:{car}"]
    assert (await village.moved_out())[0] in removed[0].meta.caused_by
