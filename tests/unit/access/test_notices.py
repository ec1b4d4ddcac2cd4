"""Whom an arrival is told and by what, and what others hear of passes."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.contracts import access as public
from libs.contracts import identity
from libs.contracts.fields import SealedField
from libs.eventkit.decider import NotFound
from libs.eventkit.recorded import Catalogue
from libs.eventkit.sealed import Sealed
from libs.eventkit.timers import Due
from services.access import notices
from services.access.domain.deliveries import DELIVERIES, DropNotice, NoticeFailed, NoticeGivenUp, QueueNotice, RecordSent
from services.access.domain.pass_history import (
    VisitorArrived,
    VisitorPassIssued,
    VisitorPassRevoked,
    VisitorPassUsed,
    VisitorPassUseReturned,
)
from services.access.publishing import publish
from services.access.sending import sending
from services.access.views import notices as told
from services.access.views import visitor_passes as passes
from services.access.ways import Ways
from tests.kit import folded, recorded

PASS, HOME, HOST, HERE, DOOR, REPORT = (UUID(int=n) for n in range(1, 7))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
BOX = Sealed(PASS, HOME, "plate", "x")
ISSUED = VisitorPassIssued(
    PASS, "family", HOME, HOST, NOW, NOW, None, ("community",), (7,), BOX, None, "visitor_pass_family", "x")
USED = VisitorPassUsed(PASS, HOST, DOOR, REPORT, "community", True, NOW, "visitor_pass", "x")
ARRIVED = VisitorArrived(PASS, HOST, "family", NOW, "door", "visitor_pass", "first_entry")
JUST_ARRIVED = replace(ARRIVED, at=datetime.now(UTC))
BY_STAFF, BY_HOST = (VisitorPassRevoked(PASS, HOST, "visitor_pass", reason) for reason in ("staff", "host"))
RETURNED = VisitorPassUseReturned(PASS, HOST, DOOR, REPORT, "community", "visitor_pass", "refused")
CATALOGUE = Catalogue((VisitorPassIssued, VisitorPassRevoked, VisitorPassUsed, VisitorPassUseReturned, VisitorArrived))
LOG = [recorded(e, HERE, position=n, stream=f"visitor-pass:{PASS}", at=NOW)
       for n, e in enumerate((ISSUED, USED, ARRIVED, BY_STAFF, BY_HOST), 1)]


def ways(*agreed):
    """A book in which these agree to notices."""
    found = Ways()
    for person in agreed:
        found._apply(identity.ConsentGiven(person, "notices", person), recorded(ARRIVED, HERE))

    async def ready(position=0, community_id=None):
        pass

    found.ready = ready
    return found


def test_the_host_is_told_of_an_arrival_and_of_what_others_have_ended():
    found = folded(told.VIEW, CATALOGUE, LOG)[HERE]
    assert sorted((r["kind"], r["detail"], r["person_id"], r["position"]) for r in found) == [
        ("visitor_arrived", "door", str(HOST), 3), ("visitor_pass_revoked", "staff", str(HOST), 4)]
    erased = VisitorPassRevoked(PASS, HOST, "visitor_pass", "host_erased")
    assert folded(told.VIEW, CATALOGUE, [recorded(erased, HERE, stream="visitor-pass:1", at=NOW)]) == {}, "nobody is left to be told"


def test_a_list_of_passes_shows_who_has_come():
    row = folded(passes.VIEW, CATALOGUE, LOG)[HERE][0]
    assert (row["entries"], row["revoked"], row["plate"]["box"], row["visitor_name"]) == (1, "host", "x", None)
    assert row["arrived_at"]


def test_a_page_of_ones_own_asks_for_what_is_theirs_alone_from_below_the_last_row_on():
    notices_of, passes_of = (str(q.compile(compile_kwargs={"literal_binds": True})) for q in (
        told.page_of(HOST, 7, 5), passes.page_of(HOST, PASS, 5)))
    assert f"person_id = '{HOST.hex}'" in notices_of and "position < 7" in notices_of
    assert f"host_id = '{HOST.hex}'" in passes_of and f"pass_id > '{PASS.hex}'" in passes_of


def test_a_use_that_was_given_back_is_no_entry():
    rows = [recorded(e, HERE, position=n, stream=f"visitor-pass:{PASS}", at=NOW)
            for n, e in enumerate((ISSUED, USED, RETURNED, USED), 1)]
    assert [folded(passes.VIEW, CATALOGUE, rows[:n])[HERE][0]["entries"] for n in (2, 3, 4)] == [1, 0, 1]
    assert [p.body for p in publish(RETURNED, rows[2])] == [public.VisitorPassUseReturned(PASS, HOST, REPORT)]


@pytest.mark.parametrize(("event", "heard"), [
    (ISSUED, public.VisitorPassIssued(
        PASS, "family", HOME, HOST, NOW, NOW, None, ("community",), (7,), SealedField(PASS, HOME, "plate", "x"), None)),
    (BY_STAFF, public.VisitorPassRevoked(PASS, HOST, "staff")), (USED, public.VisitorPassUsed(PASS, HOST, DOOR, REPORT)),
    (ARRIVED, public.VisitorArrived(PASS, HOST, "family", NOW, "door"))])
def test_others_hear_of_passes(event, heard):
    assert [p.body for p in publish(event, LOG[0])] == [heard]


async def test_a_notice_is_queued_once_for_each_channel_with_a_key_of_its_own():
    senders = [notices.LogSender("push"), notices.LogSender("sms")]
    react = notices.queueing(senders, ways(HOST)).on[VisitorArrived]
    row = recorded(JUST_ARRIVED, HERE, stream=f"visitor-pass:{PASS}")
    queued, again = await react(JUST_ARRIVED, row), await react(JUST_ARRIVED, row)
    assert queued == again and [d.command.channel for d in queued] == ["push", "sms"]
    assert len({d.subject_id for d in queued}) == 2 and all(d.subject_id == d.command.delivery_id for d in queued)
    assert all((d.command.notice_id, d.command.person_id, d.command.detail) == (row.event_id, HOST, "door") for d in queued)
    assert await react(BY_HOST, recorded(BY_HOST, HERE)) == [], "they know"
    assert await notices.queueing((), ways(HOST)).on[VisitorArrived](JUST_ARRIVED, row) == []


async def test_nothing_is_sent_to_whoever_does_not_agree_to_it():
    row, senders = recorded(JUST_ARRIVED, HERE, stream=f"visitor-pass:{PASS}"), [notices.LogSender("push")]
    for agreed in ((), (PASS,)):
        assert await notices.queueing(senders, ways(*agreed)).on[VisitorArrived](JUST_ARRIVED, row) == []
    withdrawn = ways(HOST)
    withdrawn._apply(identity.ConsentWithdrawn(HOST, "notices", HOST), recorded(ARRIVED, HERE))
    assert await notices.queueing(senders, withdrawn).on[VisitorArrived](JUST_ARRIVED, row) == []


async def test_what_waits_is_not_sent_any_more_once_its_reader_has_withdrawn_or_its_day_has_passed():
    sent, said = [], []

    class Push(notices.LogSender):
        async def send(self, notice, key):
            sent.append(key)

    async def handle(subject, command, context):
        said.append(command)

    def waiting(since, *more):
        queue = QueueNotice(REPORT, "push", PASS, HOST, "visitor_arrived", PASS, "door", since, since)
        return Due(HERE, REPORT, DELIVERIES.fold([*DELIVERIES.decide[QueueNotice](queue, DELIVERIES.initial), *more]), since, PASS)

    app, now = SimpleNamespace(commands=SimpleNamespace(handle=handle)), datetime.now(UTC)
    await sending(app, Push("push"), ways()).fire(waiting(now))
    assert sent == [] and said == [DropNotice(REPORT, "push", "consent_withdrawn")]
    await sending(app, Push("push"), ways(HOST)).fire(waiting(now - timedelta(days=1)))
    assert sent == [] and said[1:] == [DropNotice(REPORT, "push", "too_late")], "we were away for a day"
    refused = NoticeFailed(REPORT, "push", 1, "ConnectionError", now)
    await sending(app, Push("push"), ways(HOST)).fire(waiting(now - timedelta(days=1), refused))
    assert sent == [] and said[2:] == [DropNotice(REPORT, "push", "ConnectionError")], "why nobody took it before"
    await sending(app, Push("push"), ways(HOST)).fire(waiting(now - timedelta(hours=23)))
    assert sent == [str(REPORT)] and said[3:] == [RecordSent(REPORT, "push")]


def test_a_notice_is_dropped_once_and_one_that_was_taken_is_not():
    drop = DropNotice(REPORT, "push", "consent_withdrawn")
    queued = DELIVERIES.decide[QueueNotice](
        QueueNotice(REPORT, "push", PASS, HOST, "visitor_arrived", PASS, "door", NOW, NOW), DELIVERIES.initial)
    gone = DELIVERIES.decide[DropNotice](drop, DELIVERIES.fold(queued))
    assert gone == [NoticeGivenUp(REPORT, "push", 0, "consent_withdrawn")]
    assert DELIVERIES.decide[DropNotice](drop, DELIVERIES.fold([*queued, *gone])) == []
    with pytest.raises(NotFound):
        DELIVERIES.decide[DropNotice](drop, DELIVERIES.initial)


async def test_what_is_read_or_heard_of_a_day_late_is_told_to_nobody():
    react = notices.queueing([notices.LogSender("push")], ways(HOST)).on[VisitorArrived]
    for age, queued in ((timedelta(hours=23), 1), (timedelta(hours=25), 0)):
        came = replace(ARRIVED, at=datetime.now(UTC) - age)
        for said in (came.at, datetime.now(UTC)):
            assert len(await react(came, recorded(came, HERE, stream=f"visitor-pass:{PASS}", at=said))) == queued
