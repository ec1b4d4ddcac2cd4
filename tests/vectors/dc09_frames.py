"""What the adapter makes of the segments of one connection, in the words of the vectors."""

from datetime import datetime
from typing import Any

from services.devices.adapters.dc09 import Frame, answer, read
from services.devices.adapters.dc09_crypto import key_of
from services.devices.adapters.dc09_frames import Splitter

Vector = dict[str, Any]
SOME_TIME = datetime.fromisoformat("2026-03-02T14:05:09+00:00")


def frames_of(vector: Vector) -> list[Frame]:
    given, now = vector.get("keys", vector.get("key", [])), vector.get("now")
    keys = [key_of(key) for key in ([given] if isinstance(given, str) else given)]
    segments = [vector["hex"]] if isinstance(vector["hex"], str) else vector["hex"]
    splitter = Splitter()
    pieces = [piece for segment in segments for piece in splitter.feed(bytes.fromhex(segment))]
    moment = datetime.fromisoformat(now) if now else None
    return [read(piece, moment, lambda _: keys) for piece in (*pieces, *splitter.end())]


def run(vector: Vector) -> dict[str, Any]:
    """`frames` with every field that a vector may expect, and how many facts there are."""
    frames, seen, events = frames_of(vector), dict[tuple[str, str, bytes], int](), 0
    found: list[dict[str, Any]] = []
    for n, frame in enumerate(frames, 1):
        first = seen.setdefault((frame.account, frame.seq, frame.raw), n)
        again = {"duplicate_of_frame": first} if first < n else {}
        found.append(_shown(frame) | again)
        kept_unread = frame.verdict == "accept_flag" and not frame.said and not frame.is_link_test and frame.reply == "DUH"
        events += 0 if again else len(frame.said) + kept_unread
    return {"frames": found, "events": events}


def _shown(frame: Frame) -> dict[str, Any]:
    told = answer(frame, SOME_TIME)
    name = next((said.text for said in frame.said if said.text), "")
    return {
        "verdict": frame.verdict, "reply": frame.reply, "flags": sorted(frame.flags), "seq": frame.seq,
        "type": ("*" if frame.encrypted else "") + frame.type, "account": frame.account,
        "data": frame.inner.data, "zone_name": name, "reply_starts": told[9:-1].decode() if told else ""}


def difference(vector: Vector) -> tuple[Any, Any]:
    """What was expected, and of what was found the same fields. An answer may go on after its expected beginning."""
    wanted, found = vector["expected"], run(vector)
    if "frames" not in wanted:
        wanted = {"frames": [wanted]}
    wanted = wanted | {"frames": [one | {"flags": sorted(one.get("flags", []))} for one in wanted["frames"]]}
    got = {key: found.get(key) for key in wanted}
    if len(found["frames"]) == len(wanted["frames"]):
        got["frames"] = [_like(one, other) for one, other in zip(wanted["frames"], found["frames"], strict=True)]
    return wanted, got


def _like(wanted: Vector, found: Vector) -> Vector:
    same = {key: found.get(key) for key in wanted}
    start = wanted.get("reply_starts")
    return same | ({"reply_starts": start} if start and str(found["reply_starts"]).startswith(start) else {})
