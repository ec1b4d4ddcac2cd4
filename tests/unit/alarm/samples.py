"""Incidents as the tests of alarm have them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from services.alarm.domain.incident_history import (
    About,
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentRaised,
    IncidentVerified,
)
from services.alarm.domain.incidents import (
    INCIDENTS,
    AcknowledgeIncident,
    DispatchIncident,
    RaiseIncident,
    RestoreSource,
    VerifyIncident,
)
from services.alarm.domain.kinds import Place
from services.alarm.domain.ladders import LADDERS

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SOURCE, REPORT, AGAIN, THIRD, ANN, BEN, BUILDING, SENSOR, PANEL, DEVICE, HOME, HERE = (UUID(int=n) for n in range(1, 13))
LADDER = LADDERS["critical"]
PLACE = Place(BUILDING, 1, 3, None, "corridor")
ABOUT = About(REPORT, SOURCE, "fire", "critical", False, PLACE, SENSOR, DEVICE)


def after(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


RAISE = RaiseIncident(ABOUT, REPORT, "contact_id:1110", True, LADDER, NOW)
REPEAT = replace(RAISE, about=replace(ABOUT, incident_id=AGAIN), report_id=AGAIN, now=after(5))
RESTORE = RestoreSource(SOURCE, THIRD)
ACKNOWLEDGE = AcknowledgeIncident(REPORT, ANN, "guard", after(10))
VERIFY = VerifyIncident(REPORT, ANN, "guard", "on_site", after(20))
DISPATCH = DispatchIncident(REPORT, ANN, "guard", "fire_brigade", None, after(30))

RAISED = IncidentRaised(ABOUT, REPORT, "contact_id:1110", None, True, LADDER, after(60))
ACKNOWLEDGED = IncidentAcknowledged(ABOUT, ANN, after(10 + 180))
VERIFIED = IncidentVerified(ABOUT, ANN, "on_site", after(20 + 120))
DISPATCHED = IncidentDispatched(ABOUT, ANN, "fire_brigade", None, after(30 + 7200))


def when(command: Any, *events: Any) -> list[Any]:
    return INCIDENTS.decide[type(command)](command, INCIDENTS.fold(events))
