"""What authorities may hear, on `gov.incidents.v1`: what an incident is and how it goes; nobody's name, home or person's id.
The subject is the incident. `division_code`: GB/T 2260. Who acts is said by role. What nobody supplied is absent (None)."""
from datetime import datetime
from typing import Literal
from uuid import UUID
from msgspec import Struct

State = Literal["raised", "acknowledged", "verified", "found_false", "dispatched", "resolved"]
class _Of(Struct, frozen=True):
    incident_id: UUID
    division_code: str
    kind: str
    severity: str
    silent: bool
    building_id: UUID | None
class IncidentOpened(_Of, frozen=True, tag="gov.incident_opened"):
    """It was raised. `deadline`: by when somebody has to acknowledge it."""
    code: str
    raised_at: datetime
    deadline: datetime
class IncidentProgressed(_Of, frozen=True, tag="gov.incident_progressed"):
    """It is in another state since `at`. `how`: by what, for what cause, or to whom, in one word; `deadline`: of the next step."""
    state: State
    at: datetime
    how: str
    deadline: datetime | None
class IncidentOverdue(_Of, frozen=True, tag="gov.incident_overdue"):
    """Nobody did `waiting_for` in time; it stands at `level` of the ladder, which names these roles."""
    level: int
    waiting_for: str
    due: datetime
    told: tuple[str, ...]
    next_by: datetime | None
class IncidentRecurred(_Of, frozen=True, tag="gov.incident_recurred"):
    """The same source has said it `count` times; told at 2, 4, 8, …: so that a storm is no storm here."""
    count: int
    at: datetime
class FireReleased(_Of, frozen=True, tag="gov.fire_released"):
    """Because of it the building's evacuation doors stand open and its lifts are at the ground floor (`released`), or no more."""
    released: bool
    doors: int
    lifts: int
    at: datetime
