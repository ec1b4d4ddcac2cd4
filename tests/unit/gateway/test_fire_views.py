"""What the tables of incidents, releases, notices, broadcasts and population hold after a fire, and what they never forget."""

from datetime import date, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.contracts import access, alarm, identity, neighbors
from services.gateway.views import broadcasts, fire_releases, incidents, installed, notices, population, stories
from tests.unit.gateway.fire import (
    ABOUT,
    ACKNOWLEDGED,
    BEGUN,
    BROADCAST,
    CLEAR,
    DISPATCHED,
    ENDED,
    ESCALATED,
    FALSE,
    GUARD,
    ID,
    INCIDENT,
    INSTALLED,
    LATER,
    LIFT,
    NEIGHBORS,
    NOTICE,
    RAISED,
    RELEASE,
    REPEATED,
    RESOLVED,
    RESTORED,
    SENT,
    VERIFIED,
    log,
    story,
)
from tests.unit.gateway.heard import ANN, BEN, BUILDING, GATE, HOME, NOON, fold


def incident(*events: Any, times: int = 1) -> dict[str, Any]:
    (row,) = fold(incidents.INCIDENTS, list(log(events)), times)
    return row


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_an_incident_waits_for_its_first_step() -> None:
    row = incident(RAISED)
    assert (row["state"], row["waiting_for"], row["count"], row["spot"], row["silent"]) == (
        "raised", "acknowledgement", 1, "kitchen", False)
    assert moment(row["deadline"]) == LATER and row["escalation"] is None and row["ended_at"] is None


@pytest.mark.parametrize(("event", "state", "waiting_for"), [
    (ACKNOWLEDGED, "acknowledged", "verification"), (VERIFIED, "verified", "dispatch"), (DISPATCHED, "dispatched", "resolution"),
    (FALSE, "found_false", None), (RESOLVED, "resolved", None)])
def test_each_step_moves_it_on(event: Any, state: str, waiting_for: str | None) -> None:
    row = incident(RAISED, event)
    assert (row["state"], row["waiting_for"]) == (state, waiting_for)
    assert (row["ended_at"] is not None) == (state in incidents.OVER)
    assert row["deadlines"]["acknowledgement"]["done_at"] is not None, "whatever came was the step that was waited for"


def test_another_owner_is_no_step_back() -> None:
    row = incident(RAISED, ACKNOWLEDGED, VERIFIED, replace(ACKNOWLEDGED, by=ANN))
    assert (row["state"], row["waiting_for"], row["owner_id"]) == ("verified", "dispatch", str(ANN))


def test_repeats_are_counted_and_make_it_active_again() -> None:
    row = incident(RAISED, REPEATED, RESTORED, replace(REPEATED, count=3), times=2)
    assert (row["count"], row["restored_at"], len(row["steps"])) == (3, None, 2), "the history has no repeats"
    assert row["last_event_id"] == str(UUID(int=4))
    assert incident(RAISED, REPEATED, RESTORED, times=2)["restored_at"] is not None


@pytest.mark.parametrize("last", [(ACKNOWLEDGED, RESTORED), (RESTORED, ACKNOWLEDGED)])
def test_of_a_source_that_chatters_the_first_and_the_last_restore_are_in_the_history(last: tuple[Any, ...]) -> None:
    flaps = [event for n in range(2, 40) for event in (RESTORED, replace(REPEATED, count=n))]
    row = incident(RAISED, *flaps, *last, times=2)
    steps = [step["what"] for step in row["steps"]]
    assert steps == ["raised", "restored", *("acknowledged" if event is ACKNOWLEDGED else "restored" for event in last)]
    assert (row["count"], row["restored_at"] is not None) == (39, True)
    assert row["steps"][1]["event_id"] == str(UUID(int=2)), "the first one"


def test_a_restore_ends_nothing() -> None:
    row = incident(RAISED, RESTORED)
    assert (row["state"], row["ended_at"]) == ("raised", None)


def test_an_escalation_says_what_nobody_did_and_who_was_told() -> None:
    row = incident(RAISED, ESCALATED)
    assert (row["state"], row["escalation"]["level"], row["escalation"]["told"]) == ("raised", 1, ["guard", "staff"])
    assert [(step["what"], step["says"], step["level"]) for step in row["steps"]] == [
        ("raised", "contact_id:1110", None), ("escalated", "acknowledgement", 1)]


