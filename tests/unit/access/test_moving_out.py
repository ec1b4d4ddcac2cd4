"""Who has left the community leaves no card, PIN or face behind; who is back when that is heard keeps what they have."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.contracts.identity import PersonLeft, ResidenceEnded, ResidenceStarted
from libs.eventkit.sealed import Sealed
from services.access.book import DoorBook
from services.access.domain.credentials import CREDENTIALS, CredentialIssued, CredentialRevoked, RevokeCredential
from services.access.domain.rights import RightGranted, RightRevoked
from services.access.moving_out import credentials_of_leavers
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
LEFT = PersonLeft(ANN, NOW)


async def revoked(*events: Struct, community: UUID = HERE) -> list[Any]:
    """What access asks for when it hears that Ann has left, and these things have been said in the community before."""
    book = DoorBook()
    for event in events:
        book._apply(event, recorded(event, HERE, at=NOW))  # type: ignore[arg-type]

    async def ready(pool: object = None, position: int = 0) -> None: ...

    book.ready = ready  # type: ignore[method-assign, assignment]
    app: Any = SimpleNamespace(database=SimpleNamespace(pool=ready))
    react = credentials_of_leavers(app, book).on[PersonLeft]
    return [do.command for do in await react(LEFT, recorded(LEFT, community, source="identity", at=NOW))]


async def test_who_has_left_loses_the_card_the_pin_and_the_face() -> None:
    theirs = [RevokeCredential(c.credential_id, "residence_ended") for c in (CARD, PIN, FACE)]
    assert await revoked(LIVES, CARD, PIN, FACE, BENS, AT_GATE, ENDED) == theirs
    assert await revoked(CARD, PIN, FACE, BENS, ON_DUTY, OFF_DUTY) == theirs, "they were on duty"


async def test_who_is_back_when_it_is_heard_keeps_what_they_have() -> None:
    for back in (AGAIN, ON_DUTY):
        assert await revoked(LIVES, ENDED, back, CARD, FACE) == []


async def test_each_community_by_itself() -> None:
    assert await revoked(LIVES, CARD, ENDED, community=THERE) == []


def test_a_credential_that_ends_with_a_residence_says_so() -> None:
    said = CREDENTIALS.decide[RevokeCredential](RevokeCredential(FACE.credential_id, "residence_ended"), CREDENTIALS.fold([FACE]))
    assert said == [CredentialRevoked(FACE.credential_id, ANN, "face", "residence_ended")]
