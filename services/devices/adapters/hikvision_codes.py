"""What Hikvision's event codes say, as kinds of our own.

Access control: the MINOR_* constants that the vendor publishes in "Device Network SDK (Card-Based Access Control)
Developer Guide" V6.1.5 (chapter "Access Control Event Types") and in the HCNetSDK headers; ISAPI sends the same numbers
as majorEventType and subEventType. 5/179 and whatever else stands in no published table stays unknown.
Cameras: eventType of the ISAPI `EventNotificationAlert` (ISAPI developer guide, event types), in lower case.
"""

from collections.abc import Iterable

from services.devices.adapters.report import Kind, State

Meaning = tuple[Kind, State | None]


def _all(kind: Kind, *codes: Iterable[int], state: State | None = None) -> dict[int, Meaning]:
    return {code: (kind, state) for group in codes for code in group}


_ALARM = (
    _all("io_alarm", (0x400, 0x401, 0x402, 0x408))
    | _all("io_alarm", (0x403, 0x409), state="inactive")
    | _all("tamper", (0x404, 0x406, 0x40F, 0x422))
    | _all("tamper", (0x405, 0x407, 0x410, 0x423), state="inactive")
    | _all("duress", (0x40A,))
    | _all("access_denied", (0x40C,))
    | _all("fire_input", (0x415, 0x416, 0x418, 0x424))
    | _all("fire_input", (0x417, 0x419, 0x425), state="inactive")
    | _all("panic", (0x41C,))
    | _all("panic", (0x41D,), state="inactive")
    | _all("device_trouble", (0x40B, 0x40D, 0x442))
)

_EXCEPTION = (
    _all("device_trouble", (0x27, 0x3A), range(0x401, 0x404), (0x405, 0x408, 0x409, 0x40B, 0x40D, 0x40F, 0x411, 0x413))
    | _all("device_trouble", (0x415, 0x417, 0x419, 0x41C, 0x41D, 0x41F, 0x421, 0x423, 0x425, 0x427, 0x428, 0x42A))
    | _all("device_trouble", (0x42C, 0x42D, 0x42F, 0x430, 0x432, 0x434, 0x437, 0x439))
    | _all("device_trouble", (0x3B, 0x400, 0x404, 0x406, 0x407, 0x40A, 0x40C, 0x40E, 0x410, 0x412), state="inactive")
    | _all("device_trouble", (0x414, 0x416, 0x418, 0x41A, 0x41B, 0x41E, 0x420, 0x422, 0x424), state="inactive")
    | _all("device_trouble", (0x426, 0x429, 0x42B, 0x42E, 0x431, 0x433, 0x435, 0x436, 0x438), state="inactive")
)

_OPERATION = (
    _all("operation", (0x5A, 0x70, 0x71, 0x79, 0x7A, 0x7B, 0x7E, 0x86, 0x87, 0xD6, 0xD7), range(0x404, 0x41B))
    | _all("remote_opened", (0x400, 0x41D))
    | _all("remote_closed", (0x401, 0x41C))
    | _all("door_mode_changed", (0x402, 0x403, 0x41E))
    | _all("pin_entered", (0x40F,))
)

_EVENT = (
    _all("card_read", (0x01, 0x02, 0x28, 0x2B))
    | _all("fingerprint_verified", (0x26, 0x2E, 0x45, 0x48))
    | _all("face_verified", (0x36, 0x39, 0x3C, 0x3F, 0x42, 0x4B, 0x4D, 0x69))
    | _all("pin_entered", (0x22, 0x65, 0xB5))
    | _all("qr_verified", (0x9C,))
    | _all("bluetooth_verified", (0x9F,))
    | _all("credential_verified", (0x10, 0x99, 0x9E))
    | _all("access_denied", range(0x03, 0x10), (0x23, 0x24, 0x27, 0x29, 0x2A, 0x2C, 0x2D, 0x2F, 0x30, 0x31))
    | _all("access_denied", (0x37, 0x38, 0x3A, 0x3B, 0x3D, 0x3E, 0x40, 0x41, 0x43, 0x44, 0x46, 0x47, 0x49, 0x4A))
    | _all("access_denied", (0x4C, 0x4E, 0x4F, 0x50, 0x5E, 0x66, 0x67, 0x68, 0x70, 0x71), range(0x75, 0x79))
    | _all("access_denied", (0x82, 0x84, 0x8B, 0x94, 0x96, 0x97, 0x98, 0x9A, 0x9B, 0x9D), range(0xA0, 0xA5))
    | _all("access_denied", range(0xA8, 0xAC), (0xC3,))
    | _all("lock_opened", (0x15,))
    | _all("lock_closed", (0x16,))
    | _all("exit_button", (0x17,))
    | _all("exit_button", (0x18,), state="inactive")
    | _all("door_opened", (0x19,))
    | _all("door_closed", (0x1A,))
    | _all("door_forced", (0x1B, 0x5C))
    | _all("door_left_open", (0x1C, 0x5D))
    | _all("door_mode_changed", range(0x11, 0x15), (0x1F, 0x20))
    | _all("doorbell", (0x25,))
    | _all("fire_input", (0x34,))
    | _all("fire_input", (0x35,), state="inactive")
    | _all("device_trouble", range(0x53, 0x5C))
    | _all("heartbeat", (0x83,))
)

ACCESS_EVENTS: dict[int, dict[int, Meaning]] = {1: _ALARM, 2: _EXCEPTION, 3: _OPERATION, 5: _EVENT}

_CAMERA: dict[Kind, str] = {
    "camera_alarm": "attendedbaggage audiodetection audioexception blacklist defocus facedetection facesnap "
    "fielddetection firedetection group linedetection loitering motiondetection parking peoplecounting rapidmove "
    "regionentrance regionexiting scenechange scenechangedetection targetcapture thermometry unattendedbaggage "
    "vehicledetection vmd whitelist",
    "tamper": "antitamper shelteralarm tamperdetection videotamper",
    "io_alarm": "alarmin io ioalarm",
    "pir": "pir piralarm",
    "plate_read": "anpr vehicle_matchresult",
    "device_trouble": "badvideo diskerror diskfull diskunformat hdbadblock hderror hdfull hdunformat illaccess "
    "illegalaccess ipconflict netbroken nicbroken raidexception recordexception storagedetection videomismatch",
    "heartbeat": "heartbeat",
}
CAMERA_EVENTS: dict[str, Kind] = {name: kind for kind, names in _CAMERA.items() for name in names.split()}


def access_event(major: int | None, minor: int | None, has_card: bool) -> Meaning:
    """Kind of an access controller's event, and its state where the code tells (a "restored" is inactive).

    Firmwares report a card as 5/1 or as 5/38, which elsewhere is a finger: the card number decides.
    """
    kind, state = ACCESS_EVENTS.get(major or 0, {}).get(minor or 0, ("unknown", None))
    return ("card_read", state) if kind == "fingerprint_verified" and minor == 0x26 and has_card else (kind, state)


def camera_event(event_type: str, related: str, state: State | None) -> Kind:
    """Kind of a camera's or recorder's event; `related` is what a `duration` event lasts for.

    An inactive videoloss, sent every half minute, is the vendor's heartbeat.
    """
    name = event_type.lower()
    if name == "videoloss":
        return "heartbeat" if state == "inactive" else "camera_alarm"
    return CAMERA_EVENTS.get(related.lower() if name == "duration" else name, "unknown")
