"""An incident: what each command says when it may, when it may not, and when there is nothing to say."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import NotFound, Refused
from services.alarm.domain.incident_history import (
    REMEMBERED,
    Acknowledged,
    Dispatched,
    IncidentDispatched,
    IncidentEscalated,
    IncidentFoundFalse,
    IncidentRepeated,
    IncidentResolved,
    IncidentRestored,
    Quiet,
    Raised,
    RestoreUnpaired,
    Verified,
)
from services.alarm.domain.incidents import INCIDENTS, EscalateIncident, FindFalse, ResolveIncident, due, waits_for
from tests.unit.alarm.samples import (
    ABOUT,
    ACKNOWLEDGE,
    ACKNOWLEDGED,
    AGAIN,
    ANN,
    BEN,
    DISPATCH,
    DISPATCHED,
    NOW,
    RAISE,
    RAISED,
    REPEAT,
    REPORT,
    RESTORE,
    SOURCE,
    THIRD,
    VERIFIED,
    VERIFY,
    after,
    when,
)

FALSE = FindFalse(REPORT, ANN, "guard", "cooking")
RESOLVE = ResolveIncident(REPORT, ANN, "guard", "put_out")
REPEATED = IncidentRepeated(ABOUT, AGAIN, "contact_id:1110", None, True, 2)
RESTORED = IncidentRestored(ABOUT, THIRD)
UNPAIRED = RestoreUnpaired(SOURCE, THIRD)
FOUND_FALSE = IncidentFoundFalse(ABOUT, ANN, "cooking")
RESOLVED = IncidentResolved(ABOUT, ANN, "put_out")
OPEN: dict[str, tuple[Any, ...]] = {
    "raised": (RAISED,), "acknowledged": (RAISED, ACKNOWLEDGED), "verified": (RAISED, ACKNOWLEDGED, VERIFIED),
    "dispatched": (RAISED, ACKNOWLEDGED, VERIFIED, DISPATCHED)}
OVER: dict[str, tuple[Any, ...]] = {"false": (*OPEN["acknowledged"], FOUND_FALSE), "resolved": (*OPEN["dispatched"], RESOLVED)}
STEPS: dict[str, Any] = {"acknowledge": ACKNOWLEDGE, "verify": VERIFY, "false": FALSE, "dispatch": DISPATCH, "resolve": RESOLVE}


def refused(code: str, command: Any, *events: Any) -> None:
    with pytest.raises(Refused) as error:
        when(command, *events)
    assert error.value.code == code


# what a source says


def test_what_is_quiet_is_raised_with_its_first_deadline():
    assert when(RAISE) == [RAISED]
    state = INCIDENTS.fold([RAISED])
    assert isinstance(state, Raised) and (state.incident.count, state.incident.active, due(state)) == (1, True, after(60))


@pytest.mark.parametrize("state", OPEN)
def test_the_same_again_folds_into_what_is_open_and_moves_no_deadline(state: str):
    assert when(REPEAT, *OPEN[state]) == [REPEATED]
    before, now = INCIDENTS.fold(OPEN[state]), INCIDENTS.fold([*OPEN[state], REPEATED])
    assert type(now) is type(before) and now.incident.count == 2 and due(now) == due(before)


def test_a_count_goes_on():
    third = replace(REPEAT, report_id=UUID(int=77))
    assert [e.count for e in when(third, RAISED, REPEATED)] == [3]


@pytest.mark.parametrize("events", [*OPEN.values(), *OVER.values()])
def test_the_same_report_is_one_also_after_the_end(events: tuple[Any, ...]):
    assert when(RAISE, *events) == []
    assert when(REPEAT, *events[:1], REPEATED, *events[1:]) == []


def test_of_many_reports_the_last_are_remembered():
    reports = [replace(REPEATED, report_id=UUID(int=1000 + n), count=n + 2) for n in range(REMEMBERED * 2)]
    state = INCIDENTS.fold([RAISED, *reports])
    assert len(state.reports) == REMEMBERED and state.reports[-1] == reports[-1].report_id


@pytest.mark.parametrize("events", OVER.values())
def test_after_the_end_it_is_raised_anew(events: tuple[Any, ...]):
    (raised,) = when(REPEAT, *events)
    assert raised.about.incident_id == AGAIN and raised.acknowledge_by == after(65)


def test_what_is_told_late_is_raised_all_the_same():
    (raised,) = when(replace(RAISE, live=False))
    assert (raised.live, raised.acknowledge_by) == (False, after(60))


def test_of_what_is_told_later_than_its_restore_both_are_told():
    late, well = replace(RAISE, live=False, device_time=NOW), replace(UNPAIRED, device_time=NOW)
    assert when(replace(RESTORE, device_time=NOW)) == [well]
    assert when(late, well) == [replace(RAISED, live=False), RESTORED]
    state = INCIDENTS.fold([well, replace(RAISED, live=False), RESTORED])
    assert isinstance(state, Raised) and not state.incident.active
    assert when(replace(late, live=True), well) == [RAISED], "what has just happened is not well"


@pytest.mark.parametrize(("raised_at", "well_at"), [(after(1), NOW), (NOW, None), (None, NOW), (None, None)])
def test_what_is_not_known_to_be_older_than_a_restore_is_not_well(raised_at: datetime | None, well_at: datetime | None):
    late = replace(RAISE, live=False, device_time=raised_at)
    assert when(late, replace(UNPAIRED, device_time=well_at)) == [replace(RAISED, live=False)]


def test_of_restores_of_nothing_the_latest_is_kept():
    well, later = replace(UNPAIRED, device_time=after(5)), replace(RESTORE, report_id=UUID(int=78), device_time=after(6))
    assert when(later, well) == when(later, UNPAIRED) == [RestoreUnpaired(SOURCE, UUID(int=78), after(6))]
    assert when(replace(later, device_time=after(5)), well) == when(replace(later, device_time=None), well) == []
    late = replace(RAISE, live=False, device_time=after(6))
    assert when(late, well, *when(later, well)) == [replace(RAISED, live=False), IncidentRestored(ABOUT, UUID(int=78))]


def test_a_restore_that_belonged_to_something_makes_nothing_later_well():
    late = replace(REPEAT, live=False)
    (raised,) = when(late, *OPEN["acknowledged"], RESTORED, FOUND_FALSE)
    assert raised.about.incident_id == AGAIN
    (raised,) = when(late, *OVER["false"], RESTORED)
    assert raised.about.incident_id == AGAIN


@pytest.mark.parametrize("state", OPEN)
def test_a_restore_marks_what_is_open_and_ends_nothing(state: str):
    assert when(RESTORE, *OPEN[state]) == [RESTORED]
    before, now = INCIDENTS.fold(OPEN[state]), INCIDENTS.fold([*OPEN[state], RESTORED])
    assert type(now) is type(before) and not now.incident.active and due(now) == due(before)


def test_a_source_is_well_once_and_not_any_more_when_it_says_it_again():
    another = replace(RESTORE, report_id=UUID(int=78))
    assert when(RESTORE, RAISED, RESTORED) == when(another, RAISED, RESTORED) == []
    assert when(REPEAT, RAISED, RESTORED) == [REPEATED]
    state = INCIDENTS.fold([RAISED, RESTORED, REPEATED])
    assert isinstance(state, Raised) and state.incident.active
    assert when(another, RAISED, RESTORED, REPEATED) == [IncidentRestored(ABOUT, UUID(int=78))]


@pytest.mark.parametrize("events", OVER.values())
def test_a_restore_after_the_end_is_recorded_with_what_ended(events: tuple[Any, ...]):
    assert when(RESTORE, *events) == [RESTORED]
    assert isinstance(INCIDENTS.fold([*events, RESTORED]), Quiet)


def test_a_restore_of_nothing_is_history_once():
    another = replace(RESTORE, report_id=UUID(int=78))
    assert when(RESTORE) == [UNPAIRED] and when(another, UNPAIRED) == []
    assert when(replace(RESTORE, kept=False)) == []
    assert when(another, *OVER["false"], RESTORED) == [RestoreUnpaired(SOURCE, UUID(int=78))]


def test_a_restore_that_came_before_the_end_is_known_at_the_end():
    state = INCIDENTS.fold([*OPEN["acknowledged"], RESTORED, FOUND_FALSE])
    assert isinstance(state, Quiet) and state.last is not None and state.last.restored


# what people do


def test_whoever_acknowledges_owns_it_and_has_the_time_to_verify():
    assert when(ACKNOWLEDGE, RAISED) == [ACKNOWLEDGED]
    state = INCIDENTS.fold(OPEN["acknowledged"])
    assert isinstance(state, Acknowledged) and (state.owner, due(state)) == (ANN, after(190))


@pytest.mark.parametrize("state", ["acknowledged", "verified", "dispatched"])
def test_the_owner_says_nothing_new_by_acknowledging_again(state: str):
    assert when(replace(ACKNOWLEDGE, take_over=True), *OPEN[state]) == []


def test_another_one_has_to_say_that_they_take_it_over_and_moves_no_deadline():
    ben = replace(ACKNOWLEDGE, by=BEN, now=after(100))
    refused("acknowledged_by_another", ben, *OPEN["acknowledged"])
    assert when(replace(ben, take_over=True), *OPEN["acknowledged"]) == [replace(ACKNOWLEDGED, by=BEN)]
    escalated = IncidentEscalated(ABOUT, 1, "verification", after(190), ("guard", "staff"), after(250))
    state = INCIDENTS.fold([*OPEN["acknowledged"], escalated, replace(ACKNOWLEDGED, by=BEN)])
    assert isinstance(state, Acknowledged) and (state.owner, due(state), state.incident.level) == (BEN, after(250), 1)


@pytest.mark.parametrize("state", ["verified", "dispatched"])
def test_at_the_change_of_shift_another_one_takes_over_what_is_verified_too(state: str):
    ben, before = replace(ACKNOWLEDGE, by=BEN), INCIDENTS.fold(OPEN[state])
    refused("acknowledged_by_another", ben, *OPEN[state])
    (taken,) = when(replace(ben, take_over=True), *OPEN[state])
    after_it = INCIDENTS.fold([*OPEN[state], taken])
    assert isinstance(after_it, type(before)) and (after_it.owner, due(after_it)) == (BEN, due(before))


def test_it_is_verified_by_anybody_on_duty_once():
    assert when(VERIFY, *OPEN["acknowledged"]) == [VERIFIED]
    assert when(replace(VERIFY, by=BEN, role="staff"), *OPEN["acknowledged"]) == [replace(VERIFIED, by=BEN)]
    assert when(VERIFY, *OPEN["verified"]) == when(replace(VERIFY, how="camera"), *OPEN["dispatched"]) == []
    state = INCIDENTS.fold(OPEN["verified"])
    assert isinstance(state, Verified) and (state.owner, due(state)) == (ANN, after(140))


def test_what_nobody_acknowledged_is_neither_verified_nor_false():
    refused("not_acknowledged", VERIFY, RAISED)
    refused("not_acknowledged", FALSE, RAISED)


def test_it_is_found_false_before_it_is_verified_and_over():
    assert when(FALSE, *OPEN["acknowledged"]) == [FOUND_FALSE]
    refused("already_verified", FALSE, *OPEN["verified"])
    refused("already_verified", FALSE, *OPEN["dispatched"])
    assert isinstance(INCIDENTS.fold(OVER["false"]), Quiet) and due(INCIDENTS.fold(OVER["false"])) is None


def test_somebody_is_sent_once_it_is_verified_and_others_after_them():
    assert when(DISPATCH, *OPEN["verified"]) == [DISPATCHED]
    refused("not_verified", DISPATCH, RAISED)
    refused("not_verified", DISPATCH, *OPEN["acknowledged"])
    assert when(DISPATCH, *OPEN["dispatched"]) == []
    guard = replace(DISPATCH, to="guard", assignee=BEN, now=after(500))
    assert when(guard, *OPEN["dispatched"]) == [IncidentDispatched(ABOUT, ANN, "guard", BEN, after(7230))], "the deadline stays"
    second = replace(DISPATCHED, to="guard", assignee=BEN)
    state = INCIDENTS.fold([*OPEN["dispatched"], second])
    assert isinstance(state, Dispatched) and len(state.sent) == 2 and due(state) == after(7230)
    assert when(guard, *OPEN["dispatched"], second) == when(DISPATCH, *OPEN["dispatched"], second) == []


def test_it_is_resolved_once_it_is_verified():
    assert when(RESOLVE, *OPEN["verified"]) == when(RESOLVE, *OPEN["dispatched"]) == [RESOLVED]
    refused("not_verified", RESOLVE, RAISED)
    refused("not_verified", RESOLVE, *OPEN["acknowledged"])


@pytest.mark.parametrize(("name", "state"), [(name, state) for name in STEPS for state in OVER])
def test_what_is_over_is_over_and_the_same_end_is_silence(name: str, state: str):
    same = (name, state) in (("false", "false"), ("resolve", "resolved"))
    if same:
        assert when(STEPS[name], *OVER[state]) == []
        changed = replace(STEPS[name], **({"cause": "dust"} if name == "false" else {"how": "left"}))
        refused("incident_over", changed, *OVER[state])
    else:
        refused("incident_over", STEPS[name], *OVER[state])


@pytest.mark.parametrize("name", STEPS)
def test_a_step_of_an_earlier_incident_does_nothing_to_the_one_that_is_open(name: str):
    raised = replace(RAISED, about=replace(ABOUT, incident_id=AGAIN), report_id=AGAIN)
    refused("incident_over", STEPS[name], *OVER["resolved"], raised)


@pytest.mark.parametrize("name", STEPS)
def test_of_nothing_there_is_nothing_to_do(name: str):
    with pytest.raises(NotFound, match="incident"):
        when(STEPS[name], UNPAIRED)


@pytest.mark.parametrize(("name", "role"), [(name, role) for name in STEPS for role in ("resident", "operator", "police", "grid", "")])
def test_only_who_is_on_duty_takes_a_step(name: str, role: str):
    for events in OPEN.values():
        refused("not_on_duty", replace(STEPS[name], role=role), *events)


# deadlines


def told(*events: Any, now: int) -> list[Any]:
    return when(EscalateIncident(after(now)), *events)


def test_what_is_not_done_in_time_is_told_level_after_level():
    first = IncidentEscalated(ABOUT, 1, "acknowledgement", after(60), ("guard", "staff"), after(120))
    assert told(RAISED, now=60) == [first] and told(RAISED, now=59) == []
    second = replace(first, level=2, told=("guard", "staff", "grid"), next_by=after(180))
    assert told(RAISED, first, now=120) == [second] and told(RAISED, first, now=119) == []
    third = replace(first, level=3, told=("guard", "staff", "grid", "operator"), next_by=None)
    assert told(RAISED, first, second, now=180) == [third]
    assert told(RAISED, first, second, third, now=100_000) == [] and due(INCIDENTS.fold([RAISED, first, second, third])) is None


def test_who_is_told_late_has_the_whole_time_to_act():
    (late,) = told(RAISED, now=4000)
    assert (late.level, late.due, late.next_by) == (1, after(60), after(4060))


def test_the_next_step_begins_its_own_ladder():
    first = IncidentEscalated(ABOUT, 1, "acknowledgement", after(60), ("guard", "staff"), after(120))
    assert [(e.level, e.waiting_for, e.due) for e in told(RAISED, first, ACKNOWLEDGED, now=190)] == [(1, "verification", after(190))]


@pytest.mark.parametrize(("state", "step", "at"), [
    ("raised", "acknowledgement", 60), ("acknowledged", "verification", 190), ("verified", "dispatch", 140),
    ("dispatched", "resolution", 7230)])
def test_each_state_waits_for_its_step(state: str, step: str, at: int):
    assert waits_for(INCIDENTS.fold(OPEN[state])) == step
    assert [(e.waiting_for, e.due) for e in told(*OPEN[state], now=at)] == [(step, after(at))]
    assert told(*OPEN[state], now=at - 1) == []


def test_nothing_is_due_where_nothing_is_open():
    assert told(now=10**6) == told(*OVER["false"], now=10**6) == told(UNPAIRED, now=10**6) == []


def test_police_are_told_of_panic_and_duress():
    about = replace(ABOUT, kind="duress", silent=True)
    events = [replace(RAISED, about=about)]
    for now in (60, 120):
        events += told(*events, now=now)
    assert told(*events, now=180)[0].told[-1] == "police"


def test_an_event_of_a_newer_version_changes_nothing():
    assert INCIDENTS.evolve(INCIDENTS.fold([RAISED]), NOW) == INCIDENTS.fold([RAISED])  # type: ignore[arg-type]
    assert INCIDENTS.evolve(Quiet(), ACKNOWLEDGED) == Quiet()
