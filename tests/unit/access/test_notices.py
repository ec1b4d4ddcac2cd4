"""Whom an arrival is told and by what, and what others hear of passes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from libs.contracts import access as public
from libs.contracts.fields import SealedField
from libs.eventkit.recorded import Catalogue
from libs.eventkit.sealed import Sealed
from services.access import notices
from services.access.domain.pass_history import (
    VisitorArrived,
    VisitorPassIssued,
    VisitorPassRevoked,
    VisitorPassUsed,
    VisitorPassUseReturned,
)
from services.access.publishing import publish
from services.access.views import notices as told
from services.access.views import visitor_passes as passes
from tests.kit import folded, recorded

PASS, HOME, HOST, HERE, DOOR, REPORT = (UUID(int=n) for n in range(1, 7))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
BOX = Sealed(PASS, HOME, "plate", "x")
ISSUED = VisitorPassIssued(
    PASS, "family", HOME, HOST, NOW, NOW, None, ("community",), (7,), BOX, None, "visitor_pass_family", "x")
USED = VisitorPassUsed(PASS, HOST, DOOR, REPORT, "community", True, NOW, "visitor_pass", "x")
ARRIVED = VisitorArrived(PASS, HOST, "family", NOW, "door", "visitor_pass", "first_entry")
BY_STAFF, BY_HOST = (VisitorPassRevoked(PASS, HOST, "visitor_pass", reason) for reason in ("staff", "host"))
RETURNED = VisitorPassUseReturned(PASS, HOST, DOOR, REPORT, "community", "visitor_pass", "refused")
CATALOGUE = Catalogue((VisitorPassIssued, VisitorPassRevoked, VisitorPassUsed, VisitorPassUseReturned, VisitorArrived))
LOG = [recorded(e, HERE, position=n, stream=f"visitor-pass:{PASS}", at=NOW)
       for n, e in enumerate((ISSUED, USED, ARRIVED, BY_STAFF, BY_HOST), 1)]


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
    react = notices.queueing(senders).on[VisitorArrived]
    row = recorded(ARRIVED, HERE, stream=f"visitor-pass:{PASS}")
    queued, again = await react(ARRIVED, row), await react(ARRIVED, row)
    assert queued == again and [d.command.channel for d in queued] == ["push", "sms"]
    assert len({d.subject_id for d in queued}) == 2 and all(d.subject_id == d.command.delivery_id for d in queued)
    assert all((d.command.notice_id, d.command.person_id, d.command.detail) == (row.event_id, HOST, "door") for d in queued)
    assert await react(BY_HOST, recorded(BY_HOST, HERE)) == [], "they know"
    assert await notices.queueing(()).on[VisitorArrived](ARRIVED, row) == []


async def test_what_is_read_a_day_late_is_told_to_nobody():
    react = notices.queueing([notices.LogSender("push")]).on[VisitorArrived]
    for age, queued in ((timedelta(hours=23), 1), (timedelta(hours=25), 0)):
        row = recorded(ARRIVED, HERE, stream=f"visitor-pass:{PASS}", at=datetime.now(UTC) - age)
        assert len(await react(ARRIVED, row)) == queued
