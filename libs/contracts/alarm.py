"""What alarm tells others: panels, sensors, and what became of each incident, from the first signal to the person who ended it; patrols."""
from datetime import datetime
from typing import Literal
from uuid import UUID
from msgspec import Struct
from libs.contracts.fields import Confirmed

IncidentKind = Literal[
    "fire", "gas", "water", "medical", "panic", "sos", "duress", "burglary", "tamper", "supervisory", "trouble", "line", "other"]
Severity = Literal["critical", "high", "low"]
class Place(Struct, frozen=True):
    """Where it is, as far as anybody said. `name`: of the spot, as staff call it."""
    building_id: UUID | None = None
    unit: int | None = None
    floor: int | None = None
    home_id: UUID | None = None
    name: str = ""
class PanelInstalled(Struct, frozen=True, tag="alarm.panel_installed"):
    """An alarm panel (报警主机) and the device that speaks for it. Said again when that changes."""
    panel_id: UUID
    device_id: UUID
    name: str
class SensorInstalled(Struct, frozen=True, tag="alarm.sensor_installed"):
    """A sensor on a zone (防区) of a panel, and where it hangs. Said again when that changes."""
    sensor_id: UUID
    panel_id: UUID
    partition: int
    zone: int
    kind: str
    place: Place
class _OfIncident(Struct, frozen=True):
    """Every event says `kind`, `severity` and `place`. `silent`: nothing that anybody there could see or hear may follow (duress)."""
    incident_id: UUID
    kind: IncidentKind
    severity: Severity
    silent: bool
    place: Place
class IncidentRaised(_OfIncident, frozen=True, tag="alarm.incident_raised"):
    """`code`: as the panel said it (`contact_id:1110`, `sia:FA`), or sos, manual, line, duress. `live` false: told late."""
    code: str
    source_id: UUID
    sensor_id: UUID | None
    device_id: UUID | None
    raised_by: UUID | None
    live: bool
    acknowledge_by: datetime
class IncidentRepeated(_OfIncident, frozen=True, tag="alarm.incident_repeated"):
    """The same source said it again; `count` with the first one."""
    count: int
    live: bool
class IncidentRestored(_OfIncident, frozen=True, tag="alarm.incident_restored"):
    """The source is well again. The incident stays until a person has ended it."""
class _ByPerson(_OfIncident, frozen=True):
    by: UUID
class IncidentAcknowledged(_ByPerson, frozen=True, tag="alarm.incident_acknowledged"):
    """A named person owns it from now on; said again when another one takes it over."""
    verify_by: datetime
class IncidentVerified(_ByPerson, frozen=True, tag="alarm.incident_verified"):
    """It is real. `how` somebody knows."""
    how: Literal["on_site", "camera", "call", "second_sensor"]
    dispatch_by: datetime
class IncidentFoundFalse(_ByPerson, frozen=True, tag="alarm.incident_found_false"):
    """It was none, and is over."""
    cause: Literal["cooking", "steam", "dust", "insects", "smoking", "fault", "test", "misuse", "unknown"]
class IncidentDispatched(_ByPerson, frozen=True, tag="alarm.incident_dispatched"):
    """Somebody is on the way. `assignee`: a person of the community, where it is one."""
    to: Literal["guard", "maintenance", "fire_brigade", "police", "ambulance"]
    assignee: UUID | None
    resolve_by: datetime
class IncidentResolved(_ByPerson, frozen=True, tag="alarm.incident_resolved"):
    """A person says that it is over."""
    how: Literal["put_out", "repaired", "helped", "left", "handed_over", "nothing_found"]
class IncidentEscalated(_OfIncident, frozen=True, tag="alarm.incident_escalated"):
    """Nobody did `waiting_for` by `due`. `level`: from 1; `told`: the roles that it names; `next_by`: then one higher, None at the top."""
    level: int
    waiting_for: Literal["acknowledgement", "verification", "dispatch", "resolution"]
    due: datetime
    told: tuple[str, ...]
    next_by: datetime | None
class PatrolJudged(Struct, frozen=True, tag="alarm.patrol_judged"):
    """How a patrol's round went, by its stops. Said again (`times`) where a phone tells late who was there."""
    round_id: UUID
    route_id: UUID
    name: str
    starts_at: datetime
    stops: dict[Literal["early", "on_time", "late", "missed"], int]
    times: int
class WellnessCheck(Struct, frozen=True, tag="alarm.wellness_check"):
    """Silent since, longer than usual. `state`: whom it asks (who lives there, then neighbours) until `answer_by`, or how it ended."""
    check_id: UUID
    home_id: UUID
    state: Literal["home", "neighbours", "sign", "well", "not_well", "unanswered", "called_off"]
    asked: tuple[UUID, ...]
    silent_since: datetime
    answer_by: datetime | None
    by: UUID | None
class AlarmErasureConfirmed(Confirmed, frozen=True, tag="alarm.erasure_confirmed"): ...
