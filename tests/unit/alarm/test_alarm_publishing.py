"""What others hear: each contract from its event, about the incident and not about its source."""

from typing import Any
from uuid import uuid4

import pytest
from msgspec import structs

from libs.contracts import alarm as public
from services.alarm.domain import incident_history as history
from services.alarm.domain.kinds import Place
from services.alarm.domain.ladder_settings import LadderSet
from services.alarm.domain.panels import PanelInstalled
from services.alarm.domain.sensors import SensorInstalled
from services.alarm.main import EVENTS
from services.alarm.publishing import SAME, publish
from tests.kit import recorded
from tests.unit.alarm.samples import (
    ABOUT,
    ACKNOWLEDGED,
    AGAIN,
    ANN,
    BEN,
    BUILDING,
    DEVICE,
    DISPATCHED,
    HERE,
    LADDER,
    PANEL,
    RAISED,
    REPORT,
    SENSOR,
    SOURCE,
    VERIFIED,
    after,
)

SAID = public.Place(BUILDING, 1, 3, None, "corridor")
OF = {"incident_id": REPORT, "kind": "fire", "severity": "critical", "silent": False, "place": SAID}


def told(event: Any) -> list[Any]:
    return [(said.body, said.subject) for said in publish(event, recorded(event, HERE, stream=f"source:{SOURCE}"))]


@pytest.mark.parametrize(("event", "body"), [
    (RAISED, public.IncidentRaised(
        **OF, code="contact_id:1110", source_id=SOURCE, sensor_id=SENSOR, device_id=DEVICE, raised_by=None, live=True,
        acknowledge_by=after(60))),
    (history.IncidentRepeated(ABOUT, AGAIN, "x", BEN, False, 2), public.IncidentRepeated(**OF, count=2, live=False)),
    (history.IncidentRestored(ABOUT, AGAIN), public.IncidentRestored(**OF)),
    (ACKNOWLEDGED, public.IncidentAcknowledged(**OF, by=ANN, verify_by=after(190))),
    (VERIFIED, public.IncidentVerified(**OF, by=ANN, how="on_site", dispatch_by=after(140))),
    (history.IncidentFoundFalse(ABOUT, ANN, "dust"), public.IncidentFoundFalse(**OF, by=ANN, cause="dust")),
    (DISPATCHED, public.IncidentDispatched(**OF, by=ANN, to="fire_brigade", assignee=None, resolve_by=after(7230))),
    (history.IncidentResolved(ABOUT, ANN, "left"), public.IncidentResolved(**OF, by=ANN, how="left")),
    (history.IncidentEscalated(ABOUT, 2, "dispatch", after(1), ("guard",), None), public.IncidentEscalated(
        **OF, level=2, waiting_for="dispatch", due=after(1), told=("guard",), next_by=None)),
], ids=lambda value: type(value).__name__)
def test_an_incident_is_told_with_what_it_is_and_where(event: Any, body: Any):
    assert told(event) == [(body, f"incident:{REPORT}")]


def test_duress_is_told_as_silent():
    ((body, _),) = told(structs.replace(RAISED, about=structs.replace(ABOUT, kind="duress", silent=True)))
    assert body.silent and body.kind == "duress"


def test_panels_and_sensors_are_told_as_they_are():
    assert told(PanelInstalled(PANEL, DEVICE, "east")) == [(public.PanelInstalled(PANEL, DEVICE, "east"), "")]
    assert told(SensorInstalled(SENSOR, PANEL, 1, 7, "smoke", Place(BUILDING, 1, 3, None, "corridor"))) == [
        (public.SensorInstalled(SENSOR, PANEL, 1, 7, "smoke", SAID), "")]


def test_what_is_alarms_own_business_is_not_told():
    assert told(history.RestoreUnpaired(SOURCE, uuid4())) == told(LadderSet("low", LADDER)) == []


def test_every_event_of_an_incident_has_its_contract():
    assert {event for event in EVENTS if "about" in event.__struct_fields__} == set(SAME)
    assert all(kind.__name__ == contract.__name__ for kind, contract in SAME.items())
