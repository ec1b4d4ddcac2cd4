"""Hikvision ISAPI: bodies of door terminals, cameras and recorders, read into reports.

Format: `EventNotificationAlert` of the ISAPI developer guide, as JSON, XML (several namespaces, which mean the same) or
multipart with pictures. The content decides what a body is, not its Content-Type, which devices often get wrong.
Plates: hikvision_anpr.
"""

from collections.abc import Iterable

from msgspec import Struct

from services.devices.adapters import multipart
from services.devices.adapters.charset import decode
from services.devices.adapters.device_clock import read_clock
from services.devices.adapters.documents import MAX_DOCUMENTS, Tree, Value, leaves, read_json, read_xml
from services.devices.adapters.hikvision_anpr import with_plate
from services.devices.adapters.hikvision_codes import access_event, camera_event
from services.devices.adapters.report import MAX_BODY, PERSONAL, Kind, Primitive, Report, State, Unreadable
from services.devices.adapters.values import flag, number, part, text

__all__ = ["MAX_BODY", "PERSONAL", "Report", "Unreadable", "read", "report_of"]

Fields = list[tuple[str, Value]]

_READABLE_TYPES = frozenset(
    {"", "application/json", "application/octet-stream", "application/x-www-form-urlencoded", "application/xml"}
    | {"text/json", "text/plain", "text/xml"}
)
_ENVELOPE, _ACCESS = "EventNotificationAlert", "AccessControllerEvent"
_CHANNELS = ("channelID", "dynChannelID")
_PROOFS = frozenset({"dateTime", "eventState", "ipAddress", "ipv6Address", "macAddress", _ACCESS})
_KEPT_WHEN = {"currentevent": False, "isdataretransmission": True, "isoffline": True, "alarmdatatype": True}
# Named one by one: whatever a device adds tomorrow may be about a person, and names that people gave to devices and
# channels often are ("Wang, 101"). They stay in the sealed body alone.
_DETAIL = frozenset(
    {"activePostCount", "attendanceStatus", "cardReaderKind", "cardType", "currentEvent", "detectionPictureTransType"}
    | {"detectionPicturesNumber", "detectionTarget", "direction", "dynInputIOPortID", "eventDescription", "hasRecord"}
    | {"inputIOPortID", "isDataRetransmission", "isoffline", "laneNo", "mask", "portNo", "protocol", "protocolType"}
    | {"regionID", "relationEvent", "remoteCheck", "reportChannel", "sensitivityLevel", "serialNumber", "statusValue"}
    | {"targetType", "userType", "verifyNo"}
)


class _Document(Struct, frozen=True):
    tree: Tree
    pictures: int
    findings: tuple[str, ...]


def read(body: bytes, content_type: str) -> list[Report]:
    """The events in a body, in their order; never an empty list. Pure. Raises Unreadable and nothing else."""
    if len(body) > MAX_BODY:
        raise Unreadable("too_large", f"over {MAX_BODY} bytes")
    if not body.strip():
        raise Unreadable("empty")
    base = content_type.partition(";")[0].strip().lower()
    if base not in _READABLE_TYPES and not base.startswith("multipart/") and not base.endswith(("+json", "+xml")):
        raise Unreadable("unsupported_type")
    documents = list(_documents(body, content_type, base.startswith("multipart/")))
    if len(documents) > MAX_DOCUMENTS:
        raise Unreadable("too_many", f"more than {MAX_DOCUMENTS} documents")
    return [_report(document) for document in documents]


def report_of(tree: Tree) -> Report:
    """One alert that was found in something else than a push. Raises Unreadable."""
    return _report(_Document(tree=_event(tree), pictures=0, findings=()))


def _documents(body: bytes, content_type: str, declared_multipart: bool) -> Iterable[_Document]:
    start = body[:400].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"{", b"[", b"<")):
        return _single(body, content_type, pictures=0)
    if declared_multipart or start.startswith(b"--"):
        return _parts(body, content_type)
    decode(body, content_type)
    raise Unreadable("not_an_event", "neither JSON nor XML nor multipart")


def _parts(body: bytes, content_type: str) -> list[_Document]:
    """Pictures belong to the document before them; those that come first, to the first."""
    documents: list[_Document] = []
    pictures = 0
    for each in reversed(multipart.split(body, content_type)):
        if each.is_picture:
            pictures += 1
        elif each.is_document:
            documents[:0] = _single(each.content, each.content_type, pictures)
            pictures = 0
    if not documents:
        raise Unreadable("not_an_event", "no part is JSON or XML")
    first = documents[0]
    documents[0] = _Document(tree=first.tree, pictures=first.pictures + pictures, findings=first.findings)
    return documents


