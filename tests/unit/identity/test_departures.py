"""Who has left the community: noted with the last home or duty, settled ten minutes later, once; who begins another one stays."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct

from libs.eventkit.timers import Due
from services.identity import departing
from services.identity.domain.accounts import AccountClosed, AccountOpened
from services.identity.domain.departures import (
    DEPARTURES,
    SETTLED_AFTER,
    DepartureNoted,
    NoteDeparture,
    PersonLeft,
    PersonStayed,
    SettleDeparture,
    due,
)
from services.identity.domain.residences import ResidenceEnded, ResidenceStarted
from tests.kit import recorded

HERE, THERE, ANN, BEN, FLAT, HOUSE, ONE, TWO, DESK, SUBJECT = (UUID(int=n) for n in range(1, 11))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
LATER = NOW + timedelta(minutes=4)
LIVES, ALSO, BENS = (ResidenceStarted(i, who, FLAT, HOUSE, 1, "tenant", NOW.date()) for i, who in ((ONE, ANN), (TWO, ANN), (DESK, BEN)))
ENDED, ALSO_ENDED = (ResidenceEnded(i, ANN, FLAT, HOUSE, date(2026, 3, 1)) for i in (ONE, TWO))
NOTED, LEFT, STAYED = DepartureNoted(ANN, NOW), PersonLeft(ANN, NOW), PersonStayed(ANN)
NOTE = NoteDeparture(ANN, NOW)


def opened(role: str) -> AccountOpened:
    return AccountOpened(DESK, ANN, role)


def closed(role: str) -> AccountClosed:
    return AccountClosed(DESK, ANN, role)


class Fake:
    """An app that does what its fields do."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class Place:
    """What identity does when these things have been said in the community."""

    def __init__(self, *events: Struct) -> None:
        self.given, self.asked_up_to = list[Any](), 0
        self.app: Any = Fake(commands=Fake(handle=self.handle), log=Fake(last=self.last))
        self.belonging = departing.belonging_of(self.app)
        self.belonging.memory.fresh = self.fresh  # type: ignore[method-assign]
        for event in events:
            self.belonging._apply(event, recorded(event, HERE, at=NOW))  # type: ignore[arg-type]

    async def fresh(self, position: int = 0) -> None:
        self.asked_up_to = position

    async def last(self) -> int:
        return 77

    async def handle(self, subject_id: UUID, command: Any, context: Any) -> None:
        self.given.append(command)

    async def noted(self, event: Struct, community: UUID = HERE) -> list[tuple[UUID, Any]]:
        found = await departing.departures(self.app).on[type(event)](event, recorded(event, community, position=5, at=NOW))
        return [(do.subject_id, do.command) for do in found]

    async def settled(self) -> list[Any]:
        await departing.departing(self.app).fire(Due(HERE, SUBJECT, DEPARTURES.fold([NOTED]), NOW + SETTLED_AFTER, ONE))
        assert self.asked_up_to == 77, "a home that was entered a moment ago counts"
        return self.given


async def test_with_the_last_home_or_the_last_duty_a_departure_begins() -> None:
    assert [command for _, command in await Place(LIVES, ENDED).noted(ENDED)] == [NOTE]
    for role in ("staff", "guard"):
        assert [command for _, command in await Place(opened(role), closed(role)).noted(closed(role))] == [NOTE]
    both = await Place(LIVES, ALSO, ENDED, ALSO_ENDED).noted(ENDED), await Place(LIVES, ALSO, ENDED, ALSO_ENDED).noted(ALSO_ENDED)
    assert both[0] == both[1], "of two homes that were left at once it is one"


async def test_who_lives_in_another_home_or_is_on_duty_does_not_leave() -> None:
    for keeps in (ALSO, opened("staff"), opened("guard")):
        place = Place(LIVES, keeps, ENDED)
        assert await place.noted(ENDED) == []
        assert await place.settled() == [SettleDeparture(True)], "known only after the end was noted"
    assert await Place(LIVES, opened("guard"), closed("guard")).noted(closed("guard")) == []


@pytest.mark.parametrize("role", ["resident", "grid", "police", "operator"])
async def test_an_account_that_opens_no_door_is_no_duty(role: str) -> None:
    assert await Place(opened(role), closed(role)).noted(closed(role)) == []
    place = Place(LIVES, opened(role), ENDED)
    assert [command for _, command in await place.noted(ENDED)] == [NOTE]
    assert await place.settled() == [SettleDeparture(False)]


async def test_each_community_and_each_person_by_itself() -> None:
    (here, _), = await Place(LIVES, BENS, ENDED).noted(ENDED)
    (there, _), = await Place(LIVES, ALSO, BENS).noted(ENDED, THERE)
    assert here != there, "somebody may be known in two communities"


def decided(command: Any, *events: Any) -> list[Any]:
    return DEPARTURES.decide[type(command)](command, DEPARTURES.fold(events))


def test_a_departure_is_noted_and_settled_once_and_again_when_they_come_and_go_again() -> None:
    again = NoteDeparture(ANN, LATER)
    assert (decided(NOTE), decided(NOTE, NOTED), decided(again, NOTED)) == ([NOTED], [], [DepartureNoted(ANN, LATER)])
    assert decided(again, NOTED, LEFT) == decided(again, NOTED, STAYED) == [DepartureNoted(ANN, LATER)]
    assert decided(NOTE, DepartureNoted(ANN, LATER)) == [], "heard in another order it stays the later one"
    for belongs, said in ((False, LEFT), (True, STAYED)):
        settle = SettleDeparture(belongs)
        assert (decided(settle), decided(settle, NOTED), decided(settle, NOTED, said)) == ([], [said], [])


def test_it_is_due_ten_minutes_after_the_last_end_and_then_no_more() -> None:
    after = [due(DEPARTURES.fold(log)) for log in ((), (NOTED,), (NOTED, DepartureNoted(ANN, LATER)), (NOTED, LEFT), (NOTED, STAYED))]
    assert after == [None, NOW + timedelta(minutes=10), LATER + timedelta(minutes=10), None, None]
