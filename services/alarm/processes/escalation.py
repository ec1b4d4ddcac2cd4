"""What is not done in time is told to more people: the timer of incidents. When follows from each source's events alone."""

from libs.eventkit.service import App
from libs.eventkit.timers import Due, Timer
from services.alarm.domain.incident_history import Quiet
from services.alarm.domain.incidents import INCIDENTS, EscalateIncident, due, waits_for


def escalations(app: App) -> Timer:
    async def fire(found: Due) -> None:
        if isinstance(found.state, Quiet):
            return
        context = found.context(f"escalate {waits_for(found.state)} {found.state.incident.level}")
        await app.commands.handle(found.subject_id, EscalateIncident(context.now), context)

    return Timer("escalations", INCIDENTS, due, fire)
