"""A telling: handed over until it is taken, with growing pauses; given up after an hour, or where there is no point."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import asdict, replace

from libs.eventkit.decider import NotFound
from services.neighbors.channels import NONE
from services.neighbors.domain.tellings import (
    FIRST,
    LONGEST,
    PATIENCE,
    TELLINGS,
    GiveUpTelling,
    NotTold,
    QueueTelling,
    RecordFailed,
    RecordTold,
    ResidentNotTold,
    ResidentTold,
    TellingFailed,
    TellingQueued,
    Waiting,
    pause,
    telling_id_of,
)
from services.neighbors.processes.telling import due_by

CALL, HOUSE, ANN = (UUID(int=n) for n in range(1, 4))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
ID = telling_id_of(CALL, ANN, "push")
QUEUE = QueueTelling(ID, CALL, HOUSE, ANN, "push", NOW)
QUEUED = TellingQueued(**asdict(QUEUE))
TOLD = ResidentTold(ID, CALL, ANN, "push", 1)
FAILED = RecordFailed(ID, 1, "ConnectionError", NOW)
FAILURE = TellingFailed(ID, 1, "ConnectionError", NOW + FIRST)


def not_told(reason):
    return ResidentNotTold(ID, CALL, ANN, "push", reason)


def when(command, *events):
    return TELLINGS.decide[type(command)](command, TELLINGS.fold(events))


def test_a_resident_and_channel_have_one_key_for_a_broadcast():
    assert len({telling_id_of(b, r, c) for b in (CALL, HOUSE) for r in (ANN, CALL) for c in ("push", "sms")}) == 8
    assert telling_id_of(CALL, ANN, "push") == ID


def test_it_is_queued_once_and_due_at_once():
    assert when(QUEUE) == [QUEUED]
    assert when(QUEUE, QUEUED) == when(QUEUE, QUEUED, TOLD) == when(QUEUE, QUEUED, not_told("ended")) == []
    assert TELLINGS.fold([QUEUED]) == Waiting(QUEUED, NOW)


def test_whoever_comes_back_while_it_runs_is_told_after_all():
    gone, again = (QUEUED, FAILURE, not_told("moved_out")), replace(QUEUE, queued_at=NOW + timedelta(minutes=50))
    assert when(again, *gone) == [TellingQueued(**asdict(again))]
    back = (*gone, *when(again, *gone))
    assert TELLINGS.fold(back) == Waiting(back[-1], again.queued_at), "with the whole time for it"
    assert when(again, *back) == [] == when(again, *gone, TOLD)
    assert all(when(again, QUEUED, not_told(reason)) == [] for reason in ("no_channel", "given_up", "ended", "erased"))


def test_what_was_taken_is_over():
    assert when(RecordTold(ID), QUEUED) == [TOLD]
    assert when(RecordTold(ID), QUEUED, FAILURE) == [replace(TOLD, attempt=2)]
    assert when(RecordTold(ID), QUEUED, TOLD) == when(FAILED, QUEUED, TOLD) == when(GiveUpTelling(ID, "ended"), QUEUED, TOLD) == []
    assert when(RecordTold(ID), QUEUED, not_told("ended")) == [TOLD], "what a channel has taken is taken"


def test_what_was_not_taken_waits_longer_each_time():
    assert (timedelta(seconds=1), timedelta(seconds=30), timedelta(hours=1)) == (FIRST, LONGEST, PATIENCE)
    assert [pause(n) for n in (1, 2, 5, 6, 99)] == [FIRST, FIRST * 2, FIRST * 16, LONGEST, LONGEST]
    assert when(FAILED, QUEUED) == [FAILURE]
    assert TELLINGS.fold([QUEUED, FAILURE]) == Waiting(QUEUED, NOW + FIRST, 1)
    assert when(FAILED, QUEUED, FAILURE) == [], "this attempt is on record"
    assert when(replace(FAILED, attempt=2), QUEUED, FAILURE) == [replace(FAILURE, attempt=2, again_at=NOW + FIRST * 2)]


def test_after_an_hour_it_is_given_up_and_tried_no_more():
    late = replace(FAILED, now=NOW + PATIENCE)
    assert when(late, QUEUED) == [not_told("given_up")]
    assert when(replace(late, now=late.now - timedelta(seconds=1)), QUEUED) != [not_told("given_up")]
    assert when(late, QUEUED, not_told("given_up")) == []
    assert TELLINGS.fold([QUEUED, FAILURE, not_told("given_up")]) == NotTold(QUEUED, 1, "given_up")


@pytest.mark.parametrize("reason", ["ended", "moved_out", "no_channel"])
def test_where_there_is_no_point_it_is_given_up_once(reason):
    assert when(GiveUpTelling(ID, reason), QUEUED) == [not_told(reason)]
    assert when(GiveUpTelling(ID, reason), QUEUED, not_told(reason)) == []


@pytest.mark.parametrize("command", [RecordTold(ID), FAILED, GiveUpTelling(ID, "ended")])
def test_nothing_becomes_of_what_was_never_queued(command):
    with pytest.raises(NotFound):
        when(command)


def test_each_channel_has_its_own_timer_and_the_first_ends_what_no_channel_takes():
    waiting = TELLINGS.fold([QUEUED, FAILURE])
    gone = TELLINGS.fold([replace(QUEUED, channel="pager")])
    push, sms = (due_by(name, ("push", "sms")) for name in ("push", "sms"))
    assert (push(waiting), sms(waiting), push(gone), sms(gone)) == (NOW + FIRST, None, NOW, None)
    assert due_by(NONE, ())(waiting) == NOW + FIRST
    over = [TELLINGS.fold([QUEUED, TOLD]), TELLINGS.fold([QUEUED, not_told("ended")]), TELLINGS.fold([])]
    assert [push(telling) for telling in over] == [None] * 3
