"""ONVIF cameras: the notifications that they push, or that were pulled from them, read into reports.

Format: WS-BaseNotification 1.3 `NotificationMessage` with ONVIF's `tt:Message` (ONVIF Core Specification, event handling), in a SOAP
`Notify`, in a `PullMessagesResponse`, or in the `tt:MetadataStream` of ONVIF's streaming specification.

1. A topic is a path of qualified names, so its prefixes are the document's own: the namespace counts (`NAMESPACES`).
2. `PropertyOperation` Changed, or none, says that something happened. Initialized says how things stand for whoever begins to listen,
   Deleted that nobody watches any more: history, which actuates nothing. Where it does not say whether it is so, and where nobody watches,
   it is no alarm either, but something that was done to the device.
3. `UtcTime` is in UTC, also where a device leaves out the `Z`.
4. Names that people gave to rules and disks may say who they are: they stand in the sealed body alone.
"""

import re
from collections.abc import Iterator

from lxml import etree

from services.devices.adapters.charset import decode
from services.devices.adapters.device_clock import read_clock
from services.devices.adapters.documents import read_elements
from services.devices.adapters.onvif_topics import NAMESPACES, kind_of
from services.devices.adapters.report import MAX_BODY, Primitive, Report, State, Unreadable
from services.devices.adapters.values import MAX_TEXT

__all__ = ["MAX_BODY", "MAX_MESSAGES", "read"]

MAX_MESSAGES = 256
"""Notifications a body."""

_READABLE_TYPES = frozenset({"", "application/octet-stream", "application/soap+xml", "application/xml", "text/plain", "text/xml"})
_CARRIERS = frozenset({"MetadataStream", "Notify", "PullMessagesResponse"})
_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,80}")
_HAPPENED = frozenset({"", "Changed"})
_OPERATIONS = _HAPPENED | {"Initialized", "Deleted"}
_STATES = (
    "state", "logicalstate", "active", "ismotion", "isinside", "istamper", "istampered", "issounddetected", "triggered", "tampering",
    "motion", "alert", "failed", "disruption", "lost", "open", "is_moving", "on_preset", "value")
"""Items of `Data` that say whether it is so, the usual one first, in lower case."""
_ON, _OFF = frozenset({"true", "1", "on", "active", "yes"}), frozenset({"false", "0", "off", "inactive", "no"})
_SOURCES = (
    "videosourceconfigurationtoken", "videosourcetoken", "videosource", "source", "inputtoken", "port", "token", "channel", "sensor",
    "audiosourceconfigurationtoken", "relaytoken")
_LAST_NUMBER = re.compile(r"(?:\A|[^\d-])(\d{1,6})\Z")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{18,27}", re.IGNORECASE)
_APPLICATION = re.compile(r"(?:Camera|Device|Channel_)(\d{1,3})")
"""Whose an application's topic is, where it names no source."""
_CLASSES = re.compile(r"[A-Za-z_]{1,20}(?:[, ]{1,2}[A-Za-z_]{1,20}){0,9}")

Items = list[tuple[str, str]]


def read(body: bytes, content_type: str) -> list[Report]:
    """The events in a body, in their order; never an empty list: a stream or answer without any is a heartbeat. Pure. Raises
    Unreadable and nothing else."""
    if len(body) > MAX_BODY:
        raise Unreadable("too_large", f"over {MAX_BODY} bytes")
    if not body.strip():
        raise Unreadable("empty")
    base = content_type.partition(";")[0].strip().lower()
    if base not in _READABLE_TYPES and not base.endswith("+xml"):
        raise Unreadable("unsupported_type")
    text, findings = decode(body, content_type)
    if not text.lstrip().startswith("<"):
        raise Unreadable("not_an_event", "not XML")
    roots, more = read_elements(text)
    if not roots:
        raise Unreadable("not_an_event", "no XML element")
    found = [each for root in roots for each in _notifications(root)]
    if len(found) > MAX_MESSAGES:
        raise Unreadable("too_many", f"more than {MAX_MESSAGES} notifications")
    return [_report(each, findings + more) for each in found] or [Report(kind="heartbeat", code=_name(_carrier(roots[0])))]


def _notifications(root: etree._Element) -> Iterator[etree._Element]:
    return (each for each in _carrier(root).iter("{*}NotificationMessage"))


