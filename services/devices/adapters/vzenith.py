"""VZenith (臻识) plate cameras, and those built on them: what they push over HTTP, and what they are answered.

Format: the vendor's "HTTP push" protocol: JSON `AlarmInfoPlate` (a plate), `AlarmGioIn` (an input); heartbeats and the
comet poll are forms. A plate push waits for its answer, which lifts the barrier (`info: ok`).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

import msgspec

from services.devices.adapters import multipart
from services.devices.adapters.charset import decode
from services.devices.adapters.documents import Tree, leaves, read_json
from services.devices.adapters.plate_words import colour_before, direction, read_plate
from services.devices.adapters.report import MAX_BODY, Kind, Primitive, Report, State, Unreadable
from services.devices.adapters.values import flag, number, part, percent, text

__all__ = ["MAX_BODY", "answer", "read"]

MAX_FIELDS = 64

_READABLE_TYPES = frozenset(
    {"", "application/json", "application/octet-stream", "application/x-www-form-urlencoded", "text/json", "text/plain"}
)
_PLATE, _INPUT = "AlarmInfoPlate", "AlarmGioIn"
_OTHERS = ("SerialData", "TriggerImage")
_BEATS = frozenset({"channel_num", "deviceName", "device_name", "ipaddr"})
_PICTURES = frozenset({"imageFile", "imageFragmentFile", "full_image_content", "small_image_content"})
_COLOURS = {1: "blue", 2: "yellow", 3: "white", 4: "black", 5: "green", 6: "yellow_green"}
_KINDS = {
    1: "ordinary", 2: "ordinary", 3: "ordinary", 4: "ordinary", 5: "police", 6: "armed_police", 7: "personalised",
    8: "military", 9: "military", 10: "embassy", 11: "hong_kong", 12: "farm", 13: "training", 14: "macao",
    15: "armed_police", 16: "armed_police", 17: "armed_police", 18: "civil_aviation", 19: "new_energy_small",
    20: "new_energy_large", 21: "emergency", 22: "consulate", 23: "ordinary", 24: "new_energy", 25: "airport",
    26: "foreign",
}  # fmt: skip
_FAKE = 29
_VEHICLES = {1: "car", 2: "suv", 3: "mpv", 4: "minibus", 5: "bus", 6: "light_truck", 7: "truck"}
# A vehicle that stays, has left again, or turned back is no new arrival: nobody waits for an answer to it.
_LINGERING: dict[int, State] = {64: "active", 65: "inactive", 66: "active"}
_LAST_SECOND = 253_402_300_799


def read(body: bytes, content_type: str) -> list[Report]:
    """The events in a body; never an empty list. Pure. Raises Unreadable and nothing else."""
    if len(body) > MAX_BODY:
        raise Unreadable("too_large", f"over {MAX_BODY} bytes")
    if not body.strip():
        raise Unreadable("empty")
    base = content_type.partition(";")[0].strip().lower()
    if base not in _READABLE_TYPES and not base.startswith("multipart/") and not base.endswith("+json"):
        raise Unreadable("unsupported_type")
    start = body[:400].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"{", b"[")):
        return _json(body, content_type)
    if start.startswith(b"--") or base.startswith("multipart/"):
        return _parts(body, content_type)
    return _form(_pairs(body, content_type), 0)


def answer(admitted: bool | None, plate_id: int | None = None, history: bool = False) -> bytes:
    """What a push is answered with, under `application/json`. `info` lifts the barrier (ok) or leaves it (no); None: there
    is nothing to decide, as with a heartbeat. History never lifts it. `plate_id` says which push is answered, so that the
    camera does not send it again (`detail["plateid"]`)."""
    said: dict[str, object] = {"content": "retransfer_stop"}
    if history:
        admitted = False if admitted else admitted
        said["ContinuePushOffline"] = {"continue": 1} if plate_id is None else {"plateid": plate_id, "continue": 1}
    if admitted is not None:
        said |= {"info": "ok" if admitted else "no", "is_pay": "true" if admitted else "false"}
    if plate_id is not None:
        said["plateid"] = plate_id
    return msgspec.json.encode({"Response_AlarmInfoPlate": said})


def _json(body: bytes, content_type: str, pictures: int = 0) -> list[Report]:
    said, findings = decode(body, content_type)
    return [_report(tree, findings, pictures) for tree in read_json(said)]


def _parts(body: bytes, content_type: str) -> list[Report]:
    """A form whose parts are the fields of a heartbeat, or JSON with its pictures beside it."""
    pictures, fields, documents = 0, list[tuple[str, str]](), list[multipart.Part]()
    for each in multipart.split(body, content_type):
        if each.is_picture:
            pictures += 1
        elif each.is_document:
            documents.append(each)
        else:
            fields.append((each.name.strip(), decode(each.content, each.content_type)[0].strip()))
    if not documents:
        return _form(iter(fields), pictures)
    return [report for each in documents for report in _json(each.content, each.content_type, pictures)]


def _pairs(body: bytes, content_type: str) -> Iterator[tuple[str, str]]:
    """The fields of a URL-encoded form."""
    pairs = body.strip().split(b"&", MAX_FIELDS)
    decode(body, content_type)
    if len(pairs) > MAX_FIELDS:
        raise Unreadable("too_many", f"more than {MAX_FIELDS} fields")
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        yield _plain(name, content_type), _plain(value, content_type)


def _plain(escaped: bytes, content_type: str) -> str:
    return decode(unquote_to_bytes(escaped.replace(b"+", b" ")), content_type)[0].strip()


def _form(pairs: Iterator[tuple[str, str]], pictures: int) -> list[Report]:
    fields: Tree = {}
    for name, value in pairs:
        if value.startswith("{"):
            return [_report({name: tree} if name == _PLATE and _PLATE not in tree else tree, (), pictures)
                    for tree in read_json(value)]
        fields.setdefault(name, value)
    return [_heartbeat(fields, ())]


def _report(tree: Tree, findings: tuple[str, ...], pictures: int) -> Report:
    pictures += sum(1 for name, value in leaves(tree) if name in _PICTURES and value)
    for name, inside in ((_PLATE, "PlateResult"), (_INPUT, "TriggerResult")):
        if part(tree, "result", inside):  # without its envelope, beside what a heartbeat says too
            tree = {name: tree}
    if alarm := part(tree, _PLATE):
        return _plate(alarm, findings, pictures)
    if alarm := part(tree, _INPUT):
        return _input(alarm, findings)
    for name in _OTHERS:
        if part(tree, name):
            origin = tree if text(tree.get("ipaddr")) else part(tree, name)
            return Report(
                kind="unknown", code=name, ip=text(origin.get("ipaddr")) or None, pictures=pictures,
                findings=(*findings, "code_unknown"))  # fmt: skip
    for name, value in tree.items():
        if name.lower().replace("_", "") in ("heartbeat", "keepalive") and isinstance(value, dict):
            return _heartbeat(value, findings, named=True)
    return _heartbeat(tree, findings)


def _heartbeat(fields: Tree, findings: tuple[str, ...], named: bool = False) -> Report:
    """Its fields hold a password: only those named here go on."""
    if not named and (not text(fields.get("serialno")) or _BEATS.isdisjoint(fields)):
        raise Unreadable("not_an_event", "neither a plate nor a heartbeat")
    detail = {name: said for name in ("channel_num", "port", "serialno") if (said := text(fields.get(name)))}
    return Report(
        kind="heartbeat", code="heartbeat", ip=text(fields.get("ipaddr")) or None, detail=dict(detail), findings=findings
    )


def _input(alarm: Tree, findings: tuple[str, ...]) -> Report:
    trigger = part(alarm, "result", "TriggerResult") or part(alarm, "TriggerResult")
    if not trigger:
        raise Unreadable("not_an_event", "an input without its state")
    on = flag(trigger.get("value"))
    return Report(
        kind="io_alarm",
        code=_INPUT,
        state=None if on is None else "active" if on else "inactive",
        channel=number(alarm.get("channel")),
        ip=text(alarm.get("ipaddr")) or None,
        detail=_numbers(trigger, "source", "value") | _numbers(alarm, "serialno"),
        findings=findings,
    )


def _plate(alarm: Tree, findings: tuple[str, ...], pictures: int) -> Report:
    result = part(alarm, "result", "PlateResult") or part(alarm, "PlateResult")
    if not result:
        raise Unreadable("not_an_event", "no PlateResult")
    plate, plate_findings = read_plate(text(result.get("license")))
    trigger = number(result.get("triggerType"))
    kind: Kind = "camera_alarm" if trigger in _LINGERING else "plate_read"
    clock_raw, clock, clock_findings = _clock(part(result, "timeStamp", "Timeval"))
    history, history_findings = _history(alarm, result)
    plate_type = _kind(result)
    fake = ("fake_plate",) if flag(result.get("is_fake_plate")) or plate_type == _FAKE else ()
    return Report(
        kind=kind,
        code=_PLATE if trigger is None else f"{_PLATE}/{trigger}",
        state=_LINGERING.get(trigger or 0, "active"),
        device_time_raw=clock_raw,
        device_time=clock,
        history=history,
        channel=number(alarm.get("channel")),
        plate=plate,
        plate_colour=_COLOURS.get(number(result.get("colorType")) or 0) or colour_before(plate),
        plate_kind=_KINDS.get(plate_type or 0),
        vehicle_kind=_VEHICLES.get(number((part(result, "car_brand") or part(result, "carBrand")).get("type")) or 0),
        confidence=percent(result.get("confidence")),
        direction=direction(text(result.get("direction"))),
        awaits_decision=kind == "plate_read" and not history,
        ip=text(alarm.get("ipaddr")) or None,
        detail=_numbers(result, "plateid", "triggerType", "direction", "colorType", "type", "plateType", "carColor")
        | _numbers(alarm, "serialno", "rule_id"),
        pictures=pictures,
        findings=findings + clock_findings + history_findings + plate_findings + fake,
    )


def _kind(result: Tree) -> int | None:
    kind = number(result.get("plateType"))
    return number(result.get("type")) if kind is None else kind


def _history(alarm: Tree, result: Tree) -> tuple[bool, tuple[str, ...]]:
    """Kept while the camera had no server. A mark that cannot be read counts as history."""
    marks = [value for tree in (alarm, result) for name, value in tree.items() if name.lower() == "isoffline"]
    unreadable = any(flag(mark) is None and text(mark) for mark in marks)
    return unreadable or any(flag(mark) for mark in marks), ("flag_unreadable",) if unreadable else ()


def _clock(said: Tree) -> tuple[str, datetime | None, tuple[str, ...]]:
    """Seconds since 1970 and microseconds; where they are missing or 0, the local date and time beside them, without a zone."""
    second, fraction = number(said.get("sec")), number(said.get("usec")) or 0
    if second:
        raw = f"{second}.{fraction:06d}" if fraction else str(second)
        if second > _LAST_SECOND:
            return raw, None, ("clock_unreadable",)
        return raw, datetime.fromtimestamp(second, UTC).replace(microsecond=min(fraction, 999_999)), ()
    local = [number(said.get(f"dec{name}")) for name in ("year", "mon", "day", "hour", "min", "sec")]
    year, month, day, hour, minute, seconds = (each or 0 for each in local)
    if not year:
        return text(said.get("sec")), None, ("clock_unreadable" if text(said.get("sec")) else "clock_missing",)
    raw = f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{seconds:02d}"
    try:
        return raw, datetime(year, month, day, hour, minute, seconds), ("clock_without_zone",)  # noqa: DTZ001
    except (ValueError, OverflowError):
        return raw, None, ("clock_unreadable",)


def _numbers(tree: Tree, *names: str) -> dict[str, Primitive]:
    """Codes and numbers that the device gave; no words of people."""
    found: dict[str, Primitive] = {}
    for name in names:
        said = text(tree.get(name))
        if said and said.isascii() and len(said) <= 64:
            value = number(tree.get(name))
            found[name] = said if value is None or name == "serialno" else value
    return found
