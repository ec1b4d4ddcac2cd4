"""A fire, as the gateway hears of it: reactions name what caused them, people's commands name nothing."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.contracts import access, alarm, devices, identity, neighbors
from libs.contracts.fields import SealedField
from libs.eventkit.recorded import Recorded
from tests.unit.gateway.heard import ANN, BEN, BUILDING, COMMUNITY, DEVICE, GATE, HOME, NOON, heard

INCIDENT, RELEASE, BROADCAST, NOTICE, CIRCLE, EVERYBODY = (UUID(int=0x700 + n) for n in range(6))
PANEL, SENSOR, SOURCE, LIFT, GUARD, STAFF, CAM = (UUID(int=0x710 + n) for n in range(7))
PLACE = alarm.Place(BUILDING, 1, 7, HOME, "kitchen")
LATER = NOON + timedelta(minutes=5)
ABOUT: dict[str, Any] = {"incident_id": INCIDENT, "kind": "fire", "severity": "critical", "silent": False, "place": PLACE}
RELAYS = (access.ReleasedRelay(GATE, DEVICE, 1, "held_open"), access.ReleasedRelay(LIFT, DEVICE, 2, "recalled"))
NAME = SealedField(ANN, ANN, "name", "secret-box")

INSTALLED: list[Struct] = [
    identity.CommunityFounded(COMMUNITY, "里坊", "310101", "Asia/Shanghai"),
    identity.BuildingRegistered(BUILDING, "3", 2),
    identity.HomeRegistered(HOME, BUILDING, 1, "3-1-701"),
    identity.AccountOpened(UUID(int=0x720), GUARD, "guard"),
    identity.AccountOpened(UUID(int=0x721), STAFF, "staff"),
    access.LiftInstalled(LIFT, BUILDING, "A", DEVICE, ()),
    alarm.PanelInstalled(PANEL, CAM, "Main panel"),
    alarm.SensorInstalled(SENSOR, PANEL, 1, 1, "fire", PLACE),
    alarm.PatrolJudged(UUID(int=0x740), UUID(int=0x741), "Night", NOON, {"early": 0, "on_time": 2, "late": 1, "missed": 1}, 1),
    alarm.PatrolJudged(UUID(int=0x740), UUID(int=0x741), "Night", NOON, {"early": 0, "on_time": 3, "late": 1, "missed": 0}, 2),
]
NEIGHBORS: list[Struct] = [
    neighbors.CircleJoined(CIRCLE, BUILDING, ANN),
    neighbors.CircleJoined(EVERYBODY, None, BEN),
    neighbors.CircleLeft(EVERYBODY, None, BEN),
    neighbors.DisplayNameChosen(ANN, NAME),
    neighbors.NoticePosted(NOTICE, CIRCLE, BUILDING, "outage", "Water", "No water on Monday", STAFF, 1),
    neighbors.NoticeRead(NOTICE, ANN),
    identity.PopulationDeclared(ANN, "floating", "staff"),
    identity.PopulationDeclared(ANN, "registered", "self"),
]

RAISED = alarm.IncidentRaised(
    **ABOUT, code="contact_id:1110", source_id=SOURCE, sensor_id=SENSOR, device_id=CAM, raised_by=None, live=True, acknowledge_by=LATER)
SIGNALLED = devices.PanelSignalled(UUID(int=0x730), CAM, "contact_id", "1110", 1, 1, False, True, NOON, ())
REPEATED = alarm.IncidentRepeated(**ABOUT, count=2, live=True)
ESCALATED = alarm.IncidentEscalated(
    **ABOUT, level=1, waiting_for="acknowledgement", due=LATER, told=("guard", "staff"), next_by=LATER + timedelta(minutes=1))
ACKNOWLEDGED = alarm.IncidentAcknowledged(**ABOUT, by=GUARD, verify_by=LATER)
VERIFIED = alarm.IncidentVerified(**ABOUT, by=GUARD, how="on_site", dispatch_by=LATER)
BEGUN = access.FireReleaseBegun(RELEASE, BUILDING, INCIDENT, None, RELAYS, "fire_verified", "fire_verified", ())
SENT = neighbors.BroadcastSent(BROADCAST, BUILDING, "fire", "Leave by the stairs", INCIDENT, None, "fire_verified", "fire_verified", (), 3)
DISPATCHED = alarm.IncidentDispatched(**ABOUT, by=GUARD, to="fire_brigade", assignee=None, resolve_by=LATER)
RESTORED = alarm.IncidentRestored(**ABOUT)
RESOLVED = alarm.IncidentResolved(**ABOUT, by=GUARD, how="put_out")
FALSE = alarm.IncidentFoundFalse(**ABOUT, by=GUARD, cause="cooking")
JOINED = access.FireReleaseJoined(RELEASE, BUILDING, INCIDENT, RELAYS)
ENDED = access.FireReleaseEnded(RELEASE, BUILDING, INCIDENT, STAFF, "fire_over", RELAYS)
CLEAR = neighbors.BroadcastEnded(BROADCAST, BUILDING, STAFF, "all_clear")
QUIET = {**ABOUT, "kind": "duress", "silent": True, "place": alarm.Place(BUILDING, 1, None, None, "gate")}
DURESS = alarm.IncidentRaised(
    **{**QUIET, "incident_id": UUID(int=0x740)}, code="duress", source_id=GATE, sensor_id=None, device_id=None, raised_by=ANN, live=True,
    acknowledge_by=LATER)
THREATENED = access.DuressSignalled(UUID(int=0x741), GATE, ANN, True, NOON)

STORY: list[tuple[str, Struct, tuple[str, ...]]] = [
    ("signal", SIGNALLED, ()),
    ("raised", RAISED, ("signal",)),
    ("repeated", REPEATED, ()),
    ("escalated", ESCALATED, ("raised",)),
    ("acknowledged", ACKNOWLEDGED, ()),
    # access and neighbors are heard before what made them speak: topics are heard independently
    ("begun", BEGUN, ("verified",)),
    ("sent", SENT, ("verified",)),
    ("verified", VERIFIED, ()),
    ("held", devices.HoldCarriedOut(RELEASE, DEVICE, 1, "held_open"), ("begun",)),
    ("released", access.RelayReleased(RELEASE, GATE, True), ("held",)),
    ("hold failed", devices.HoldFailed(RELEASE, DEVICE, 2, "recalled", "unreachable", 1, LATER), ()),
    ("not released", access.RelayNotReleased(RELEASE, LIFT, True, "unreachable"), ("hold failed",)),
    ("lift released", access.RelayReleased(RELEASE, LIFT, True), ()),
    ("told ann", neighbors.ResidentTold(BROADCAST, ANN, "push"), ("sent",)),
    ("not told ben", neighbors.ResidentNotTold(BROADCAST, BEN, "push", "no_channel"), ("sent",)),
    ("dispatched", DISPATCHED, ()),
    ("restored", RESTORED, ("signal",)),
    ("resolved", RESOLVED, ()),
    ("ended", ENDED, ()),
    ("set back", devices.HoldCarriedOut(RELEASE, DEVICE, 1, "normal"), ("ended",)),
    ("normal", access.RelayReleased(RELEASE, GATE, False), ("set back",)),
    ("clear", CLEAR, ()),
]
ID = {name: UUID(int=0x800 + n) for n, (name, _, _) in enumerate(STORY)}


def story(first: int = 100) -> list[tuple[Any, Recorded]]:
    return [
        heard(event, first + n, caused_by=[ID[c] for c in because], event_id=ID[name])
        for n, (name, event, because) in enumerate(STORY)]


def log(events: Sequence[Struct], first: int = 1) -> Iterator[tuple[Any, Recorded]]:
    for n, event in enumerate(events):
        yield heard(event, first + n)


def at(event: Any, **place: Any) -> Any:
    return replace(event, place=replace(event.place, **place))
