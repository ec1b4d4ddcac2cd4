"""Which card a number was that was revoked since: asked of the log once a card, whatever else is revoked meanwhile."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from libs.eventkit.recorded import Catalogue, Recorded
from libs.eventkit.sealed import Sealed
from services.access.domain.admission import KnownCredential
from services.access.domain.credentials import CredentialIssued
from services.access.lately import Lately, revoked_since
from tests.kit import recorded

HERE, ANN, BEN, ONE, TWO, THREE = (UUID(int=n) for n in range(1, 7))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
AT = NOW + timedelta(minutes=5)


class Revoked:
    """Cards of which each has its own id for a number, revoked ten minutes after they were issued."""

    def __init__(self, **cards: UUID) -> None:
        self.lately, self.read = Lately(), list[str]()
        for number, (name, person) in enumerate(cards.items(), 1):
            self.revoke(name, person, number)
        self.app: Any = SimpleNamespace(
            catalogue=Catalogue((CredentialIssued,)), log=SimpleNamespace(stream=self.stream),
            keyring=SimpleNamespace(open_all=self.opened), blind=SimpleNamespace(of=lambda community, scope, value: f"{scope} {value}"))

    def revoke(self, name: str, person: UUID, number: int) -> None:
        card = UUID(int=100 + number)
        row = recorded(CredentialIssued(card, person, "card", Sealed(card, card, name, "x")), HERE, at=NOW)
        self.lately.begins(card, row)
        known = KnownCredential(person, "card", None, ONE)
        self.lately.ends(card, person, known, recorded(CredentialIssued(card, person, "card", Sealed(card, card, name, "x")), HERE,
            at=NOW + timedelta(minutes=10)))

    async def stream(self, stream: str) -> list[Recorded]:
        """While it is read, another card is revoked."""
        self.read.append(stream)
        card = UUID(stream.rpartition(":")[2])
        self.revoke("later", BEN, 50 + len(self.read))
        return [recorded(CredentialIssued(card, ANN, "card", Sealed(card, card, "number", "x")), HERE)]

    async def opened(self, boxes: list[Sealed]) -> list[bytes]:
        return [str(box.key_id.int).encode() for box in boxes]

    async def found(self, number: int, means: str = "card") -> KnownCredential | None:
        return await revoked_since(self.app, self.lately, HERE, means, f"{means} {100 + number}" if number else "", AT)


async def test_each_card_is_asked_of_the_log_once_however_many_reports_are_told_late() -> None:
    place = Revoked(one=ANN, two=BEN)
    for _ in range(3):
        found = await place.found(1)
        assert found is not None and found.person_id == ANN
    assert place.read.count(f"credential:{UUID(int=101)}") == place.read.count(f"credential:{UUID(int=102)}") == 1


async def test_a_report_without_a_number_or_by_other_means_reads_nothing() -> None:
    place = Revoked(one=ANN)
    assert (await place.found(0), await place.found(1, "pin")) == (None, None)
    assert place.read == []


async def test_of_who_is_erased_no_index_is_kept() -> None:
    place = Revoked(one=ANN)
    assert await place.found(1) is not None
    place.lately.forget(HERE, ANN)
    assert await place.found(1) is None and UUID(int=101) not in place.lately._indexes
