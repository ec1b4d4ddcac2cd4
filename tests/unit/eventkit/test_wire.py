"""What goes with a public event, byte for byte and in this order: others read it."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from msgspec import Struct, json

from libs.eventkit.commands import Public
from libs.eventkit.envelope import Unreadable, attributes, headers, public_id, read, rfc3339
from libs.eventkit.recorded import Meta, Number, Recorded

EVENT, COMMUNITY, CAUSES = UUID(int=1), UUID(int=2), (UUID(int=3), UUID(int=4))
AT = datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC)
ALWAYS = [
    ("ce_specversion", b"1.0"),
    ("ce_id", str(EVENT).encode()),
    ("ce_source", b"/lifang/access"),
    ("ce_type", b"access.opened"),
    ("ce_subject", b"door:7"),
    ("ce_time", b"2026-01-02T03:04:05.000060Z"),
    ("content-type", b"application/json"),
    ("ce_partitionkey", str(COMMUNITY).encode()),
    ("ce_lifangposition", b"2.70.0"),
    ("ce_lifangprevious", b"1.60.3"),
    ("ce_lifangschema", b"4")]


class Opened(Struct, frozen=True, tag="access.opened"):
    pass


def row(meta: Meta, stream: str | None = "door:7") -> Recorded:
    return Recorded(70, 2, COMMUNITY, stream, 1, EVENT, "opened", 1, "{}", meta, None, None, AT)


def test_what_every_event_has():
    assert headers(row(Meta()), Public(Opened()), 0, "access", 4, Number(1, 60, 3)) == ALWAYS


def test_what_an_event_may_have():
    meta = Meta(
        correlation="里", caused_by=CAUSES, traceparent="00-1-1-01",
        requested_at=datetime(2026, 1, 2, 11, 0, tzinfo=timezone(timedelta(hours=8))),
        occurred_at=datetime(2026, 1, 2, tzinfo=UTC), principal="never told", subject="nor this where there is a stream")
    assert headers(row(meta), Public(Opened()), 0, "access", 4, Number(1, 60, 3)) == [
        *ALWAYS,
        ("ce_lifangcausedby", f"{CAUSES[0]} {CAUSES[1]}".encode()),
        ("ce_lifangcorrelation", "里".encode()),
        ("ce_traceparent", b"00-1-1-01"),
        ("ce_lifangrequestedat", b"2026-01-02T03:00:00Z"),
        ("ce_lifangoccurredat", b"2026-01-02T00:00:00Z")]


def test_a_sibling_has_an_id_and_a_number_of_its_own():
    found = dict(headers(row(Meta()), Public(Opened(), "lift:1"), 2, "access", 4, Number(2, 70, 1)))
    assert found["ce_id"] == str(public_id(EVENT, 2)).encode() != str(EVENT).encode()
    assert (found["ce_lifangposition"], found["ce_lifangprevious"], found["ce_subject"]) == (b"2.70.2", b"2.70.1", b"lift:1")


def test_what_is_about_nothing_has_no_subject():
    found = headers(row(Meta(), stream=None), Public(Opened()), 0, "access", 4, Number(1, 60, 3))
    assert found == [(k, v) for k, v in ALWAYS if k != "ce_subject"]


@pytest.mark.parametrize("text", ["\\u0000", "x\\u0000y", "\\\\u0000", "\\", '"\\u0000"'])
def test_whatever_is_written_can_be_read(text: str):
    """A device may send the six characters that stand for NUL elsewhere: they are text, and none must be left out of a chain for them."""
    body = json.encode({"text": text})
    heard = read(headers(row(Meta()), Public(Opened()), 0, "access", 4, Number(1, 60, 3)), body)
    assert json.decode(heard.data) == {"text": text}


@pytest.mark.parametrize("body", [b'{"text":"\\u0000"}', b'{"text":"\\\\\\u0000"}', b'{"\\u0000":1}'])
def test_a_nul_that_is_one_is_not_read(body: bytes):
    with pytest.raises(Unreadable):
        read(headers(row(Meta()), Public(Opened()), 0, "access", 4, Number(1, 60, 3)), body)


def test_attributes_are_the_same_by_their_own_names():
    found = attributes(row(Meta(correlation="c")), Public(Opened()), 0, "access", 4, Number(1, 60, 3))
    assert [*found.items()] == [(k.removeprefix("ce_") if k != "content-type" else "datacontenttype", v.decode()) for k, v in ALWAYS] + [
        ("lifangcorrelation", "c")]


@pytest.mark.parametrize(("moment", "text"), [
    (None, ""), (AT, "2026-01-02T03:04:05.000060Z"), (AT.replace(microsecond=0), "2026-01-02T03:04:05Z"),
    (AT.replace(microsecond=120_000), "2026-01-02T03:04:05.120000Z"),
    (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))), "2025-12-31T16:00:00Z")])
def test_moments(moment: datetime | None, text: str):
    assert rfc3339(moment) == text
