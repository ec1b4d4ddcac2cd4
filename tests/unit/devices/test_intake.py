from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.privacy import BlindIndex
from services.devices.adapters.hikvision import read
from services.devices.adapters.report import Report
from services.devices.device_book import KnownDevice
from services.devices.domain.registry import Description
from services.devices.intake import SPAN, Intake, fingerprint
from tests.devices.bodies import alert_xml, camera_fields

BLIND = BlindIndex(bytes(range(200, 232)))
DEVICE = KnownDevice(UUID(int=1), UUID(int=2), Description("hikvision-terminal", "South gate", "K1"))
TIME = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
CARD = Report(
    kind="card_read", code="5/1", serial=9, door_no=1, reader_no=1, device_time=TIME,
    device_time_raw="2026-03-04T05:06:07Z", card_number="0000000017", person_name="Jane Doe", state="active")
CAMERA = Report(kind="pir", code="PIR", device_time=TIME, device_time_raw="2026-03-04T05:06:07Z", channel=1)


def of(report: Report) -> str:
    return fingerprint(report, DEVICE, BLIND)


def test_it_is_eight_bytes_in_hex() -> None:
    assert len(bytes.fromhex(of(CARD))) == len(bytes.fromhex(of(CAMERA))) == 8


@pytest.mark.parametrize(
    "same",
    [
        {"history": True, "findings": ("clock_repaired",), "pictures": 2, "detail": {"currentEvent": False}, "ip": "192.0.2.1"},
        {"device_time": TIME.astimezone(timezone(timedelta(hours=8))), "device_time_raw": "2026-03-04T13:06:07+08:00"},
        {"state": None, "kind": "fingerprint_verified", "awaits_decision": True},
    ],
)
def test_an_event_told_again_in_another_way_has_the_same(same: dict[str, Any]) -> None:
    assert of(replace(CARD, **same)) == of(CARD)


@pytest.mark.parametrize(
    "other",
    [{"serial": 10}, {"code": "5/2"}, {"door_no": 2}, {"reader_no": 2}, {"card_number": "0000000025"},
     {"employee_number": "1"}, {"person_name": "John Doe"}, {"device_time": TIME + timedelta(seconds=1)},
     {"device_time": None, "device_time_raw": "unreadable"}],
)
def test_another_event_has_another(other: dict[str, Any]) -> None:
    assert of(replace(CARD, **other)) != of(CARD)


def test_of_the_person_it_holds_eight_bits_and_those_differ_from_event_to_event() -> None:
    other, later = replace(CARD, card_number="0000000025"), {"serial": 10}
    assert of(other)[:14] == of(CARD)[:14]
    assert of(replace(CARD, **later))[14:] != of(CARD)[14:]


def test_without_a_number_the_whole_report_counts() -> None:
    assert of(replace(CAMERA, detail={"regionID": 2})) != of(CAMERA)
    assert of(replace(CAMERA, state="inactive")) != of(CAMERA)


@pytest.mark.parametrize("event_type", ["fielddetection", "IO", "PIR", "VMD", "ANPR", "something new"])
@pytest.mark.parametrize("again", [
    {"isDataRetransmission": True}, {"activePostCount": 13}, {"currentEvent": False}, {"isoffline": 1}, {"hasRecord": True}])
def test_what_a_camera_tells_again_is_the_same_event_whatever_it_calls_it(event_type: str, again: dict[str, Any]) -> None:
    first, second = (read(alert_xml(camera_fields(event_type, **more)), "application/xml")[0]
                     for more in ({"isDataRetransmission": False, "hasRecord": False}, again))
    assert of(first) == of(second) != of(read(alert_xml(camera_fields(event_type, channelID=5)), "application/xml")[0])


def test_without_number_and_clock_there_is_none() -> None:
    assert of(replace(CAMERA, device_time=None, device_time_raw="")) == ""


def test_what_a_panel_sends_again_is_known_by_its_marks_and_of_its_words_eight_bits() -> None:
    signal = Report(kind="panel_signal", code="1110", mark="ADM-CID 0001 1", text="door of Jane Doe")
    assert of(signal) == of(replace(signal, device_time=TIME, findings=("length",))) != of(replace(signal, mark="ADM-CID 0002 1"))
    assert of(signal)[:14] == of(replace(signal, text="door of John Doe"))[:14] != of(replace(signal, code="1130"))[:14]
    assert fingerprint(signal, DEVICE, BLIND, "1") != fingerprint(signal, DEVICE, BLIND, "2") != of(signal)


@pytest.mark.parametrize(("stamp", "own"), [
    (TIME, True), (TIME - timedelta(days=1), True), (TIME + timedelta(days=1), True), (TIME - timedelta(days=1, seconds=1), False),
    (TIME + timedelta(days=2), False), (datetime(2000, 1, 1, 0, 0, 9, tzinfo=UTC), False), (None, False),
])
def test_a_panel_that_boots_alike_is_known_by_its_marks_for_minutes_only(stamp: datetime | None, own: bool) -> None:
    signal = Report(kind="panel_signal", code="1110", mark="ADM-CID 0001 1", device_time=stamp, device_time_raw="as it was sent")

    def spans(now: datetime) -> tuple[str, str]:
        return Intake(SimpleNamespace(), SimpleNamespace(), DEVICE, SimpleNamespace(now=now))._spans(signal)  # type: ignore[arg-type]

    assert (spans(TIME) == ("", "")) is own
    assert own or (spans(TIME)[0] in spans(TIME + timedelta(seconds=SPAN)) and not {*spans(TIME)} & {*spans(TIME + timedelta(weeks=1))})
