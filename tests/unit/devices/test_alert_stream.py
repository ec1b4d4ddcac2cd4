import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.devices.adapters.alert_stream import AlertStream
from services.devices.adapters.hikvision import read
from services.devices.adapters.multipart import Part
from tests.devices.bodies import JPEG, access_json, access_xml, alert_xml, camera_fields

TYPE = "multipart/mixed; boundary=MIME_boundary"
BEAT = alert_xml(camera_fields("videoloss", "inactive"))
CONTENTS = (BEAT, access_json(), JPEG, access_xml(), b'[{"a":1}]')


def stream(*contents: bytes, line: bytes = b"\r\n", length: int | None = 0, dashes: bytes = b"--") -> bytes:
    """An endless stream as it begins; `length` is added to the true Content-Length, None leaves it out."""
    out = b""
    for content in contents:
        kind = b"image/jpeg" if content == JPEG else b"application/xml" if content.startswith(b"<") else b"application/json"
        out += dashes + b"MIME_boundary" + line + b"Content-Type: " + kind + line
        if length is not None:
            out += b"Content-Length: %d" % (len(content) + length) + line
        out += line + content + line
    return out


def fed(*chunks: bytes, content_type: str = TYPE) -> list[Part]:
    parts = AlertStream(content_type)
    return [part for chunk in chunks for part in parts.feed(chunk)]


def contents(*chunks: bytes, content_type: str = TYPE) -> list[bytes]:
    return [part.content for part in fed(*chunks, content_type=content_type)]


WHOLE = stream(*CONTENTS)


def test_parts_come_in_their_order_with_their_types() -> None:
    parts = fed(WHOLE)
    assert [part.content for part in parts] == list(CONTENTS)
    assert [part.is_picture for part in parts] == [False, False, True, False, False]
    assert parts[0].content_type == "application/xml"
    (beat,) = read(parts[0].content, parts[0].content_type)
    assert beat.kind == "heartbeat"


def test_a_stream_may_be_split_at_every_byte() -> None:
    for at in range(len(WHOLE)):
        assert contents(WHOLE[:at], WHOLE[at:]) == list(CONTENTS), at


def test_a_stream_may_come_byte_by_byte() -> None:
    assert contents(*(WHOLE[n : n + 1] for n in range(len(WHOLE)))) == list(CONTENTS)


@pytest.mark.parametrize("length", [None, 0, -5, 5, 10_000])
def test_the_content_length_may_be_missing_or_wrong(length: int | None) -> None:
    assert contents(stream(*CONTENTS, length=length)) == list(CONTENTS)


@pytest.mark.parametrize(("content_type", "dashes"), [
    ("multipart/mixed; boundary=MIME_boundary", b"--"),
    ('multipart/mixed; boundary="MIME_boundary"', b"--"),
    ("multipart/x-mixed-replace; boundary=--MIME_boundary", b"--"),
    ("multipart/x-mixed-replace; boundary=--MIME_boundary", b"----"),
    ("multipart/mixed; boundary=another", b"--"),
    ("multipart/mixed", b"--"),
    ("", b"----"),
])  # fmt: skip
def test_the_boundary_is_found_whatever_the_header_says(content_type: str, dashes: bytes) -> None:
    assert contents(stream(*CONTENTS, dashes=dashes), content_type=content_type) == list(CONTENTS)


@pytest.mark.parametrize("content_type", [TYPE, ""])
def test_line_ends_may_be_bare_and_a_preamble_is_passed_over(content_type: str) -> None:
    assert contents(b"hello\r\n" + stream(*CONTENTS, line=b"\n"), content_type=content_type) == list(CONTENTS)


@pytest.mark.parametrize("content", [BEAT, access_json(), access_xml(name="李小雨").decode().encode("gb18030")])
def test_a_document_is_handed_over_before_the_next_part_begins(content: bytes) -> None:
    head, _, rest = stream(content).partition(b"\r\n\r\n")
    parts = AlertStream(TYPE)
    assert parts.feed(head + b"\r\n\r\n" + rest[:-20]) == []
    assert [part.content for part in parts.feed(rest[-20:])] == [content]
    assert [part.content for part in parts.feed(stream(BEAT))] == [BEAT]


