"""A use is stored before it is judged: once per report, however often it is tried, and once per use, however many ask."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import Struct
from msgspec.structs import asdict

from libs.contracts.devices import DeviceReported, DoorOrderCarriedOut, DoorOrderFailed
from libs.contracts.fields import SealedField
from libs.contracts.identity import HomeRegistered, ResidenceEnded, ResidenceStarted
from libs.eventkit.commands import Context
from libs.eventkit.decider import NotYet
from libs.eventkit.privacy import seal
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.access.book import DoorBook
from services.access.domain.admission import Judgement, PresentedPass
from services.access.domain.openings import JudgeCredential
from services.access.domain.pass_history import VisitorPassIssued
from services.access.domain.visitor_passes import PASSES, IssuePass, RevokePass
from services.access.known import KnownDoor
from services.access.main import SERVICE
from services.access.qr import Code, text_of
from services.access.visitors import Visitors
from tests.integration.fire_site import Site, hears
from tests.integration.test_fire_release import site
from tests.kit import recorded

__all__ = ["site"]

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

    @property
    def door(self) -> KnownDoor:
        return KnownDoor(self.community, BUILDING, "gate", "community", DEVICE, 1, uuid4())

    async def presented(self, event: DeviceReported, event_id: UUID | None = None) -> PresentedPass:
        row = recorded(event, self.community, event_id=event_id, at=NOW)
        return await self.visitors.presented(event, row, self.door, NOW, ROUTE)

    async def shows(self, event: DeviceReported, event_id: UUID | None = None) -> str:
        return (await self.presented(event, event_id)).refused

    async def ordered(self) -> UUID:
        """A code that admits, and the opening that was ordered for it."""
        event = await self.report(self.text)
        told = await self.presented(event)
        assert told.refused == ""
        judged = JudgeCredential(
            opening_id=event.report_id, door_id=BUILDING, device_id=DEVICE, door_no=1, means="qr",
            judgement=Judgement(True, "visitor_pass", "allowed_by_visitor_pass", told.facts, None), live=True, verified=False,
            awaited=True, at=NOW)
        await self.app.commands.handle(event.report_id, judged, Context(community_id=self.community, now=NOW))
        return event.report_id

    async def heard(self, event: Struct) -> UUID:
        """From devices, and tried again as after a crash; the id of what was heard."""
        reactor = next(r for r in self.app.reactors if r.reaction.name == "openings_concluded")
        row = recorded(event, self.community)
        for _ in range(2):
            await reactor.handle(event, row)
        return row.event_id

    async def may(self, text: str) -> str:
        """What the question is answered with."""
        return (await self.visitors.judged(text, self.door, uuid4(), NOW)).refused

    async def said(self) -> list[Recorded]:
        return await self.app.log.stream(f"visitor-pass:{PASS}")


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
    assert state.spent_in("community") == len(state.presented) == 1


async def test_of_many_reports_at_once_one_has_the_use(gate: Gate):
    events = [await gate.report(gate.text) for _ in range(20)]
    answers = await asyncio.gather(*(gate.shows(e) for e in events))
    assert sorted(answers) == ["", *["pass_spent"] * 19]


async def test_a_pass_revoked_or_of_a_host_who_has_moved_admits_nobody(gate: Gate):
    gate.learn(ResidenceEnded(HOME, HOST, HOME, BUILDING, NOW.date()))
    assert await gate.shows(await gate.report(gate.text)) == "pass_revoked"
    gate.learn(ResidenceStarted(HOME, HOST, HOME, BUILDING, 1, "owner", NOW.date()))
    await gate.app.commands.handle(PASS, RevokePass(PASS, "host", NOW), Context(community_id=gate.community, now=NOW))
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


@pytest.mark.parametrize("reason", ["refused", "unreachable", "expired"])
async def test_a_door_that_did_not_open_gives_the_use_back_once_with_what_was_heard_as_the_cause(gate: Gate, reason: str):
    order = await gate.ordered()
    assert await gate.shows(await gate.report(gate.text)) == "pass_spent"
    heard = await gate.heard(DoorOrderFailed(order, DEVICE, 1, reason))
    said = await gate.said()
    assert [r.type for r in said] == ["visitor_pass_issued", "visitor_pass_used", "visitor_pass_use_returned"], "nobody arrived"
    assert said[-1].meta.caused_by == (heard, said[1].event_id)
    await gate.heard(DoorOrderFailed(order, DEVICE, 1, reason))
    again = await gate.ordered()
    await gate.heard(DoorOrderCarriedOut(again, DEVICE, 1))
    assert [r.type for r in (await gate.said())[3:]] == ["visitor_pass_used", "visitor_arrived"]
    assert await gate.shows(await gate.report(gate.text)) == "pass_spent"


async def test_a_use_is_kept_while_nobody_knows_and_until_the_device_says_late_what_became_of_it(gate: Gate):
    order = await gate.ordered()
    await gate.heard(DoorOrderFailed(order, DEVICE, 1, "unknown"))
    assert await gate.shows(await gate.report(gate.text)) == "pass_spent"
    assert [r.type for r in await gate.said()] == ["visitor_pass_issued", "visitor_pass_used"]
    await gate.heard(DoorOrderFailed(order, DEVICE, 1, "refused"))
    assert await gate.shows(await gate.report(gate.text)) == ""


async def test_a_door_that_has_opened_keeps_the_use_whatever_is_heard_after_it(gate: Gate):
    order = await gate.ordered()
    await gate.heard(DoorOrderCarriedOut(order, DEVICE, 1))
    await gate.heard(DoorOrderFailed(order, DEVICE, 1, "refused"))
    assert [r.type for r in await gate.said()] == ["visitor_pass_issued", "visitor_pass_used", "visitor_arrived"]
    await gate.heard(DoorOrderFailed(uuid4(), DEVICE, 1, "refused"))  # of an opening that nobody ordered


async def test_to_ask_of_a_code_is_answered_as_the_door_would_and_takes_nothing(gate: Gate):
    before = await gate.app.log.last()
    assert [await gate.may(gate.text) for _ in range(3)] == ["", "", ""]
    other = Code(PASS, uuid4(), NOW, NOW + timedelta(hours=1), 1, ("community",), ())
    assert await gate.may(text_of(gate.visitors.signer.sign(other))) == "qr_of_another_community"
    unknown = Code(uuid4(), gate.community, NOW, NOW + timedelta(hours=1), 1, ("community",), ())
    assert await gate.may(text_of(gate.visitors.signer.sign(unknown))) == "pass_unknown"
    assert (await gate.may("欢迎"), await gate.app.log.last()) == ("qr_malformed", before)
    assert await gate.shows(await gate.report(gate.text)) == ""
    assert await gate.may(gate.text) == "pass_spent"
    gate.learn(ResidenceEnded(HOME, HOST, HOME, BUILDING, NOW.date()))
    assert await gate.may(gate.text) == "pass_revoked"


@pytest.mark.parametrize("personal", [{}, {"plate": "粤B12345", "visitor_name": "客人"}], ids=["nothing", "plate and name"])
async def test_the_answer_names_the_event_by_which_the_pass_was_issued(site: Site, personal: dict[str, str]):
    home = uuid4()
    await hears(site.access, "identity", site.community, HomeRegistered(home, site.building, 1, "1-1-101"), ResidenceStarted(
        uuid4(), UUID(int=7), home, site.building, 1, "owner", NOW.date()))
    answer = await site.post("/v1/visitor-passes", {"kind": "courier", "home_id": str(home), **personal}, "resident")
    assert answer.status_code == 201, answer.text
    row = await site.access.log.event(UUID(answer.json()["event_id"]))
    assert row is not None and row.type == "visitor_pass_issued"