def test_an_incident_whose_beginning_is_lost_is_shown_all_the_same() -> None:
    row = incident(VERIFIED)
    assert (row["kind"], row["state"], row["building_id"], row["waiting_for"]) == ("fire", "verified", str(BUILDING), "dispatch")


def test_every_step_is_in_the_history_with_its_event() -> None:
    (row,) = fold(incidents.INCIDENTS, story(), times=2)
    assert [(step["what"], step["event_id"]) for step in row["steps"]] == [
        (name, str(ID[name])) for name in ("raised", "escalated", "acknowledged", "verified", "dispatched", "restored", "resolved")]
    assert [step["by"] for step in row["steps"] if step["by"]] == [str(GUARD)] * 4
    assert [sent["to"] for sent in row["dispatches"]] == ["fire_brigade"]


def test_the_queue_has_open_ones_first_by_severity_then_age_and_then_the_last_that_ended() -> None:
    other = [UUID(int=0x900 + n) for n in range(4)]
    minor = replace(RAISED, incident_id=other[0], severity="low")
    older, newer = replace(RAISED, incident_id=other[1]), replace(RAISED, incident_id=other[2])
    early, late = replace(RESOLVED, incident_id=other[3]), RESOLVED
    rows = fold(incidents.INCIDENTS, list(log((minor, older, newer, early, late))))
    assert [row["incident_id"] for row in sorted(rows, key=lambda row: row["queue"])] == [
        str(i) for i in (other[1], other[2], other[0], INCIDENT, other[3])]
    assert [row["queue"] < incidents.CLOSED for row in sorted(rows, key=lambda row: row["queue"])] == [True, True, True, False, False]


def relays(*events: Any, times: int = 1) -> dict[str, str]:
    (row,) = fold(fire_releases.FIRE_RELEASES, list(log(events)), times)
    return {relay["id"]: relay["state"] for relay in row["relays"]}


def test_a_relay_is_held_once_its_device_has_confirmed_it_and_set_back_likewise() -> None:
    gate, lift = str(GATE), str(LIFT)
    held, back = access.RelayReleased(RELEASE, GATE, True), access.RelayReleased(RELEASE, GATE, False)
    assert relays(BEGUN) == {gate: "not_yet", lift: "not_yet"}
    assert relays(BEGUN, held) == {gate: "held", lift: "not_yet"}
    assert relays(BEGUN, held, ENDED) == {gate: "held", lift: "not_yet"}, "ended, and the device has not said so yet"
    assert relays(BEGUN, held, ENDED, back, times=2) == {gate: "set_back", lift: "not_yet"}


def test_a_relay_that_failed_says_why_until_it_is_done() -> None:
    failed = access.RelayNotReleased(RELEASE, LIFT, True, "unreachable")
    (row,) = fold(fire_releases.FIRE_RELEASES, list(log((BEGUN, failed))))
    assert [relay["failed"] for relay in row["relays"]] == [None, "unreachable"]
    (row,) = fold(fire_releases.FIRE_RELEASES, list(log((BEGUN, failed, access.RelayReleased(RELEASE, LIFT, True)))))
    assert [relay["failed"] for relay in row["relays"]] == [None, None]


def test_a_release_that_was_ended_says_by_whom_and_wants_all_as_before() -> None:
    (row,) = fold(fire_releases.FIRE_RELEASES, story(), times=2)
    assert (row["begun_by"], row["ended_for"], row["incident_id"]) == (None, "fire_over", str(INCIDENT))
    assert {relay["wanted"] for relay in row["relays"]} == {"normal"} and row["ended_at"] is not None
    assert fold(fire_releases.FIRE_RELEASES, list(log((ENDED,)))) == [], "the end of one that retention has taken"


def test_who_left_is_no_member_and_what_was_withdrawn_says_so() -> None:
    assert [row["resident_id"] for row in fold(notices.CIRCLES, list(log(NEIGHBORS)), times=2)] == [str(ANN)]
    withdrawn = [*NEIGHBORS, neighbors.NoticeWithdrawn(NOTICE, GUARD)]
    (row,) = fold(notices.NOTICES, list(log(withdrawn)), times=2)
    assert row["withdrawn_at"] is not None and row["title"] == "Water"
    (row,) = fold(notices.NOTICES, list(log(NEIGHBORS)))
    assert row.get("withdrawn_at") is None