def test_what_only_looks_whole_is_not_handed_over() -> None:
    content = b'{"a":{"b":1}' + b',"c":2}'
    parts = AlertStream(TYPE)
    assert parts.feed(stream(content)[:-9]) == []
    assert [part.content for part in parts.feed(stream(content)[-9:])] == [content]
    document = b"<a><a2>1</a2></a>"
    begun = stream(document)
    parts = AlertStream(TYPE)
    assert parts.feed(begun[: begun.index(b"</a>")]) == []
    assert [part.content for part in parts.feed(b"</a>")] == [document]


def test_a_stream_may_close_and_begin_anew() -> None:
    assert contents(stream(BEAT) + b"--MIME_boundary--\r\n" + stream(access_json())) == [BEAT, access_json()]


def test_delimiters_without_a_part_and_after_no_line_end_are_taken() -> None:
    assert contents(b"--MIME_boundary\r\n" + stream(BEAT)[:-2] + stream(access_json())) == [BEAT, access_json()]


def test_a_document_may_follow_its_delimiter_at_once() -> None:
    assert contents(b"--MIME_boundary\r\n" + BEAT + b"\r\n" + stream(access_json())) == [BEAT, access_json()]


def test_a_line_that_only_begins_like_a_delimiter_ends_nothing() -> None:
    picture = b"\xff\xd8\xff\r\n--MIME_boundary2\r\n\r\n--MIME_boundary--x\r\n\xff\xd9"
    assert contents(stream(picture, BEAT)) == [picture, BEAT]


def test_a_part_that_never_ends_is_dropped_and_the_next_is_heard() -> None:
    parts = AlertStream(TYPE, limit=5000)
    assert parts.feed(stream(b'{"a":"')) == []
    for _ in range(1000):
        assert parts.feed(b"x" * 1000) == []
        assert len(parts._buffer) <= 6000
    assert parts.dropped == 1
    assert [part.content for part in parts.feed(b"\r\n" + stream(BEAT, access_json()))] == [BEAT, access_json()]


def test_a_long_part_is_dropped_also_where_it_comes_at_once() -> None:
    parts = AlertStream(TYPE, limit=5000)
    assert [part.content for part in parts.feed(stream(b"\xff\xd8\xff" * 4000, BEAT))] == [BEAT]
    assert parts.dropped == 1


def test_no_more_than_a_line_is_kept_where_no_part_begins() -> None:
    for content_type in (TYPE, ""):
        parts = AlertStream(content_type)
        for _ in range(100):
            assert parts.feed(b"x" * 10_000) == []
        assert len(parts._buffer) < 1000
    assert [part.content for part in parts.feed(b"\r\n" + stream(BEAT, BEAT))] == [BEAT, BEAT]


def test_a_part_whose_headers_never_end_is_dropped() -> None:
    parts = AlertStream(TYPE)
    body = b"--MIME_boundary\r\nX: y\r\n" + stream(BEAT)
    assert [part.content for part in parts.feed(body)] == [BEAT]
    assert parts.dropped == 1


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(1, 400), max_size=12))
def test_any_division_gives_the_same(sizes: list[int]) -> None:
    chunks, rest = [], WHOLE
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]
    assert contents(*chunks, rest) == list(CONTENTS)


pieces = st.sampled_from((b"--MIME_boundary", b"\r\n", b"\r\n\r\n", b"--", b"<a>", b"</a>", b"{", b"}"))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=60), pieces)), st.text(max_size=60))
def test_nothing_makes_it_fail(chunks: list[bytes], content_type: str) -> None:
    parts = AlertStream(content_type)
    for chunk in chunks:
        assert all(part.content.strip() or part.is_picture or part.content_type for part in parts.feed(chunk))


def test_a_picture_of_a_megabyte_in_small_chunks_takes_no_second() -> None:
    body = stream(b"\xff\xd8\xff" + b"\r\n--MIME" * 120_000, BEAT)
    started = time.process_time()
    parts = fed(*(body[n : n + 4096] for n in range(0, len(body), 4096)))
    assert len(parts) == 2 and time.process_time() - started < 1
