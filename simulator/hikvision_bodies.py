"""What a simulated Hikvision terminal says: one access event as JSON, XML or multipart, as the real ones send it."""

import json
from datetime import datetime
from typing import Literal
from xml.sax.saxutils import escape

from msgspec import Struct

Format = Literal["json", "xml", "multipart"]
Fields = dict[str, str | int | bool]

NAMESPACE = "http://www.isapi.org/ver20/XMLSchema"
BOUNDARY = "MIME_boundary"
_PICTURES = ("licensePlatePicture", "detectionPicture")
_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) + b"\xff\xd9"


class AccessEvent(Struct, frozen=True, kw_only=True):
    """One AccessControllerEvent; `at` with its zone, `live=False` for what is replayed or was kept."""

    major: int
    minor: int
    serial: int
    at: datetime
    door_no: int
    card_number: str = ""
    employee_number: str = ""
    person_name: str = ""
    live: bool = True
    remote_check: bool = False


class Plate(Struct, frozen=True, kw_only=True):
    """One passage at a plate camera, in the vendor's words; `at` with its zone, `live=False` for what was kept."""

    text: str
    at: datetime
    uuid: str
    colour: str = "blue"
    kind: str = "92TypeCivil"
    vehicle: str = "vehicle"
    confidence: int = 97
    direction: str = "forward"
    lane_no: int = 1
    live: bool = True


class Origin(Struct, frozen=True):
    """Who speaks: the terminal's own address and name."""

    ip: str
    port: int
    mac: str
    name: str


def body(event: AccessEvent, origin: Origin, form: Format) -> tuple[bytes, str]:
    """The bytes and their Content-Type."""
    match form:
        case "json":
            return _json(event, origin), "application/json"
        case "xml":
            return _xml(event, origin), 'application/xml; charset="UTF-8"'
        case "multipart":
            return _multipart(event, origin), f"multipart/form-data; boundary={BOUNDARY}"


def heartbeat(origin: Origin, at: datetime) -> bytes:
    """The XML alert that devices send about every 30 s while nothing happens."""
    alert = _alert(origin, at, "videoloss", "inactive", "videoloss alarm") | {"channelID": 1}
    return _document("EventNotificationAlert", _elements(alert))


def found_events(search_id: str, events: list[AccessEvent], total: int, more: bool) -> bytes:
    """One page of an AcsEvent search."""
    found: dict[str, object] = {"searchID": search_id, "totalMatches": total, "numOfMatches": len(events)}
    found["responseStatusStrg"] = "MORE" if more else "OK" if events else "NO MATCH"
    if events:
        found["InfoList"] = [_found(event) for event in events]
    return json.dumps({"AcsEvent": found}, ensure_ascii=False).encode()


def plate_alert(plate: Plate, origin: Origin, form: Literal["xml", "multipart"] = "multipart") -> tuple[bytes, str]:
    """What a plate camera posts: anpr.xml, alone or with its two pictures; the bytes and their Content-Type."""
    inner = _elements(_alert(origin, plate.at, "ANPR", "active", "ANPR") | {"channelID": 1})
    pictures = "" if form == "xml" else "".join(
        f"<pictureInfo><fileName>{name}.jpg</fileName><type>{name}</type></pictureInfo>" for name in _PICTURES)
    anpr: Fields = {"country": 253, "licensePlate": plate.text, "line": plate.lane_no, "direction": plate.direction}
    anpr |= {"confidenceLevel": plate.confidence, "plateType": plate.kind, "plateColor": plate.colour}
    anpr |= {"vehicleType": plate.vehicle, "alarmDataType": 0 if plate.live else 1}
    inner += f"<ANPR>{_elements(anpr)}<pictureInfoList>{pictures}</pictureInfoList></ANPR>"
    inner += _elements({"UUID": plate.uuid, "picNum": 2 if pictures else 0, "isDataRetransmission": not plate.live})
    document = _document("EventNotificationAlert", inner)
    if form == "xml":
        return document, 'application/xml; charset="UTF-8"'
    parts = [('name="anpr.xml"; filename="anpr.xml"', "text/xml", document)]
    parts += [(f'name="{name}.jpg"; filename="{name}.jpg"', "image/jpeg", _JPEG) for name in _PICTURES]
    body = b"".join(form_part(*part) for part in parts) + f"--{BOUNDARY}--\r\n".encode()
    return body, f"multipart/form-data; boundary={BOUNDARY}"