def test_a_receipt_has_the_first_moment() -> None:
    read = neighbors.NoticeRead(NOTICE, ANN)
    (row,) = fold(notices.RECEIPTS, list(log((read, read))))
    assert moment(row["read_at"]) == NOON + timedelta(seconds=1)


def test_what_a_channel_has_taken_it_has_taken() -> None:
    not_told = neighbors.ResidentNotTold(BROADCAST, ANN, "push", "no_channel")
    told = neighbors.ResidentTold(BROADCAST, ANN, "push")
    for order in permutations((not_told, told)):
        (row,) = fold(broadcasts.TOLD, list(log(order)), times=2)
        assert row["reason"] is None
    (row,) = fold(broadcasts.TOLD, list(log((not_told,))))
    assert row["reason"] == "no_channel"


def test_a_broadcast_that_has_ended_says_so() -> None:
    (row,) = fold(broadcasts.BROADCASTS, list(log((SENT, CLEAR))), times=2)
    assert row["ended_at"] is not None and row["audience"] == 3
    (row,) = fold(broadcasts.BROADCASTS, list(log((SENT,))))
    assert row.get("ended_at") is None


SAID = [identity.PopulationDeclared(ANN, kind, source) for kind, source in (
    ("registered", "police"), ("floating", "grid"), ("foreign", "staff"), ("floating", "self"))]


@pytest.mark.parametrize("order", list(permutations(SAID)), ids=str)
def test_whose_word_holds_does_not_depend_on_who_spoke_last(order: Any) -> None:
    for n in range(1, 5):
        (row,) = fold(population.POPULATION, list(log(order[:n])), times=2)
        best = min(order[:n], key=lambda said: population.ORDER.index(said.source))
        assert row["kind"] == best.kind and len(row["said"]) == n


def test_a_source_may_say_something_else_later() -> None:
    (row,) = fold(population.POPULATION, list(log((*SAID, identity.PopulationDeclared(ANN, "foreign", "police")))))
    assert row["kind"] == "foreign"


def test_moves_keep_both_ends() -> None:
    one = UUID(int=1)
    moved = (identity.ResidenceStarted(one, ANN, HOME, BUILDING, 1, "tenant", date(2026, 1, 1)),
             identity.ResidenceEnded(one, ANN, HOME, BUILDING, date(2026, 2, 1)))
    for order in permutations(moved):
        (row,) = fold(population.MOVES, list(log(order)), times=2)
        assert (row["since"], row["until"]) == ("2026-01-01", "2026-02-01")


def test_stories_have_every_event_but_the_hundreds_and_know_their_beginning() -> None:
    rows = fold(stories.STORIES, story(), times=2)
    of = {str(i): {UUID(row["event_id"]) for row in rows if row["story_id"] == str(i)} for i in (INCIDENT, RELEASE, BROADCAST)}
    assert of[str(BROADCAST)] == {ID["sent"], ID["clear"]}
    assert {ID["begun"], ID["sent"], ID["ended"], ID["resolved"]} < of[str(INCIDENT)] and ID["signal"] not in of[str(INCIDENT)]
    assert {ID["held"], ID["released"], ID["normal"]} < of[str(RELEASE)]
    assert {(row["story_id"], UUID(row["event_id"])) for row in rows if row["opens"]} == {
        (str(INCIDENT), ID["raised"]), (str(RELEASE), ID["begun"]), (str(BROADCAST), ID["sent"])}


def test_residents_are_not_on_duty() -> None:
    opened = [*INSTALLED, identity.AccountOpened(UUID(int=0x722), BEN, "resident")]
    assert {row["role"] for row in fold(installed.DUTIES, list(log(opened)))} == {"guard", "staff"}


def test_every_event_of_an_incident_is_folded() -> None:
    contracts = {kind for kind in vars(alarm).values() if isinstance(kind, type) and kind.__name__.startswith("Incident")}
    assert contracts == set(incidents.Told.__args__) and set(ABOUT) >= {"kind", "severity", "silent", "place"}
