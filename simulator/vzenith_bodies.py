"""What a simulated VZenith plate camera pushes: JSON `AlarmInfoPlate`, and the form of a heartbeat."""

import base64
import json
from datetime import datetime

from msgspec import Struct

BOUNDARY = "------------------------caa771fe4a61f3d9"
_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) + b"\xff\xd9"


class Camera(Struct, frozen=True):
    """Who speaks."""

    ip: str
    name: str
    serial: str


class Passage(Struct, frozen=True, kw_only=True):
    """One plate, in the vendor's codes; `at` with its zone."""

    plate_id: int
    license: str
    at: datetime
    colour: int = 1
    kind: int = 1
    vehicle: int = 1
    confidence: int = 95
    direction: int = 4
    trigger: int = 1
    offline: bool = False
    pictures: bool = False


def push(passage: Passage, camera: Camera) -> bytes:
    """The body, as application/json."""
    picture = base64.b64encode(_JPEG).decode() if passage.pictures else ""
    result = {
        "bright": 0, "carBright": 0, "carColor": 255, "car_brand": {"brand": 255, "type": passage.vehicle, "year": 65535},
        "colorType": passage.colour, "colorValue": 0, "confidence": passage.confidence, "direction": passage.direction,
        "imageFile": picture, "imageFileLen": len(_JPEG) if picture else 0, "imageFragmentFile": picture,
        "imageFragmentFileLen": len(_JPEG) if picture else 0, "is_fake_plate": 0, "isoffline": int(passage.offline),
        "license": passage.license, "location": {"RECT": {"bottom": 674, "left": 1002, "right": 1263, "top": 565}},
        "plateid": passage.plate_id, "timeStamp": {"Timeval": _timeval(passage.at)}, "timeUsed": 0,
        "triggerType": passage.trigger, "type": passage.kind,
    }  # fmt: skip
    alarm = {
        "channel": 0, "deviceName": camera.name, "ipaddr": camera.ip, "result": {"PlateResult": result},
        "rule_id": 1, "serialno": camera.serial, "user_data": "",
    }  # fmt: skip
    return json.dumps({"AlarmInfoPlate": alarm}, ensure_ascii=False, separators=(",", ":")).encode()


def heartbeat(camera: Camera) -> tuple[bytes, str]:
    """The bytes and their Content-Type."""
    fields = {"device_name": camera.name, "ipaddr": camera.ip, "port": "80", "user_name": "admin", "pass_wd": "made-up"}
    fields |= {"serialno": camera.serial, "channel_num": "1"}
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{fields[name]}\r\n' for name in fields]
    return "".join((*parts, f"--{BOUNDARY}--\r\n")).encode(), f"multipart/form-data; boundary={BOUNDARY}"


def _timeval(at: datetime) -> dict[str, int]:
    day = {"decyear": at.year, "decmon": at.month, "decday": at.day}
    return {**day, "dechour": at.hour, "decmin": at.minute, "decsec": at.second, "sec": int(at.timestamp()), "usec": at.microsecond}