def _carrier(root: etree._Element) -> etree._Element:
    """What carries notifications, without its SOAP envelope. Raises Unreadable for anything else, a SOAP fault too."""
    found = root
    if _name(root) == "Envelope":
        body = root.find("{*}Body")
        found = next(iter(body.iterchildren("*")), root) if body is not None else root
    if _name(found) not in _CARRIERS:
        raise Unreadable("not_an_event", "no notification of ONVIF")
    return found


def _report(notification: etree._Element, findings: tuple[str, ...]) -> Report:
    path, code = _topic(notification.find("{*}Topic"))
    message = next(notification.iterfind("{*}Message/{*}Message"), None)
    operation = _attribute(message, "PropertyOperation")
    clock_raw = _attribute(message, "UtcTime")
    clock, clock_findings = read_clock(clock_raw if re.search(r"(?:Z|[+-]\d\d:?\d\d)\Z", clock_raw) or not clock_raw else f"{clock_raw}Z")
    sources, data = _items(message, "Source") + _items(message, "Key"), _items(message, "Data")
    odd, kind, state = operation not in _OPERATIONS, kind_of(path), _state(data)
    if kind != "unknown" and (operation == "Deleted" or (operation == "Initialized" and state is None)):
        kind = "operation"
    return Report(
        kind=kind,
        code=code,
        state=state,
        device_time_raw=clock_raw,
        device_time=clock,
        history=operation not in _HAPPENED,
        channel=_channel(sources, path),
        text="\n".join(f"{name}={value}" for name, value in sources + data) or None,
        detail=_detail(operation, data),
        findings=(*findings, *clock_findings, *(("code_unknown",) if kind == "unknown" else ()), *(("flag_unreadable",) if odd else ())),
    )


def _topic(topic: etree._Element | None) -> tuple[tuple[str, ...], str]:
    """The names of a topic without prefixes, and the topic as we write it; `?` for what is none."""
    said = (topic.text or "").strip() if topic is not None else ""
    path, written = list[str](), list[str]()
    for part in said.removesuffix("//.").removesuffix("/.").split("/")[:12]:
        prefix, _, name = part.strip().rpartition(":")
        if not _NAME.fullmatch(name) or (prefix and not _NAME.fullmatch(prefix)):
            return (), "?"
        uri = topic.nsmap.get(prefix) if topic is not None and prefix else None
        path.append(name)
        written.append(f"{NAMESPACES.get(uri or '', prefix)}:{name}" if prefix else name)
    return tuple(path), "/".join(written)[:MAX_TEXT]


def _items(message: etree._Element | None, part: str) -> Items:
    """Names and values of the simple items in a part of a message."""
    found = message.iterfind(f"{{*}}{part}/{{*}}SimpleItem") if message is not None else ()
    return [(_attribute(item, "Name"), _attribute(item, "Value")) for item in found]


def _state(data: Items) -> State | None:
    """Whether it is so now; None where nothing says so, as of a line that was crossed."""
    said = {name.lower(): value.lower() for name, value in reversed(data)}
    words = [said[name] for name in _STATES if name in said]
    words += [value for value in said.values() if value in ("true", "false")]
    return next((("active" if word in _ON else "inactive") for word in words if word in _ON | _OFF), None)


def _channel(sources: Items, path: tuple[str, ...]) -> int | None:
    """The number at the end of the token that names a source (`VideoSource_1`), else the one of an application's camera."""
    said = {name.lower(): value for name, value in reversed(sources)}
    token = next((said[name] for name in _SOURCES if said.get(name)), "")
    if found := _LAST_NUMBER.search(token) if not _UUID.search(token) else None:
        return int(found[1])
    of_application = _APPLICATION.match(path[-1]) if path and not sources else None
    return int(of_application[1]) if of_application else None


def _detail(operation: str, data: Items) -> dict[str, Primitive]:
    detail: dict[str, Primitive] = {"operation": operation} if operation in _OPERATIONS - {""} else {}
    said = {name.lower(): value for name, value in reversed(data)}
    if _CLASSES.fullmatch(classes := said.get("classtypes", "")):
        detail["classTypes"] = classes
    if (number := said.get("objectid", "")).isascii() and number.isdecimal():
        detail["objectId"] = number[:20]
    return detail


def _attribute(element: etree._Element | None, name: str) -> str:
    """At most 256 characters."""
    return str(element.get(name, "")).strip()[:MAX_TEXT] if element is not None else ""


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
