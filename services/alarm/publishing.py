"""What others hear of alarm: own event → public contracts. Pure. All of one incident is about `incident:<id>`, of
one wellness check about `wellness-check:<id>`."""

from typing import Any

from msgspec import Struct, structs

from libs.contracts import alarm as public
from libs.eventkit.commands import Public
from libs.eventkit.erasing import ErasureConfirmed
from libs.eventkit.recorded import Recorded
from services.alarm.domain import care_history, panels, patrol_rounds, sensors
from services.alarm.domain import incident_history as history
from services.alarm.domain.kinds import Place

SAME: dict[type, type[Struct]] = {
    history.IncidentRepeated: public.IncidentRepeated,
    history.IncidentRestored: public.IncidentRestored,
    history.IncidentAcknowledged: public.IncidentAcknowledged,
    history.IncidentVerified: public.IncidentVerified,
    history.IncidentFoundFalse: public.IncidentFoundFalse,
    history.IncidentDispatched: public.IncidentDispatched,
    history.IncidentResolved: public.IncidentResolved,
    history.IncidentEscalated: public.IncidentEscalated,
    history.IncidentRaised: public.IncidentRaised,
}
"""Events of an incident: others hear of each what its contract names, of the event itself and of what it is about."""


def publish(event: Any, row: Recorded) -> tuple[Public, ...]:
    match event:
        case panels.PanelInstalled(panel_id=panel_id, device_id=device_id, name=name):
            return (Public(public.PanelInstalled(panel_id, device_id, name)),)
        case sensors.SensorInstalled():
            told = {name: getattr(event, name) for name in public.SensorInstalled.__struct_fields__}
            return (Public(public.SensorInstalled(**told | {"place": _place(event.place)})),)
        case patrol_rounds.PatrolRoundJudged():
            return (Public(public.PatrolJudged(**structs.asdict(event)), f"patrol:{event.round_id}"),)
        case care_history.CheckAsked() | care_history.CheckEnded():
            return (Public(_check(event), f"wellness-check:{event.check_id}"),)
        case ErasureConfirmed(person_id=resident_id, keys=keys):
            return (Public(public.AlarmErasureConfirmed(resident_id, keys)),)
        case _ if type(event) in SAME:
            about = structs.asdict(event.about)
            said = {**about, **structs.asdict(event), "place": _place(event.about.place)}
            contract = SAME[type(event)]
            body = contract(**{name: said[name] for name in contract.__struct_fields__})
            return (Public(body, f"incident:{event.about.incident_id}"),)
        case _:
            return ()


def _check(event: care_history.CheckAsked | care_history.CheckEnded) -> public.WellnessCheck:
    said = (event.asked, event.silent_since)
    if isinstance(event, care_history.CheckAsked):
        return public.WellnessCheck(event.check_id, event.home_id, event.of, *said, event.answer_by, event.began_by)
    return public.WellnessCheck(event.check_id, event.home_id, event.how, *said, None, event.by)


def _place(place: Place) -> public.Place:
    return public.Place(**structs.asdict(place))