def _single(body: bytes, content_type: str, pictures: int) -> list[_Document]:
    said, findings = decode(body, content_type)
    if said.lstrip().startswith("<"):
        trees, more = read_xml(said)
    else:
        trees, more = read_json(said), ()
    return [_Document(tree=_event(tree), pictures=pictures, findings=findings + more) for tree in trees]


def _event(tree: Tree) -> Tree:
    """The alert without its envelope, if it proves to be one: it has a type and something only a device sends."""
    envelope = tree.get(_ENVELOPE)
    event = envelope if isinstance(envelope, dict) else tree
    typed = bool(text(event.get("eventType"))) or number(part(event, _ACCESS).get("majorEventType")) is not None
    if not typed or _PROOFS.isdisjoint(event):
        raise Unreadable("not_an_event", "no event type, or nothing else of an event")
    return event


def _report(document: _Document) -> Report:
    event, access = document.tree, part(document.tree, _ACCESS)
    fields = list(leaves(event))
    card = text(access.get("cardNo"))
    code, kind, state = _meaning(event, access, fields)
    clock_raw = text(event.get("dateTime")) or text(access.get("dateTime"))
    clock, clock_findings = read_clock(clock_raw)
    history, history_findings = _history(fields)
    unknown = ("code_unknown",) if kind == "unknown" else ()
    report = Report(
        kind=kind,
        code=code,
        state=state,
        device_time_raw=clock_raw,
        device_time=clock,
        serial=number(access.get("serialNo")),
        front_serial=number(access.get("frontSerialNo")),
        history=history,
        door_no=number(access.get("doorNo")),
        reader_no=number(access.get("cardReaderNo")),
        channel=_channel(event, access, kind),
        card_number=card if card.strip("0") else None,
        employee_number=text(access.get("employeeNoString")) or text(access.get("employeeNo")) or None,
        person_name=text(access.get("name")) or None,
        awaits_decision=flag(access.get("remoteCheck")) is True and not history,
        verify_mode=text(access.get("currentVerifyMode")) or None,
        mac=text(event.get("macAddress")) or None,
        ip=text(event.get("ipAddress")) or text(event.get("ipv6Address")) or None,
        detail=_detail(fields),
        pictures=document.pictures,
        findings=document.findings + clock_findings + history_findings + unknown,
    )
    return with_plate(report, event) if kind == "plate_read" else report


def _meaning(event: Tree, access: Tree, fields: Fields) -> tuple[str, Kind, State | None]:
    """The vendor's code, and what it says."""
    state = _state(event.get("eventState"))
    major, minor = number(access.get("majorEventType")), number(access.get("subEventType"))
    if major is None:
        event_type = text(event.get("eventType")) or _ACCESS
        return event_type, camera_event(event_type, _first(fields, "relationEvent"), state), state
    kind, told = access_event(major, minor, has_card=bool(text(access.get("cardNo")).strip("0")))
    return f"{major}/{'?' if minor is None else minor}", kind, told or state


def _history(fields: Fields) -> tuple[bool, tuple[str, ...]]:
    """Replayed or kept events, by any of the vendor's marks. A mark that cannot be read counts as history."""
    history = unreadable = False
    for name, value in fields:
        if (kept := _KEPT_WHEN.get(name.lower())) is not None:
            said = flag(value)
            history = history or said is kept
            unreadable = unreadable or (said is None and bool(text(value)))
    return history or unreadable, ("flag_unreadable",) if unreadable else ()


def _detail(fields: Fields) -> dict[str, Primitive]:
    detail: dict[str, Primitive] = {}
    for name, value in fields:
        if name in _DETAIL and name not in detail and (isinstance(value, bool | float) or text(value)):
            detail[name] = value if isinstance(value, bool | int | float) else text(value)
    return detail


def _channel(event: Tree, access: Tree, kind: Kind) -> int | None:
    """The camera; of an alarm input, its port. An access controller is one channel: its inputs and doors have numbers of their own, and
    0 is none."""
    if access:
        return number(access.get("alarmInNo")) or number(access.get("caseSensorNo")) or None
    names = ("inputIOPortID", "dynInputIOPortID", *_CHANNELS) if kind == "io_alarm" else _CHANNELS
    return next((found for name in names if (found := number(event.get(name))) is not None), None)


def _state(value: Value) -> State | None:
    match text(value).lower():
        case "active":
            return "active"
        case "inactive":
            return "inactive"
    return None


def _first(fields: Fields, wanted: str) -> str:
    return next((text(value) for name, value in fields if name == wanted), "")
