"""What is no event is refused, with a stable code, whatever Content-Type it comes under."""

from pathlib import Path

import pytest

from services.devices.adapters.hikvision import MAX_BODY, Unreadable, read
from tests.devices import bodies
from tests.devices.bodies import access_json, access_xml, alert_xml, camera_fields

JSON = "application/json"
EVERY_TYPE = (JSON, "application/xml", "multipart/form-data; boundary=x", "text/plain", "")
CAPTURES = Path(__file__).parents[3].parent / "shared" / "real-input" / "hikvision"


def refused(body: bytes, content_type: str = JSON) -> str:
    with pytest.raises(Unreadable) as refusal:
        read(body, content_type)
    return refusal.value.code


JUNK = {
    "nothing": (b"", "empty"),
    "blank": (b" \r\n\t", "empty"),
    "nul": (access_json() + b"\x00", "nul"),
    "escaped nul": (access_json(x="\x00"), "nul"),
    "utf-16": (access_json().decode().encode("utf-16"), None),
    "half of json": (access_json()[:200], "truncated"),
    "half of xml": (access_xml()[:300], "truncated"),
    "json again and again": (access_json() * 900, "malformed"),
    "xml again and again": (access_xml() * 101, "too_many"),
    "deep json": (b"{" * 5000, "too_deep"),
    "deep lists": (b'{"eventType":"VMD","dateTime":' + b"[" * 40 + b"]" * 40 + b"}", "too_deep"),
    "deep xml": (b"<a>" * 5000, "too_deep"),
    "deep well-formed xml": (b"<a>" * 65 + b"</a>" * 65, "too_deep"),
    "neither utf-8 nor gb": (access_json().replace(b"2", b"\xff"), "not_utf8"),
    "random": (bytes((n * 7919 + 31) % 256 for n in range(4000)), None),
    "another object": (b'{"hello":"world"}', "not_an_event"),
    "only a type": (b'{"eventType":"VMD"}', "not_an_event"),
    "no type": (b'{"dateTime":"2026-01-01T00:00:00Z","ipAddress":"192.0.2.1"}', "not_an_event"),
    "a number": (b"[1]", "not_an_event"),
    "an empty list": (b"[]", "not_an_event"),
    "another document": (b"<html><body>hello</body></html>", "not_an_event"),
    "an event in another document": (b"<x>" + access_xml() + b"</x>", None),
    "plain text": (b"GET / HTTP/1.1", "not_an_event"),
    "text after json": (access_json() + b" and so on", "malformed"),
    "text after xml": (access_xml() + b" and so on", "malformed"),
    "wrong nesting": (b"<a><b></a></b>", "malformed"),
    "an end too many": (access_xml() + b"</x>", "malformed"),
    "entities": (b'<!DOCTYPE x [<!ENTITY e "e">]>' + alert_xml(camera_fields("VMD", x="&e;")), "entities"),
    "an outside file": (b'<!DOCTYPE x SYSTEM "file:///etc/hostname">' + alert_xml(camera_fields("VMD")), "entities"),
    "control characters": (access_xml(name="a\x07b"), "malformed"),
    "not a number": (access_json().replace(b"901", b"NaN"), "malformed"),
    "half a character": (access_json(x="?").replace(b'"?"', b'"\\ud800"'), None),
}


@pytest.mark.parametrize("content_type", EVERY_TYPE)
@pytest.mark.parametrize("name", JUNK)
def test_junk_is_refused_whatever_type_it_is_sent_as(name: str, content_type: str) -> None:
    body, code = JUNK[name]
    told = refused(body, content_type)
    assert code in (None, told) or (content_type.startswith("multipart") and code != "empty")


def test_a_body_beyond_the_limit_is_refused_unread() -> None:
    assert refused(access_json() + b" " * MAX_BODY) == "too_large"
    assert len(read(access_json().ljust(MAX_BODY), JSON)) == 1


def test_a_type_that_cannot_be_an_event_is_refused() -> None:
    assert refused(access_json(), "image/jpeg") == "unsupported_type"


@pytest.mark.parametrize("documents", [100, 101])
def test_a_hundred_events_a_body_are_taken(documents: int) -> None:
    parts = [("name=event_log", JSON, access_json(serialNo=n)) for n in range(documents)]
    listed = b"[" + b",".join(content for _, _, content in parts) + b"]", JSON
    for body, content_type in (listed, (bodies.multipart_body(*parts), "multipart/form-data")):
        if documents > 100:
            assert refused(body, content_type) == "too_many"
        else:
            assert [report.serial for report in read(body, content_type)] == list(range(documents))


@pytest.mark.parametrize("inside", [31, 32])
def test_how_deep_json_may_be_is_counted_in_every_document(inside: int) -> None:
    deep = access_json()[:-1] + b',"x":' + b"[" * inside + b"]" * inside + b"}"
    assert (len(read(deep, JSON)) == 1) if inside < 32 else refused(deep) == "too_deep"
    assert refused(b"[" + access_json() + b"," + deep + b"]") == "too_deep"


def test_a_refusal_never_quotes_the_body() -> None:
    for cut in range(0, len(body := access_json(**bodies.PEOPLE)), 7):
        with pytest.raises(Unreadable) as refusal:
            read(body[:cut], JSON)
        assert not any(value in str(refusal.value) for value in bodies.PEOPLE.values())


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures beside this checkout")
def test_half_a_capture_is_refused() -> None:
    for file in sorted(CAPTURES.rglob("*.*")):
        raw = file.read_bytes()
        assert {refused(raw[: len(raw) // 2], each) for each in EVERY_TYPE} == {"truncated"}, file.name