def response_status(code: int, text: str, sub: str, url: str) -> bytes:
    status: Fields = {"requestURL": url, "statusCode": code, "statusString": text, "subStatusCode": sub}
    return _document("ResponseStatus", _elements(status))


def device_info(origin: Origin, serial_number: str) -> bytes:
    info: Fields = {"deviceName": origin.name, "deviceID": "1", "model": "LF-SIM-T1", "serialNumber": serial_number}
    more: Fields = {"macAddress": origin.mac, "firmwareVersion": "V1.0.0", "deviceType": "ACS"}
    return _document("DeviceInfo", _elements(info | more))


def stream_part(content: bytes, content_type: str) -> bytes:
    """One part of the endless alertStream."""
    head = f"--{BOUNDARY}\r\nContent-Type: {content_type}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def _alert(origin: Origin, at: datetime, event_type: str, state: str, description: str) -> Fields:
    return {
        "ipAddress": origin.ip,
        "portNo": origin.port,
        "protocol": "HTTP",
        "macAddress": origin.mac,
        "dateTime": at.isoformat(timespec="seconds"),
        "activePostCount": 1,
        "eventType": event_type,
        "eventState": state,
        "eventDescription": description,
    }


def _access_alert(event: AccessEvent, origin: Origin) -> Fields:
    return _alert(origin, event.at, "AccessControllerEvent", "active", "Access Controller Event")


def _access(event: AccessEvent, origin: Origin) -> Fields:
    fields: Fields = {
        "deviceName": origin.name,
        "majorEventType": event.major,
        "subEventType": event.minor,
        "doorNo": event.door_no,
        "cardReaderKind": 1,
        "cardReaderNo": 1,
        "serialNo": event.serial,
        "frontSerialNo": event.serial - 1,
        "currentEvent": event.live,
        "currentVerifyMode": "cardOrPw",
        "remoteCheck": event.remote_check,
    }
    person = {"cardNo": event.card_number, "employeeNoString": event.employee_number, "name": event.person_name}
    return fields | {name: value for name, value in person.items() if value}


def _found(event: AccessEvent) -> Fields:
    """An event as a search tells it: under other names, and without what only a push says."""
    pushed = _access(event, Origin("", 0, "", ""))
    kept = ("cardNo", "employeeNoString", "name", "doorNo", "cardReaderKind", "cardReaderNo", "serialNo", "currentVerifyMode")
    found: Fields = {"major": event.major, "minor": event.minor, "time": event.at.isoformat(timespec="seconds")}
    return found | {name: pushed[name] for name in kept if name in pushed}


def _json(event: AccessEvent, origin: Origin) -> bytes:
    alert: dict[str, object] = {**_access_alert(event, origin), "AccessControllerEvent": _access(event, origin)}
    return json.dumps(alert, ensure_ascii=False, separators=(",", ":")).encode()


def _xml(event: AccessEvent, origin: Origin) -> bytes:
    inner = f"<AccessControllerEvent>{_elements(_access(event, origin))}</AccessControllerEvent>"
    return _document("EventNotificationAlert", _elements(_access_alert(event, origin)) + inner)


def _multipart(event: AccessEvent, origin: Origin) -> bytes:
    parts = (
        ('name="AccessControllerEvent"', "application/json", _json(event, origin)),
        ('name="Picture"; filename="Picture.jpg"', "image/jpeg", _JPEG),
    )
    return b"".join(form_part(*part) for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def form_part(disposition: str, content_type: str, content: bytes) -> bytes:
    """One part of a form; the body ends with the boundary between two pairs of dashes."""
    head = (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content + b"\r\n"


def _elements(fields: Fields) -> str:
    return "".join(f"<{name}>{_plain(value)}</{name}>" for name, value in fields.items())


def _plain(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else escape(str(value))


def _document(root: str, inner: str) -> bytes:
    declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{declaration}<{root} version="2.0" xmlns="{NAMESPACE}">{inner}</{root}>\n'.encode()
