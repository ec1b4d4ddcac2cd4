"""A code at a door: whose it is, whether its pass admits, and that each report uses it once."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid5

import pytest
from msgspec import Struct
from msgspec.structs import replace

from libs.contracts.devices import DeviceReported
from libs.contracts.fields import SealedField
from libs.contracts.identity import ResidenceEnded, ResidenceStarted
from libs.eventkit.db import Unavailable
from libs.eventkit.decider import NotYet
from libs.eventkit.privacy import Erased, Pending, base64url
from services.access.book import DoorBook
from services.access.domain.admission import Fact
from services.access.domain.visitor_passes import PASSES, UsePass, VisitorPassIssued, VisitorPassRevoked
from services.access.known import KnownDoor
from services.access.qr import Code, text_of
from services.access.visitors import Visitors
from tests.kit import PartOfApp, recorded

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
HERE, THERE, HOST, HOME, BUILDING, PASS, DEVICE, DOOR = (UUID(int=n) for n in range(1, 9))
UNTIL = NOW + timedelta(hours=1)
ISSUED = VisitorPassIssued(PASS, "courier", HOME, HOST, NOW, UNTIL, 1, ("community",), (), None, None, "x", "x")
LIVES = ResidenceStarted(HOME, HOST, HOME, BUILDING, 1, "owner", NOW.date())
MOVED = ResidenceEnded(HOME, HOST, HOME, BUILDING, NOW.date())
REVOKED = VisitorPassRevoked(PASS, HOST, "x", "host")
GATE = KnownDoor(HERE, DOOR, "gate", "community", DEVICE, 1, DOOR)
FIELD = SealedField(HOST, DEVICE, "card_number", "box")


class Gate:
    """One gate where the code of one pass is shown; what is known of it, and the uses that were stored."""

    def __init__(self, *events: Struct, uses: Iterable[Any] = (ISSUED,), scanned: Any = None) -> None:
        self.book, self.uses, self.answered = DoorBook(), list(uses), dict[str, tuple[UUID, ...]]()
        for event in events:
            self.book._apply(event, recorded(event, HERE, event_id=uuid5(PASS, type(event).__name__)))  # type: ignore[arg-type]
        app: Any = PartOfApp(
            settings=SimpleNamespace(secret=lambda name: base64url(bytes(range(200, 232))) if name == "visitor-qr-seed" else ""),
            keyring=SimpleNamespace(open=self.opened), commands=SimpleNamespace(handle=self.handle))
        self.visitors = Visitors(app, self.book)
        code = Code(PASS, HERE, NOW, UNTIL, 1, ("community",), ())
        self.scanned = scanned if scanned is not None else text_of(self.visitors.signer.sign(code)).encode()

    async def opened(self, sealed: Any) -> Any:
        assert (sealed.key_id, sealed.box) == (FIELD.key_id, FIELD.box)
        return self.scanned

    async def handle(self, subject_id: UUID, command: UsePass, context: Any, key: Any) -> Any:
        """As the log would: the same key has the same outcome."""
        if key.key not in self.answered:
            events = PASSES.decide[UsePass](command, PASSES.fold(self.uses))
            self.uses += events
            self.answered[key.key] = tuple(uuid5(context.cause or PASS, f"{len(self.uses)} {n}") for n in range(len(events)))
        return SimpleNamespace(outcome=SimpleNamespace(events=self.answered[key.key]))

    async def shows(
        self, report: int = 1, at: datetime = NOW, community: UUID = HERE, field: SealedField | None = FIELD, waits: bool = True,
    ) -> Any:
        event = DeviceReported(
            UUID(int=100 + report), DEVICE, "qr_verified", "5/156", None, 1, 1, True, waits, NOW, 0.0, (), card_number=field)
        row = recorded(event, community, event_id=UUID(int=200 + report), at=NOW)
        return await self.visitors.presented(event, row, replace(GATE, community_id=community), at, "device_reports")


async def test_a_guest_is_admitted_on_the_pass_and_its_use() -> None:
    presented = await Gate(ISSUED, LIVES).shows()
    assert presented.refused == "" and [fact.says for fact in presented.facts] == ["visitor_pass", "use"]


async def test_a_report_told_again_is_admitted_again_and_another_needs_another_use() -> None:
    gate = Gate(ISSUED, LIVES)
    assert [(await gate.shows(report)).refused for report in (1, 1, 2)] == ["", "", "pass_spent"]


async def test_a_refusal_says_why_and_on_what_it_rests() -> None:
    gate = Gate(ISSUED, LIVES, REVOKED, uses=(ISSUED, REVOKED))
    presented = await gate.shows()
    assert (presented.refused, [fact.says for fact in presented.facts]) == ("pass_revoked", ["visitor_pass", "revoked"])
    assert (await Gate(uses=()).shows()).refused == "pass_unknown"


async def test_with_the_host_go_the_guests_before_anybody_has_revoked_their_passes() -> None:
    gate = Gate(ISSUED, LIVES, MOVED)
    presented = await gate.shows()
    assert (presented.refused, gate.uses) == ("pass_revoked", [ISSUED])
    assert presented.facts == (Fact(uuid5(PASS, "VisitorPassIssued"), "visitor_pass"),)


async def test_whom_a_reader_let_in_while_the_host_lived_there_had_the_right_to_come_in() -> None:
    gate = Gate(ISSUED, LIVES)
    gate.book._apply(MOVED, recorded(MOVED, HERE, at=NOW + timedelta(minutes=20)))
    assert (await gate.shows(waits=True)).refused == "pass_revoked", "nothing opens now"
    assert (await gate.shows(2, waits=False)).refused == ""
    assert (await gate.shows(3, NOW + timedelta(minutes=20), waits=False)).refused == "pass_revoked"


@pytest.mark.parametrize(("changed", "code"), [
    ({"at": UNTIL}, "pass_expired"), ({"at": NOW - timedelta(seconds=1)}, "pass_not_yet_valid"),
    ({"community": THERE}, "qr_of_another_community"), ({"field": None}, "qr_malformed")])
async def test_a_code_that_is_not_good_here_and_now_uses_nothing(changed: Any, code: str) -> None:
    gate = Gate(ISSUED, LIVES)
    assert ((await gate.shows(**changed)).refused, gate.uses) == (code, [ISSUED])


async def test_what_was_scanned_is_waited_for_and_once_erased_is_nobodys() -> None:
    gate = Gate(ISSUED, LIVES, scanned=Pending())
    with pytest.raises(NotYet):
        await gate.shows()
    gate.visitors.app.keys_heard = asyncio.Event()
    with pytest.raises(Unavailable):  # nothing is put aside while the keys are read that came before this process
        await gate.shows()
    gate.visitors.app.keys_heard.set()
    with pytest.raises(NotYet):
        await gate.shows()
    for scanned in (Erased(), b"\xff", "欢迎".encode()):
        assert (await Gate(ISSUED, LIVES, scanned=scanned).shows()).refused == "qr_malformed"


async def test_nobody_is_judged_where_something_said_cannot_be_read() -> None:
    gate = Gate(ISSUED, LIVES)
    gate.book.memory.unreadable.add(HERE)
    with pytest.raises(NotYet):
        await gate.shows()
