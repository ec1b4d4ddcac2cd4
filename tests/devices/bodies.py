"""Bodies of Hikvision and VZenith devices, written by us to the shape and quirks of real captures. All values are made up."""

import json
from typing import Any

HIKVISION = "http://www.hikvision.com/ver20/XMLSchema"
PSIA = "urn:psialliance-org"
ISAPI = "http://www.isapi.org/ver20/XMLSchema"

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) + b"\r\n--not-a-boundary\r\n\xff\xd9"
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
CARD_NUMBER, EMPLOYEE_NUMBER, PERSON_NAME = "7700112233", "A-4711", "Lin Xiaoyu"
PEOPLE: dict[str, Any] = {"cardNo": CARD_NUMBER, "employeeNoString": EMPLOYEE_NUMBER, "name": PERSON_NAME}


def access_alert(code: str = "5/1", outer: dict[str, Any] | None = None, **inner: Any) -> dict[str, Any]:
    """The JSON of a door terminal; keyword arguments go into AccessControllerEvent, `outer` into the alert."""
    major, minor = (int(part) for part in code.split("/"))
    event: dict[str, Any] = {"deviceName": "North gate", "majorEventType": major, "subEventType": minor}
    event |= {"reportChannel": 2, "cardReaderKind": 1, "cardReaderNo": 3, "doorNo": 2, "verifyNo": 17, "serialNo": 901}
    event |= {"frontSerialNo": 900, "currentVerifyMode": "cardOrPw", "currentEvent": True, "hasRecord": False, **inner}
    alert: dict[str, Any] = {"ipAddress": "192.0.2.17", "portNo": 80, "protocol": "HTTP"}
    alert |= {"macAddress": "00:00:5e:00:53:a1", "dateTime": "2026-03-04T05:06:07+08:00"}
    alert |= {"activePostCount": 1, "eventType": "AccessControllerEvent"}
    alert |= {"eventState": "active", "eventDescription": "Access Controller Event", "AccessControllerEvent": event}
    return alert | (outer or {})


def access_json(code: str = "5/1", outer: dict[str, Any] | None = None, **inner: Any) -> bytes:
    return json.dumps(access_alert(code, outer, **inner), ensure_ascii=False, separators=(",", ":")).encode()


def elements(fields: dict[str, Any]) -> str:
    return "".join(
        f"<{name}>{elements(value) if isinstance(value, dict) else _plain(value)}</{name}>"
        for name, value in fields.items()
    )


def access_xml(code: str = "5/1", outer: dict[str, Any] | None = None, **inner: Any) -> bytes:
    return alert_xml(elements(access_alert(code, outer, **inner)), ISAPI)


def alert_xml(inner: str, namespace: str = HIKVISION, declaration: str = "") -> bytes:
    """One EventNotificationAlert document; `declaration` with its encoding decides the bytes."""
    xmlns = f' xmlns="{namespace}"' if namespace else ""
    text = f'{declaration}<EventNotificationAlert version="2.0"\n  {xmlns}>\n{inner}\n</EventNotificationAlert>'
    return text.encode("gb18030" if "gb" in declaration.lower() else "utf-8")


def camera_fields(event_type: str, state: str = "active", **more: Any) -> str:
    fields: dict[str, Any] = {"ipAddress": "192.0.2.40", "portNo": 443, "protocol": "HTTPS"}
    fields |= {"macAddress": "00:00:5e:00:53:b2", "channelID": 4, "dateTime": "2025-11-02T23:59:58-05:00"}
    fields |= {"activePostCount": 12, "eventType": event_type, "eventState": state}
    fields |= {"eventDescription": f"{event_type} alarm"}
    return elements(fields | {"channelName": "Bike cellar"} | more)


def regions(count: int) -> str:
    """Several detection regions, each with its corners, as smart cameras send them."""
    corner = "<RegionCoordinates><positionX>{}</positionX><positionY>{}</positionY></RegionCoordinates>"
    corners = "".join(corner.format(n * 10, n * 20) for n in range(4))
    return "<DetectionRegionList>{}</DetectionRegionList>".format(
        "".join(
            f"<DetectionRegionEntry><regionID>{n}</regionID><sensitivityLevel>60</sensitivityLevel>"
            f"<RegionCoordinatesList>{corners}</RegionCoordinatesList><detectionTarget>human</detectionTarget>"
            "<TargetRect><X>0.25</X><Y>0.5</Y><width>0.1</width><height>0.2</height></TargetRect></DetectionRegionEntry>"
            for n in range(1, count + 1)
        )
    )


def anpr(**changed: Any) -> str:
    """The fields of an ANPR alert after those of the camera; None leaves one out."""
    fields: dict[str, Any] = {"country": 253, "licensePlate": "京A·D7700", "line": 2, "direction": "forward"}
    fields |= {"confidenceLevel": 97, "plateType": "newEnergy", "plateColor": "newEnergyGreen", "licenseBright": 128}
    fields |= {"vehicleType": "SUVMPV", "detectDir": 8, "detectType": 0, "alarmDataType": 0, "listType": "white"}
    kept = {name: value for name, value in (fields | changed).items() if value is not None}
    return f"<ANPR>{elements(kept)}</ANPR><UUID>made-up-1</UUID><picNum>2</picNum>"


def vzenith(outer: dict[str, Any] | None = None, **result: Any) -> dict[str, Any]:
    """A VZenith push; keyword arguments go into PlateResult, `outer` into AlarmInfoPlate."""
    plate: dict[str, Any] = {"bright": 0, "carBright": 0, "carColor": 255, "car_brand": {"brand": 255, "type": 2, "year": 1}}
    plate |= {"colorType": 5, "colorValue": 0, "confidence": 96, "direction": 4, "imageFile": "", "imageFragmentFile": ""}
    plate |= {"is_fake_plate": 0, "isoffline": 0, "license": "粤BD77001", "plateid": 21085, "timeUsed": 0}
    plate |= {"location": {"RECT": {"bottom": 674, "left": 1002, "right": 1263, "top": 565}}, "triggerType": 4, "type": 19}
    plate |= {"timeStamp": {"Timeval": {"sec": 1772000000, "usec": 250000}}, **result}
    alarm: dict[str, Any] = {"channel": 0, "deviceName": "Wang's gate", "ipaddr": "192.0.2.60"}
    alarm |= {"result": {"PlateResult": plate}, "serialno": "e0aa11bb-22cc33dd", "user_data": "", **(outer or {})}
    return {"AlarmInfoPlate": alarm}


def vzenith_json(outer: dict[str, Any] | None = None, **result: Any) -> bytes:
    return json.dumps(vzenith(outer, **result), ensure_ascii=False).encode()


HEARTBEAT = {"device_name": "IVS", "ipaddr": "192.0.2.60", "port": "80", "user_name": "admin", " pass_wd": "made-up-secret"}
HEARTBEAT |= {"serialno": "e0aa11bb-22cc33dd", "channel_num": "1"}


def multipart_body(*parts: tuple[str, str, bytes], boundary: str = "MIME_boundary", line: bytes = b"\r\n") -> bytes:
    """(disposition parameters, content type, content) of each part, closed as it should be."""
    out = b""
    for disposition, content_type, content in parts:
        out += b"--" + boundary.encode() + line + b"Content-Disposition: form-data; " + disposition.encode() + line
        out += b"Content-Type: " + content_type.encode() + line
        out += b"Content-Length: " + str(len(content)).encode() + line + line + content + line
    return out + b"--" + boundary.encode() + b"--" + line


def _plain(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.replace("&", "&amp;").replace("<", "&lt;")
