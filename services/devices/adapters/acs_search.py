"""Events that a Hikvision terminal kept: `POST /ISAPI/AccessControl/AcsEvent?format=json` (ISAPI developer guide, access
control). It answers in pages; `responseStatusStrg` is MORE while there are further ones, OK with the last, or NO MATCH.
"""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.devices.adapters.charset import decode
from services.devices.adapters.documents import Tree, read_json
from services.devices.adapters.hikvision import report_of
from services.devices.adapters.report import Report, Unreadable
from services.devices.adapters.values import number, part, text

PATH = "/ISAPI/AccessControl/AcsEvent?format=json"
PAGE = 30
"""Events in a page: devices refuse more."""
LAST_SERIAL = 2**31 - 1


class Page(Struct, frozen=True):
    """`count`: events that it held, those that could not be read included; `more`: ask again, `count` further on."""

    reports: list[Report]
    count: int
    more: bool


def condition(search_id: str, position: int, after: int, before: int | None = None, page: int = PAGE) -> bytes:
    """Asks for the events between two serial numbers, both exclusive; position counts from 0 within the search."""
    return msgspec.json.encode({"AcsEventCond": {
        "searchID": search_id, "searchResultPosition": position, "maxResults": page, "major": 0, "minor": 0,
        "beginSerialNo": after + 1, "endSerialNo": LAST_SERIAL if before is None else before - 1}})  # fmt: skip


def read_page(body: bytes, content_type: str) -> Page:
    """The events of an answer, all of them history. Pure. Raises Unreadable."""
    said, _ = decode(body, content_type)
    found = part(read_json(said)[0], "AcsEvent")
    status = text(found.get("responseStatusStrg")).upper()
    events = found.get("InfoList")
    if not found or not (status or isinstance(events, list)):
        raise Unreadable("not_an_event", "no AcsEvent")
    listed = events if isinstance(events, list) else []
    reports = [_report(event) for event in listed if isinstance(event, dict) and number(event.get("major")) is not None]
    return Page(reports=reports, count=len(listed), more=status == "MORE")


def _report(event: Tree) -> Report:
    """A found event is told as it would have been pushed, so that it is known again."""
    inner: Tree = {name: value for name, value in event.items() if name not in ("major", "minor", "time", "currentEvent")}
    inner |= {"majorEventType": event.get("major"), "subEventType": event.get("minor")}
    alert: Tree = {
        "dateTime": event.get("time"), "eventType": "AccessControllerEvent", "eventState": "active",
        "AccessControllerEvent": inner,
    }  # fmt: skip
    return replace(report_of(alert), history=True, awaits_decision=False)
