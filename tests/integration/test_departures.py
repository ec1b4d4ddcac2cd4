"""Who has left the community is said once, from real residences and accounts: by whatever process, from the beginning of the log."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import Struct

from libs.eventkit.commands import Context
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.identity.domain import departures
from services.identity.domain.accounts import CloseAccount, OpenAccount
from services.identity.domain.residences import EndResidence, StartResidence
from services.identity.main import SERVICE
from tests.kit import everything, until

DAY = date(2024, 9, 1)
HOME, OTHER, BUILDING = (uuid4() for _ in range(3))


class Village(Struct):
    app: App
    community: UUID

    async def asks(self, subject: UUID, command: Struct) -> UUID:
        await self.app.commands.handle(subject, command, Context(community_id=self.community, now=datetime.now(UTC)))
        return subject

    async def moves_in(self, who: UUID, home: UUID = HOME) -> UUID:
        lives = uuid4()
        return await self.asks(lives, StartResidence(lives, who, home, BUILDING, 1, "tenant", DAY, DAY))

    async def moves_out(self, lives: UUID) -> None:
        await self.asks(lives, EndResidence(lives, DAY, DAY))

    async def begins(self, who: UUID) -> UUID:
        account = uuid4()
        return await self.asks(account, OpenAccount(account, who, "guard", f"{account}"))

    async def said(self, *kinds: str) -> list[Recorded]:
        rows = await everything(await self.app.database.pool())
        return [row for row in rows if row.community_id == self.community and row.type in kinds]

    async def settled(self, number: int) -> list[tuple[str, UUID]]:
        """The first so many departures that were settled, as they were."""

        async def rows() -> list[Recorded] | None:
            found = await self.said("person_left", "person_stayed")
            return found if len(found) >= number else None

        return [(row.type, self.app.catalogue.read(row).person_id) for row in await until(rows)]

    def works(self) -> None:
        self.app.start_worker()
        self.app.supervisor.start("listen", lambda: self.app.wake.listen(self.app.database))


@pytest.fixture
async def village(app_of: Callable[..., Awaitable[App]], community: UUID) -> AsyncIterator[Village]:
    yield Village(await app_of(SERVICE), community)


async def test_who_left_long_ago_has_left_and_who_lives_or_works_here_has_not(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it was said before this version: reaction and timer begin at the beginning of the log."""
    monkeypatch.setattr(departures, "SETTLED_AFTER", timedelta(0))
    ann, ben, eve, dan = (uuid4() for _ in range(4))
    lives, also = await village.moves_in(ann), await village.moves_in(ann, OTHER)
    await village.moves_out(lives)
    bens, duty = await village.moves_in(ben), await village.begins(ben)
    await village.moves_out(bens)
    eves = await village.begins(eve)
    await village.asks(eves, CloseAccount(eves))
    village.works()
    assert await village.settled(1) == [("person_left", eve)]
    await village.moves_out(also)
    await village.asks(duty, CloseAccount(duty))
    assert sorted(await village.settled(3)) == sorted(("person_left", who) for who in (ann, ben, eve))
    again = await village.moves_in(ann)
    await village.moves_out(again)
    dans = await village.moves_in(dan)
    await village.moves_out(dans)
    last = await village.settled(5)
    assert [kind for kind, who in last if who in (ann, dan)] == ["person_left"] * 3, "who comes and goes again leaves again"
    left = (await village.said("person_left"))[0]
    ended = {row.event_id: row.recorded_at for row in await village.said("residence_ended", "account_closed")}
    (noted,) = [row for row in await village.said("departure_noted") if row.event_id in left.meta.caused_by]
    (cause,) = noted.meta.caused_by
    assert village.app.catalogue.read(left).since == ended[cause], "it is told since when, and why"


async def test_who_is_entered_in_the_next_home_in_time_stays(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(departures, "SETTLED_AFTER", timedelta(0))
    ann = uuid4()
    await village.moves_out(await village.moves_in(ann))
    reactor = next(r for r in village.app.reactors if r.reaction.name == "departures")
    (ended,) = await village.said("residence_ended")
    for _ in range(2):
        await reactor.handle(village.app.catalogue.read(ended), ended)
    assert len(await village.said("departure_noted")) == 1, "tried again it is the same"
    await village.moves_in(ann, OTHER)
    village.works()
    assert await village.settled(1) == [("person_stayed", ann)]
