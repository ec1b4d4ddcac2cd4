"""A use is stored before it is judged: once per report, however often it is tried, and once per use, however many ask."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import Struct
from msgspec.structs import asdict

from libs.contracts.devices import DeviceReported
from libs.contracts.fields import SealedField
from libs.contracts.identity import ResidenceEnded, ResidenceStarted
from libs.eventkit.commands import Context
from libs.eventkit.decider import NotYet
from libs.eventkit.privacy import seal
from libs.eventkit.service import App
from services.access.book import DoorBook, KnownDoor
from services.access.domain.visitor_passes import PASSES, IssuePass, RevokePass, VisitorPassIssued
from services.access.main import SERVICE
from services.access.qr import Code, text_of
from services.access.visitors import Visitors
from tests.kit import recorded

NOW = datetime.now(UTC).replace(microsecond=0)
HOST, HOME, BUILDING, PASS, DEVICE = (uuid4() for _ in range(5))
ROUTE = "device_reports"


class Gate(Struct):
    """One gate, one pass for one use, one host at home."""

    app: App
    visitors: Visitors
    book: DoorBook
    community: UUID
    text: str

    def learn(self, event: Struct) -> None:
        self.book._apply(event, recorded(event, self.community))  # type: ignore[arg-type]

    async def report(self, text: str) -> DeviceReported:
        key, report_id = await self.app.keyring.key_for(self.community, "device:x", "credential"), uuid4()
        box = seal(key.dek, key.key_id, report_id, "card_number", text)
        return DeviceReported(
            report_id, DEVICE, "qr_verified", "5/156", None, 1, 1, True, True, NOW, 0.0, (),
            SealedField(box.key_id, box.event_id, box.slot, box.box))

    async def shows(self, event: DeviceReported, event_id: UUID | None = None) -> str:
        row = recorded(event, self.community, event_id=event_id, at=NOW)
        door = KnownDoor(self.community, BUILDING, "gate", "community", DEVICE, 1, uuid4())
        return (await self.visitors.presented(event, row, door, NOW, ROUTE)).refused


@pytest.fixture
async def gate(app_of, community: UUID) -> Gate:
    app, book = await app_of(SERVICE), DoorBook()
    visitors, until = Visitors(app, book), NOW + timedelta(hours=1)
    issue = IssuePass(
        pass_id=PASS, kind="courier", home_id=HOME, host_id=HOST, lives_there=True, valid_from=NOW, valid_until=until, uses=1,
        zones=("community",), floors=(), now=NOW)
    await app.commands.handle(PASS, issue, Context(community_id=community, now=NOW))
    text = text_of(visitors.signer.sign(Code(PASS, community, NOW, until, 1, ("community",), ())))
    made = Gate(app, visitors, book, community, text)
    fields = {k: v for k, v in asdict(issue).items() if k in VisitorPassIssued.__struct_fields__}
    made.learn(VisitorPassIssued(**fields, rule="x", reason="x"))
    made.learn(ResidenceStarted(HOME, HOST, HOME, BUILDING, 1, "owner", NOW.date()))
    return made


async def test_a_report_tried_again_after_a_crash_is_judged_the_same_and_another_is_refused(gate: Gate):
    first, again = await gate.report(gate.text), await gate.report(gate.text)
    heard, other = uuid4(), uuid4()
    assert [await gate.shows(first, heard) for _ in range(3)] == ["", "", ""]
    assert [await gate.shows(again, other) for _ in range(2)] == ["pass_spent", "pass_spent"]
    assert await gate.shows(first, heard) == ""
    state, _ = await gate.app.commands.state(PASSES, PASS, gate.community)
    assert state.used == ("community",) and len(state.reports) == 1


async def test_of_many_reports_at_once_one_has_the_use(gate: Gate):
    events = [await gate.report(gate.text) for _ in range(20)]
    answers = await asyncio.gather(*(gate.shows(e) for e in events))
    assert sorted(answers) == ["", *["pass_spent"] * 19]


async def test_a_pass_revoked_or_of_a_host_who_has_moved_admits_nobody(gate: Gate):
    gate.learn(ResidenceEnded(HOME, HOST, HOME, BUILDING, NOW.date()))
    assert await gate.shows(await gate.report(gate.text)) == "pass_revoked"
    gate.learn(ResidenceStarted(HOME, HOST, HOME, BUILDING, 1, "owner", NOW.date()))
    await gate.app.commands.handle(PASS, RevokePass(PASS, "host"), Context(community_id=gate.community, now=NOW))
    assert await gate.shows(await gate.report(gate.text)) == "pass_revoked"


async def test_a_code_of_a_pass_that_nobody_issued_and_what_is_no_code_are_refused(gate: Gate):
    unknown = Code(uuid4(), gate.community, NOW, NOW + timedelta(hours=1), 1, ("community",), ())
    assert await gate.shows(await gate.report(text_of(gate.visitors.signer.sign(unknown)))) == "pass_unknown"
    assert await gate.shows(await gate.report("欢迎")) == "qr_malformed"


async def test_nothing_is_judged_before_the_key_has_come_or_where_something_cannot_be_read(gate: Gate):
    event = await gate.report(gate.text)
    field = event.card_number
    assert field is not None
    late = DeviceReported(**asdict(event) | {"card_number": SealedField(uuid4(), field.event_id, field.slot, field.box)})
    with pytest.raises(NotYet):
        await gate.shows(late)
    gate.book.memory.unreadable.add(gate.community)
    with pytest.raises(NotYet):
        await gate.shows(event)
