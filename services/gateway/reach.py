"""Which alarms, fire releases, notices and broadcasts reach a resident, and what of them. Pure; what is not listed reaches nobody.

1. An incident: of their home, or that they raised, or, once it is verified, a fire or gas leak in their building. A silent one never.
2. Of an incident that is not at their home they learn building, unit and floor, and of none who acted.
3. A notice: of their circles. A broadcast: to their building; who else was told is nobody's business.
4. By which of their PINs a door opened, and that they hold or held one, is told to no resident: whoever stands beside them may not see that
   there is a second one, and not that it was that one.
5. What was at their home before they lived there is no alarm of their home.
6. A wellness check: those who are asked, and are told who else is as little as who ended it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.contracts.access import (
    CredentialIssued,
    CredentialJudged,
    CredentialRevoked,
    DoorOpeningOrdered,
    DoorPassed,
    DuressSignalled,
    FireReleaseBegun,
    FireReleaseEnded,
    FireReleaseJoined,
)
from libs.contracts.alarm import IncidentRaised, IncidentVerified, PanelInstalled, Place, SensorInstalled, WellnessCheck
from libs.contracts.devices import DetectionReported, LineBack, LineSilent, PanelSignalled
from libs.contracts.neighbors import BroadcastEnded, BroadcastSent, NoticePosted, NoticeWithdrawn
from libs.eventkit.recorded import Recorded

OF_ALL = ("fire", "gas")
"""Kinds that concern everybody in the building, once they are verified."""
OF_PANELS = (PanelInstalled, SensorInstalled, PanelSignalled, DetectionReported, LineSilent, LineBack)
"""No resident's business: a panel's name, or the number of a zone or user, tells whose home it is."""
HIDDEN: dict[str, Any] = {"by": None, "assignee": None, "sensor_id": None, "device_id": None, "facts": (), "audience": 0, "asked": ()}
"""What no resident is told, and what stands in its place where an explanation has to have a whole event."""


class Viewer(Struct, frozen=True):
    """`doors`: those that the person may open now; `homes`, `buildings`: where they live; `circles`: to which they belong; `told`: the
    incidents, notices and broadcasts that reach them though an event does not say so; `since`: when they began to live in each
    of their homes, where that is known. Only asked for where not everything is seen."""

    community_id: UUID
    person_id: UUID
    sees_all: bool
    doors: frozenset[UUID] = frozenset()
    homes: frozenset[UUID] = frozenset()
    buildings: frozenset[UUID] = frozenset()
    circles: frozenset[UUID] = frozenset()
    told: frozenset[UUID] = frozenset()
    since: Mapping[UUID, datetime] = {}


def concerns(event: Any) -> bool:
    """Whether the rules of this module decide about it."""
    kinds = (DuressSignalled, FireReleaseBegun, FireReleaseJoined, FireReleaseEnded, *OF_PANELS)
    return isinstance(event, kinds) or of_pin(event) or str(event.__struct_config__.tag).startswith(("alarm.", "neighbors.", "gov."))


def by_pin(event: Any) -> bool:
    """What its facts name, or what caused it, is the PIN's event: another one for the duress PIN."""
    return isinstance(event, CredentialJudged | DoorPassed | DoorOpeningOrdered) and event.means == "pin"


def of_pin(event: Any) -> bool:
    """That somebody holds a PIN, or no longer: of the duress PIN there is such an event too, and nothing in it says which it is."""
    return isinstance(event, CredentialIssued | CredentialRevoked) and event.kind == "pin"


def then(viewer: Viewer, row: Recorded) -> Viewer:
    """As of what they lived in when it was said."""
    at = row.meta.source_time or row.recorded_at
    later = {home_id for home_id, begun in viewer.since.items() if begun > at}
    return replace(viewer, homes=viewer.homes - later) if later else viewer


def reaches(viewer: Viewer, event: Any) -> bool:
    if isinstance(event, (DuressSignalled, *OF_PANELS)) or of_pin(event) or getattr(event, "silent", False):
        return False
    match event:
        case FireReleaseBegun() | FireReleaseJoined() | FireReleaseEnded() | BroadcastSent():
            return event.building_id in viewer.buildings
        case BroadcastEnded():
            return event.building_id in viewer.buildings or event.broadcast_id in viewer.told
        case NoticePosted():
            return event.circle_id in viewer.circles
        case NoticeWithdrawn():
            return event.notice_id in viewer.told
        case WellnessCheck():
            return viewer.person_id in event.asked
    if isinstance(place := getattr(event, "place", None), Place):
        return place.home_id in viewer.homes or event.incident_id in viewer.told or _begins_to(viewer, event)
    return bool(getattr(event, "resident_id", None) == viewer.person_id)


def _begins_to(viewer: Viewer, event: Any) -> bool:
    match event:
        case IncidentRaised(raised_by=person_id):
            return bool(person_id == viewer.person_id)
        case IncidentVerified(kind=kind, place=place):
            return kind in OF_ALL and place.building_id in viewer.buildings
        case _:
            return False


def learned(viewer: Viewer, event: Any, row: Recorded) -> Viewer:
    """With what reaches them from this event on."""
    if viewer.sees_all or not concerns(event) or not reaches(then(viewer, row), event):
        return viewer
    match event:
        case IncidentRaised(incident_id=told) | IncidentVerified(incident_id=told) | NoticePosted(notice_id=told):
            return replace(viewer, told=viewer.told | {told})
        case BroadcastSent(broadcast_id=told):
            return replace(viewer, told=viewer.told | {told})
        case _:
            return viewer


def at_home(viewer: Viewer, event: Any) -> bool:
    return getattr(getattr(event, "place", None), "home_id", None) in viewer.homes


def without(event: Any, home: bool) -> Any:
    """The event as a resident may have it; `home`: whether it is theirs where it happened."""
    names = set(event.__struct_fields__)
    hidden = {name: value for name, value in HIDDEN.items() if name in names}
    if isinstance(event, IncidentRaised) and not home:
        hidden |= {"raised_by": None, "source_id": event.incident_id}
    place = getattr(event, "place", None)
    if isinstance(place, Place) and not home:
        hidden["place"] = Place(place.building_id, place.unit, place.floor)
    return replace(event, **hidden)


def dropped(event: Any) -> set[str]:
    """The fields that a resident's feed leaves out: null would look like something nobody knows."""
    return {name for name in HIDDEN if name in event.__struct_fields__}


def everything(ids: Iterable[Any]) -> frozenset[UUID]:
    return frozenset(i for i in ids if i is not None)
