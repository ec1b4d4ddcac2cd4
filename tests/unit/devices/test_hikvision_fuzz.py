"""Whatever is done to a body: it is read or refused, never anything else, and never slowly."""

import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.devices.adapters.hikvision import MAX_BODY, Unreadable, read
from tests.devices import bodies

GOOD = (
    bodies.access_json(**bodies.PEOPLE),
    bodies.access_json("5/38", remoteCheck=True, name="李小雨"),
    bodies.access_xml(**bodies.PEOPLE),
    bodies.alert_xml(bodies.camera_fields("fielddetection") + bodies.regions(2)),
    bodies.alert_xml(bodies.camera_fields("IO"), bodies.PSIA, '<?xml version="1.0" encoding="GB2312"?>'),
    bodies.multipart_body(("name=x", "application/json", bodies.access_json()), ("", "image/jpeg", bodies.JPEG)),
    bodies.multipart_body(
        ("name=anpr.xml", "text/xml", bodies.alert_xml(bodies.camera_fields("ANPR") + bodies.anpr())), ("", "image/jpeg", bodies.JPEG)
    ),
)
MARKUP = (b"<", b">", b"&", b"]]>", b"<!--", b"<![CDATA[", b"<!DOCTYPE", b"{", b"}", b"[", b'"')
BYTES = (b"\x00", b"\xff", b"\x81\x30", b"\xef\xbb\xbf", b"\\", b"\\u0000", b"1e999", b"9" * 5000)
SPICE = (*MARKUP, *BYTES, b"--MIME_boundary", b"--", b"\r\n\r\n")
TYPES = ("application/json", "application/xml", "multipart/form-data; boundary=MIME_boundary", "text/plain", ";=\xff")

Edit = tuple[float, int, bytes, int]

edits = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 40),
        st.one_of(st.binary(max_size=8), st.sampled_from(SPICE)),
        st.sampled_from((1, 1, 1, 50, 3000)),
    ),
    max_size=6,
)


def edited(body: bytes, changes: list[Edit]) -> bytes:
    for place, removed, inserted, times in changes:
        at = int(place * len(body))
        body = body[:at] + inserted * times + body[at + removed :]
    return body[: MAX_BODY + 1]


def read_or_refused(body: bytes, content_type: str) -> None:
    try:
        assert read(body, content_type)
    except Unreadable as refusal:
        assert refusal.code


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(GOOD), edits, st.sampled_from(TYPES))
def test_an_edited_body_is_read_or_refused(body: bytes, changes: list[Edit], type_: str) -> None:
    read_or_refused(edited(body, changes), type_)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=2000), st.text(max_size=80))
def test_any_bytes_of_any_type_are_read_or_refused(body: bytes, content_type: str) -> None:
    read_or_refused(body, content_type)


def test_the_worst_bodies_take_a_fifth_of_a_second_on_average() -> None:
    begun = {
        b"[": b"[],",
        b'{"a":"': b'\\"',
        b"{": b'"a":1,',
        b"<a>": b"<b/>",
        b"<b>": b"<!---->",
        b"<c>": b"&",
        b"<d ": b'b="1" ',
        b"<": b"<",
        b"<e>": b"<![CDATA[",
        b"--x\r\n": b"\r\n--x ",
        b"--y\r\n\r\n": b"\r\n",
        b"-": b"-",
        b'{"eventType":"VMD","ipAddress":"1","x":[1': b",1",
    }
    started = time.process_time()
    for start, filling in begun.items():
        read_or_refused((start + filling * (MAX_BODY // len(filling)))[:MAX_BODY], "multipart/form-data; boundary=x")
    assert time.process_time() - started < 0.2 * len(begun)
