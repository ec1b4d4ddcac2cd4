"""A notice by one channel: queued once, tried again with growing pauses, given up after a day, taken at most once on record."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import asdict, replace

from libs.eventkit.decider import NotFound
from libs.eventkit.recorded import Catalogue
from services.access.domain.deliveries import (
    DELIVERIES,
    FIRST,
    LONGEST,
    PATIENCE,
    GivenUp,
    NoticeFailed,
    NoticeGivenUp,
    NoticeQueued,
    NoticeSent,
    QueueNotice,
    RecordFailed,
    RecordSent,
    Waiting,
    delivery_id_of,
    pause,
)
from services.access.publishing import publish
from services.access.views.deliveries import VIEW
from tests.kit import folded, recorded

NOTICE, ANN, PASS, HERE = (UUID(int=n) for n in range(1, 5))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
ID = delivery_id_of(NOTICE, "push")
QUEUE = QueueNotice(
    delivery_id=ID, channel="push", notice_id=NOTICE, person_id=ANN, kind="visitor_arrived", pass_id=PASS, detail="door",
    at=NOW, queued_at=NOW)
QUEUED = NoticeQueued(**asdict(QUEUE))
SENT = RecordSent(ID, "push")
FAILED = RecordFailed(ID, "push", 1, "ConnectionError", NOW)
LATE = replace(FAILED, attempt=2, now=NOW + PATIENCE)
FAILURE = NoticeFailed(ID, "push", 1, "ConnectionError", NOW + FIRST)
GIVEN_UP = NoticeGivenUp(ID, "push", 2, "ConnectionError")


def when(command, *events):
    return DELIVERIES.decide[type(command)](command, DELIVERIES.fold(events))


def test_a_notice_and_channel_have_one_key():
    assert len({delivery_id_of(n, c) for n in (NOTICE, ANN) for c in ("push", "sms")}) == 4
    assert delivery_id_of(NOTICE, "push") == ID


def test_a_notice_is_queued_once_and_due_at_once():
    assert when(QUEUE) == [QUEUED]
    assert when(QUEUE, QUEUED) == when(QUEUE, QUEUED, NoticeSent(ID, "push", 1)) == []
    assert DELIVERIES.fold([QUEUED]) == Waiting(QUEUED, NOW)


def test_what_was_taken_is_over():
    taken = NoticeSent(ID, "push", 1)
    assert when(SENT, QUEUED) == [taken]
    assert when(SENT, QUEUED, taken) == when(FAILED, QUEUED, taken) == []
    assert when(SENT, QUEUED, FAILURE) == [replace(taken, attempt=2)]


def test_what_was_not_taken_waits_longer_each_time():
    assert [pause(n) for n in (1, 2, 3, 9, 10, 400)] == [
        FIRST, FIRST * 2, FIRST * 4, timedelta(seconds=256), LONGEST, LONGEST]
    assert when(FAILED, QUEUED) == [FAILURE]
    state = DELIVERIES.fold([QUEUED, FAILURE])
    assert isinstance(state, Waiting) and (state.attempts, state.again_at) == (1, NOW + FIRST)
    assert when(FAILED, QUEUED, FAILURE) == [], "this attempt is on record"
    assert when(replace(FAILED, attempt=2), QUEUED, FAILURE) == [replace(FAILURE, attempt=2, again_at=NOW + FIRST * 2)]


def test_after_a_day_it_is_given_up_and_tried_no_more():
    assert (timedelta(seconds=1), timedelta(minutes=5), timedelta(days=1)) == (FIRST, LONGEST, PATIENCE)
    assert when(replace(LATE, now=LATE.now - timedelta(seconds=1)), QUEUED, FAILURE) != [GIVEN_UP]
    assert when(LATE, QUEUED, FAILURE) == [GIVEN_UP]
    assert DELIVERIES.fold([QUEUED, FAILURE, GIVEN_UP]) == GivenUp(2)
    assert when(replace(LATE, attempt=3), QUEUED, FAILURE, GIVEN_UP) == []
    assert when(SENT, QUEUED, FAILURE, GIVEN_UP) == [NoticeSent(ID, "push", 3)], "taken is taken"


@pytest.mark.parametrize("command", [SENT, FAILED])
def test_nothing_becomes_of_what_was_never_queued(command):
    with pytest.raises(NotFound):
        when(command)


def test_a_list_shows_what_waits_and_what_was_given_up_and_not_for_whom():
    catalogue = Catalogue((NoticeQueued, NoticeSent, NoticeFailed, NoticeGivenUp))
    log = [recorded(e, HERE, position=n, stream=f"notice:{ID}") for n, e in enumerate((QUEUED, FAILURE, GIVEN_UP), 1)]
    rows = [folded(VIEW, catalogue, log[:n])[HERE][0] for n in (1, 2, 3)]
    assert [(r["state"], r["attempts"], r["reason"]) for r in rows] == [
        ("waiting", 0, None), ("waiting", 1, "ConnectionError"), ("given_up", 2, "ConnectionError")]
    assert not {"person_id", "pass_id", "detail"} & set(VIEW.columns)
    taken = NoticeSent(ID, "push", 1)
    assert folded(VIEW, catalogue, [log[0], recorded(taken, HERE, position=2)]) == {}
    assert [publish(e, log[0]) for e in (QUEUED, FAILURE, GIVEN_UP, taken)] == [()] * 4, "nobody's business but ours"
