"""Who moves out of the community leaves no card, PIN or face behind; who moves within it, or works there, keeps them."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.contracts.identity import ResidenceEnded, ResidenceStarted
from libs.eventkit.sealed import Sealed
from libs.eventkit.timers import Due
from services.access.book import DoorBook
from services.access.domain.credentials import CREDENTIALS, CredentialIssued, CredentialRevoked, RevokeCredential
from services.access.domain.move_outs import MOVE_OUTS, SETTLED_AFTER, MoveOutNoted, MoveOutSettled, NoteMoveOut, SettleMoveOut, due
from services.access.domain.rights import RightGranted, RightRevoked
from services.access.moving_out import moving_out, residences_ended
from tests.kit import recorded

HERE, THERE, ANN, BEN, HOME, OTHER, BUILDING, LIVING, NEXT = (UUID(int=n) for n in range(1, 10))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
BOX = Sealed(ANN, BEN, "number", "x")
CARD, PIN, FACE = (CredentialIssued(UUID(int=n), ANN, kind, BOX) for n, kind in ((20, "card"), (21, "pin"), (22, "face")))
BENS = CredentialIssued(UUID(int=23), BEN, "face", BOX)
LIVES = ResidenceStarted(LIVING, ANN, HOME, BUILDING, 1, "tenant", NOW.date())
ENDED = ResidenceEnded(LIVING, ANN, HOME, BUILDING, NOW.date())
AGAIN = ResidenceStarted(NEXT, ANN, OTHER, BUILDING, 1, "tenant", NOW.date())
ON_DUTY = RightGranted(UUID(int=30), ANN, "everywhere", "duty")
OFF_DUTY = RightRevoked(UUID(int=30), ANN, "everywhere", "duty")
AT_GATE = RightGranted(UUID(int=31), ANN, "community", "residence")
NOTED = MoveOutNoted(LIVING, ANN, NOW)


class Place:
    """What access does when these things have been said in the community."""

    def __init__(self, *events: Struct) -> None:
        self.book, self.given = DoorBook(), list[Any]()
        for event in events:
            self.book._apply(event, recorded(event, HERE, at=NOW))  # type: ignore[arg-type]
        self.book.ready = self.ready  # type: ignore[method-assign, assignment]
        self.app: Any = SimpleNamespace(
            database=SimpleNamespace(pool=self.ready), commands=SimpleNamespace(handle=self.handle))

    async def ready(self, pool: object = None, position: int = 0) -> None: ...

    async def handle(self, subject_id: UUID, command: Any, context: Any) -> None:
        self.given.append(command)

    async def noted(self, community: UUID = HERE) -> list[Any]:
        react = residences_ended(self.app, self.book).on[ResidenceEnded]
        return [do.command for do in await react(ENDED, recorded(ENDED, community, source="identity", at=NOW))]

    async def settled(self) -> list[Any]:
        await moving_out(self.app, self.book).fire(Due(HERE, LIVING, MOVE_OUTS.fold([NOTED]), NOW + SETTLED_AFTER, LIVING))
        return self.given


async def test_with_the_last_residence_end_the_card_the_pin_and_the_face() -> None:
    place = Place(LIVES, CARD, PIN, FACE, BENS, AT_GATE, ENDED)
    assert await place.noted() == [NoteMoveOut(LIVING, ANN, NOW)]
    assert await place.settled() == [
        *(RevokeCredential(c.credential_id, "residence_ended") for c in (CARD, PIN, FACE)), SettleMoveOut(LIVING, True)]


async def test_who_lives_in_another_home_of_the_community_or_is_on_duty_there_keeps_them() -> None:
    for keeps in (AGAIN, ON_DUTY):
        place = Place(LIVES, CARD, FACE, keeps, ENDED)
        assert await place.noted() == []
        assert await place.settled() == [SettleMoveOut(LIVING, False)], "known only after the end was noted"
    assert await Place(LIVES, CARD, ON_DUTY, OFF_DUTY, ENDED).noted() == [NoteMoveOut(LIVING, ANN, NOW)]
    assert await Place(LIVES, AGAIN, ON_DUTY).noted(THERE) == [NoteMoveOut(LIVING, ANN, NOW)], "each community by itself"


def test_a_move_out_is_noted_once_and_settled_once_when_the_next_home_has_had_time_to_be_entered() -> None:
    note, settle = NoteMoveOut(LIVING, ANN, NOW), SettleMoveOut(LIVING, True)

    def decided(command: Any, *events: Any) -> list[Any]:
        return MOVE_OUTS.decide[type(command)](command, MOVE_OUTS.fold(events))

    settled = MoveOutSettled(LIVING, ANN, True)
    assert (decided(note), decided(note, NOTED), decided(note, NOTED, settled)) == ([NOTED], [], [])
    assert (decided(settle), decided(settle, NOTED), decided(settle, NOTED, settled)) == ([], [settled], [])
    assert [due(MOVE_OUTS.fold(log)) for log in ((), (NOTED,), (NOTED, settled))] == [None, NOW + SETTLED_AFTER, None]


def test_a_credential_that_ends_with_a_residence_says_so() -> None:
    said = CREDENTIALS.decide[RevokeCredential](RevokeCredential(FACE.credential_id, "residence_ended"), CREDENTIALS.fold([FACE]))
    assert said == [CredentialRevoked(FACE.credential_id, ANN, "face", "residence_ended")]
