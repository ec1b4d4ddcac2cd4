"""An emergency broadcast is sent once, ended once; and who was told adds up."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec.structs import asdict, replace

from libs.eventkit.decider import NotFound, Refused
from services.neighbors.domain.broadcasts import (
    BROADCASTS,
    LONGEST_TEXT,
    BroadcastEnded,
    BroadcastSent,
    EndBroadcast,
    Ended,
    Fact,
    Running,
    SendBroadcast,
    broadcast_id_of,
)
from services.neighbors.domain.tellings import ResidentNotTold, ResidentTold, TellingFailed, TellingQueued
from services.neighbors.main import SERVICE
from services.neighbors.views import broadcasts
from services.neighbors.views.broadcasts import BROADCASTS_VIEW, TELLINGS_VIEW, reached
from tests.kit import folded, recorded

CALL, HOUSE, ANN, BEN, CLEO, BY, FIRE, HERE = (UUID(int=n) for n in range(1, 9))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SEND = SendBroadcast(
    CALL, HOUSE, "fire", "着火了", FIRE, None, "incident_verified", "fire_verified", (Fact(FIRE, "incident_verified"),), (ANN, BEN))
SENT = BroadcastSent(**asdict(SEND))
OVER = BroadcastEnded(CALL, HOUSE, None, "incident_resolved")


def when(command, *events):
    return BROADCASTS.decide[type(command)](command, BROADCASTS.fold(events))


def test_a_broadcast_is_sent_once():
    assert when(SEND) == [SENT]
    assert when(SEND, SENT) == when(SEND, SENT, OVER) == []
    assert when(replace(SEND, recipients=())) != [], "who moves in while it runs is told"
    assert broadcast_id_of(FIRE) == broadcast_id_of(FIRE) != broadcast_id_of(HOUSE)


@pytest.mark.parametrize("text", ["", "x" * 501])
def test_it_says_something_and_is_short(text):
    assert LONGEST_TEXT == 500 and when(replace(SEND, text="x" * 500)) != []
    with pytest.raises(Refused, match="text_length"):
        when(replace(SEND, text=text))


def test_it_is_ended_once_by_a_rule_or_a_person():
    assert when(EndBroadcast(CALL, None, "incident_resolved"), SENT) == [OVER]
    by_hand = EndBroadcast(CALL, BY, "by_hand")
    assert when(by_hand, SENT) == [BroadcastEnded(CALL, HOUSE, BY, "by_hand")]
    assert when(by_hand, SENT, OVER) == when(EndBroadcast(CALL, None, "x"), SENT, OVER) == []
    assert (BROADCASTS.fold([SENT]), BROADCASTS.fold([SENT, OVER])) == (Running(SENT), Ended(SENT))
    assert BROADCASTS.fold([SENT, OVER, SENT]) == Ended(SENT)


def test_where_there_is_none_a_person_is_told_and_a_rule_has_nothing_to_end():
    with pytest.raises(NotFound):
        when(EndBroadcast(CALL, BY, "by_hand"))
    assert when(EndBroadcast(CALL, None, "incident_resolved")) == []


def queued(n, resident, channel):
    return TellingQueued(UUID(int=n), CALL, HOUSE, resident, channel, NOW)


LOG = [
    SENT, queued(101, ANN, "push"), queued(102, ANN, "sms"), queued(103, BEN, "push"), queued(104, BEN, "sms"),
    queued(105, CLEO, "push"), queued(106, CLEO, "sms"),
    TellingFailed(UUID(int=101), 1, "ConnectionError", NOW), ResidentTold(UUID(int=102), CALL, ANN, "sms", 1),
    ResidentNotTold(UUID(int=103), CALL, BEN, "push", "no_channel"), ResidentNotTold(UUID(int=104), CALL, BEN, "sms", "given_up"),
    ResidentNotTold(UUID(int=105), CALL, CLEO, "push", "given_up"), OVER]
ROWS = [recorded(e, HERE, position=n, stream="x:1", at=NOW) for n, e in enumerate(LOG, 1)]


def test_the_views_say_whom_it_has_reached_also_folded_twice():
    [row] = folded(BROADCASTS_VIEW, SERVICE.catalogue(), ROWS)[HERE]
    assert (row["audience"], row["kind"], row["rule"], row["ended_reason"]) == (2, "fire", "incident_verified", "incident_resolved")
    assert row["event_id"] == str(ROWS[0].event_id) and row["ended_event_id"] == str(ROWS[-1].event_id)
    found = folded(TELLINGS_VIEW, SERVICE.catalogue(), ROWS)[HERE]
    assert {(r["telling_id"][-3:], r["state"], r["reason"], r["attempts"]) for r in found} == {
        ("065", "waiting", "ConnectionError", 1), ("066", "told", None, 1), ("067", "not_told", "no_channel", 0),
        ("068", "not_told", "given_up", 0), ("069", "not_told", "given_up", 0), ("06a", "waiting", None, 0)}
    for view in (BROADCASTS_VIEW, TELLINGS_VIEW):
        once = folded(view, SERVICE.catalogue(), ROWS)
        assert folded(view, SERVICE.catalogue(), ROWS + ROWS) == once
    states = {r["resident_id"]: r["state"] for r in reached(found)}
    assert states == {str(ANN): "told", str(BEN): "not_told", str(CLEO): "waiting"}


def test_a_resident_sees_the_broadcasts_to_their_buildings_alone():
    asked = str(broadcasts.mine(ANN, CALL, 5, 2))
    assert "broadcasts.building_id IN (SELECT members.circle_id" in asked and "members.resident_id = " in asked
    assert "broadcasts.broadcast_id = " in asked and "receipts.resident_id = " in asked
    assert "broadcasts.building_id = " in str(broadcasts.page_of(HOUSE, None, 2))
