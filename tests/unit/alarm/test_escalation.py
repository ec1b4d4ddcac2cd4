"""The timer of incidents: when it is due, and what it asks for."""

from types import SimpleNamespace
from typing import Any

from libs.eventkit.timers import Due
from services.alarm.domain.incident_history import IncidentEscalated, Quiet
from services.alarm.domain.incidents import INCIDENTS, EscalateIncident
from services.alarm.processes.escalation import escalations
from tests.unit.alarm.samples import ABOUT, ACKNOWLEDGED, AGAIN, HERE, NOW, RAISED, SOURCE, after


async def asked(*events: Any) -> list[Any]:
    found: list[Any] = []

    async def handle(subject_id: Any, command: Any, context: Any) -> None:
        found.append((subject_id, command, context))

    app: Any = SimpleNamespace(commands=SimpleNamespace(handle=handle))
    state = INCIDENTS.fold(events) if events else Quiet()
    await escalations(app).fire(Due(HERE, SOURCE, state, NOW, AGAIN))
    return found


def test_it_follows_incidents_by_their_deadline():
    timer = escalations(SimpleNamespace())  # type: ignore[arg-type]
    assert (timer.decider, timer.due(INCIDENTS.fold([RAISED])), timer.due(Quiet())) == (INCIDENTS, after(60), None)


async def test_it_asks_for_one_level_because_of_what_set_the_deadline():
    ((subject, command, context),) = await asked(RAISED)
    assert (subject, command) == (SOURCE, EscalateIncident(context.now))
    assert (context.community_id, context.caused_by) == (HERE, (AGAIN,))


async def test_each_level_of_each_step_has_ids_of_its_own_that_a_rerun_repeats():
    escalated = IncidentEscalated(ABOUT, 1, "acknowledgement", after(60), ("guard",), after(120))
    ids = [next(iter((await asked(*events))[0][2].ids("alarm"))) for events in (
        (RAISED,), (RAISED, escalated), (RAISED, ACKNOWLEDGED), (RAISED,))]
    assert len(set(ids)) == 3 and ids[0] == ids[3]


async def test_what_has_ended_meanwhile_asks_for_nothing():
    assert await asked() == []
