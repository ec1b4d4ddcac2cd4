"""Whatever is done to a body: it is read or refused with a stable code, never anything else, and never slowly."""

import json
import time
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.devices.adapters.vzenith import MAX_BODY, Unreadable, read
from tests.devices import bodies
from tests.devices.bodies import multipart_body, vzenith_json
from tests.unit.devices.test_hikvision_fuzz import Edit, edited, edits

JSON, FORM, URLENCODED = "application/json", "multipart/form-data; boundary=MIME_boundary", "application/x-www-form-urlencoded"
EVERY_TYPE = (JSON, "text/plain", URLENCODED, "")
CAPTURES = Path(__file__).parents[3].parent / "shared" / "real-input" / "vzenith"
GOOD = (
    vzenith_json(),
    vzenith_json(imageFile="/9j/" * 20, isoffline=1, plates=[{"license": "x"}]),
    b"data=" + quote_plus(vzenith_json()).encode(),
    multipart_body(('name="serialno"', "text/plain", b"x"), ('name="ipaddr"', "text/plain", b"y")),
    multipart_body(("name=x", JSON, vzenith_json()), ("", "image/jpeg", bodies.JPEG)),
)


def refused(body: bytes, content_type: str = JSON) -> str:
    with pytest.raises(Unreadable) as refusal:
        read(body, content_type)
    return refusal.value.code


JUNK = {
    "nothing": (b"", "empty"),
    "blank": (b" \r\n\t", "empty"),
    "nul": (vzenith_json() + b"\x00", "nul"),
    "escaped nul": (vzenith_json(license="\x00"), "nul"),
    "nul in a form": (b"serialno=a&ipaddr=%00", "nul"),
    "half": (vzenith_json()[:300], "truncated"),
    "deep": (b"{" * 5000, "too_deep"),
    "deep lists": (b'{"AlarmInfoPlate":' + b"[" * 40 + b"]" * 40 + b"}", "too_deep"),
    "neither utf-8 nor gb": (vzenith_json().replace(b"5", b"\xff"), "not_utf8"),
    "control characters": (b"serialno=a&ipaddr=%07", "malformed"),
    "text after json": (vzenith_json() + b" and so on", "malformed"),
    "again and again": (b"[" + b",".join([vzenith_json()] * 101) + b"]", "too_many"),
    "many fields": (b"a=1&" * 100, "too_many"),
    "another object": (b'{"hello":"world"}', "not_an_event"),
    "an empty object": (b"{}", "not_an_event"),
    "an empty list": (b"[]", "not_an_event"),
    "a list of numbers": (b"[1]", "not_an_event"),
    "no result": (json.dumps({"AlarmInfoPlate": {"ipaddr": "192.0.2.1"}}).encode(), "not_an_event"),
    "a result that is none": (json.dumps({"AlarmInfoPlate": {"result": {"PlateResult": "x"}}}).encode(), "not_an_event"),
    "an input without its state": (b'{"AlarmGioIn":{"result":{}}}', "not_an_event"),
    "our own answer": (b'{"Response_AlarmInfoPlate":{"info":"ok"}}', "not_an_event"),
    "plain text": (b"GET / HTTP/1.1", "not_an_event"),
    "another form": (b"a=1&b=2", "not_an_event"),
    "xml": (bodies.access_xml(), "not_an_event"),
    "another vendor": (bodies.access_json(), "not_an_event"),
}


@pytest.mark.parametrize("content_type", EVERY_TYPE)
@pytest.mark.parametrize("name", JUNK)
def test_junk_is_refused_whatever_type_it_is_sent_as(name: str, content_type: str) -> None:
    body, code = JUNK[name]
    assert refused(body, content_type) == code


def test_a_multipart_body_that_was_cut_off_is_refused() -> None:
    body = multipart_body(('name="serialno"', "text/plain", b"x"), ('name="ipaddr"', "text/plain", b"y"))
    assert {refused(body[:-n], FORM) for n in (4, 20, 60)} == {"truncated"}


def test_a_body_beyond_the_limit_is_refused_unread() -> None:
    assert refused(vzenith_json() + b" " * MAX_BODY) == "too_large"
    assert len(read(vzenith_json().ljust(MAX_BODY), JSON)) == 1


def test_a_form_has_the_limit_of_every_body() -> None:
    form = b"data=" + quote_plus(vzenith_json()).encode()
    assert refused(form + b"&x=" + b"x" * MAX_BODY, URLENCODED) == "too_large"
    assert len(read((form + b"&x=").ljust(MAX_BODY, b"x"), URLENCODED)) == 1


@pytest.mark.parametrize("content_type", ["image/jpeg", "text/html", "application/xml"])
def test_a_type_that_cannot_be_a_push_is_refused(content_type: str) -> None:
    assert refused(vzenith_json(), content_type) == "unsupported_type"


def test_a_refusal_never_quotes_the_body() -> None:
    for cut in range(0, len(body := vzenith_json()), 7):
        with pytest.raises(Unreadable) as refusal:
            read(body[:cut], JSON)
        assert "77001" not in str(refusal.value)


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures beside this checkout")
def test_half_a_capture_is_refused() -> None:
    for file in sorted(CAPTURES.rglob("*.json")):
        raw = file.read_bytes()
        assert {refused(raw[: len(raw) // 2], each) for each in (*EVERY_TYPE, FORM)} == {"truncated"}, file.name


def read_or_refused(body: bytes, content_type: str) -> None:
    try:
        assert read(body, content_type)
    except Unreadable as refusal:
        assert refusal.code


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(GOOD), edits, st.sampled_from((*EVERY_TYPE, FORM, ";=\xff")))
def test_an_edited_body_is_read_or_refused(body: bytes, changes: list[Edit], type_: str) -> None:
    read_or_refused(edited(body, changes), type_)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=2000), st.text(max_size=80))
def test_any_bytes_of_any_type_are_read_or_refused(body: bytes, content_type: str) -> None:
    read_or_refused(body, content_type)


floats = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), floats, st.text(max_size=9))
values = st.one_of(scalars, st.lists(scalars, max_size=2), st.dictionaries(st.text(max_size=5), scalars, max_size=2))
NAMES = ("license", "colorType", "type", "confidence", "direction", "triggerType", "timeStamp", "isoffline", "car_brand")
TIMES = ("sec", "usec", "decyear", "decmon")


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), values), st.dictionaries(st.sampled_from(TIMES), values))
def test_any_value_of_any_field_is_read_or_refused(changed: dict[str, object], time_said: dict[str, object]) -> None:
    read_or_refused(vzenith_json(**{"timeStamp": {"Timeval": time_said}, **changed}), JSON)


def test_the_worst_bodies_take_less_than_a_second_on_average() -> None:
    begun = {b"[": b"[],", b'{"a":"': b'\\"', b"{": b'"a":1,', b"a=1": b"&a=1", b"--x\r\n": b"\r\n--x "}
    long = [(start + filling * (MAX_BODY // len(filling)))[:MAX_BODY] for start, filling in begun.items()]
    started = time.process_time()
    for body in (*long, b"%41" * (MAX_BODY // 3)):
        read_or_refused(body, URLENCODED)
    assert time.process_time() - started < len(long) + 1
