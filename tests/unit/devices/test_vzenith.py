import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest

from services.devices.adapters.report import PERSONAL, Report
from services.devices.adapters.vzenith import answer, read
from tests.devices import bodies
from tests.devices.bodies import PROVINCES, multipart_body, vzenith, vzenith_json

JSON, FORM = "application/json", "multipart/form-data; boundary=MIME_boundary"
URLENCODED = "application/x-www-form-urlencoded"
EVERY_TYPE = (JSON, "text/json", "text/plain", URLENCODED, FORM, "")
CAPTURES = Path(__file__).parents[3].parent / "shared" / "real-input" / "vzenith"


def one(body: bytes, content_type: str = JSON) -> Report:
    (report,) = read(body, content_type)
    return report


def plate(outer: dict[str, Any] | None = None, **result: Any) -> Report:
    return one(vzenith_json(outer, **result))


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures beside this checkout")
@pytest.mark.parametrize("content_type", EVERY_TYPE)
def test_every_capture_is_taken_whatever_type_it_is_sent_as(content_type: str) -> None:
    for file in sorted(CAPTURES.rglob("*.json")):
        report = one(file.read_bytes(), content_type)
        assert report.kind == "plate_read" and report.plate and report.device_time and report.device_time.tzinfo, file.name
        assert report.awaits_decision and not report.history and not report.findings, file.name


def test_a_plate_is_read() -> None:
    report = plate()
    assert (report.kind, report.code, report.state) == ("plate_read", "AlarmInfoPlate/4", "active")
    assert (report.plate, report.plate_colour, report.plate_kind) == ("粤BD77001", "green", "new_energy_small")
    assert (report.vehicle_kind, report.confidence, report.direction, report.lane_no) == ("suv", 96, None, None)
    assert report.device_time == datetime(2026, 2, 25, 6, 13, 20, 250000, tzinfo=UTC)
    assert (report.device_time_raw, report.ip, report.channel) == ("1772000000.250000", "192.0.2.60", 0)
    assert (report.history, report.awaits_decision, report.findings, report.serial) == (False, True, (), None)
    assert (report.detail["plateid"], report.detail["serialno"]) == (21085, "e0aa11bb-22cc33dd")


def test_a_plate_and_names_that_people_gave_stay_out_of_everything_else() -> None:
    report = plate({"user_data": "Wang 101"}, plates=[{"license": "粤BD77001"}])
    rest = repr({name: getattr(report, name) for name in report.__struct_fields__ if name not in PERSONAL})
    assert "77001" not in rest and "Wang" not in rest


@pytest.mark.parametrize("names", [(), ("imageFile",), ("imageFile", "imageFragmentFile")])
def test_pictures_are_counted_and_never_copied(names: tuple[str, ...]) -> None:
    report = plate(**dict.fromkeys(names, "/9j/"))
    assert report.pictures == len(names)
    assert "/9j/" not in repr(report)


def test_two_pictures_of_half_a_megabyte_are_taken() -> None:
    picture = base64.b64encode(bodies.JPEG * 2000).decode()
    assert plate(imageFile=picture, imageFragmentFile=picture).pictures == 2
    form = b"data=" + quote_plus(vzenith_json(imageFile=picture, imageFragmentFile=picture)).encode()
    assert len(form) > 1024 * 1024 and one(form, URLENCODED).pictures == 2


@pytest.mark.parametrize("said", ["无牌车", "_无_", "unlicensed", "null", "--", "unknown", "", "未知", None])
def test_words_for_no_plate_are_no_plate(said: str | None) -> None:
    report = plate(license=said)
    assert (report.kind, report.plate, report.findings, report.awaits_decision) == ("plate_read", None, ("no_plate",), True)
    assert not said or said in ("--", "null", "unknown") or said not in repr(report)


@pytest.mark.parametrize(("mark", "history", "findings"), [
    (1, True, ()), ("1", True, ()), (True, True, ()), (0, False, ()), ("0", False, ()), ("", False, ()),
    ("perhaps", True, ("flag_unreadable",)), (7, True, ("flag_unreadable",)),
])  # fmt: skip
def test_what_was_kept_is_history_and_awaits_nothing(mark: object, history: bool, findings: tuple[str, ...]) -> None:
    for report in (plate(isoffline=mark), plate({"isOffline": mark})):
        assert (report.history, report.awaits_decision, report.findings) == (history, not history, findings)


def test_a_passage_told_again_as_history_has_the_same_detail() -> None:
    assert plate().detail == plate(isoffline=1).detail


@pytest.mark.parametrize(("trigger", "kind", "state"), [
    (1, "plate_read", "active"), (2, "plate_read", "active"), (8, "plate_read", "active"), (64, "camera_alarm", "active"),
    (65, "camera_alarm", "inactive"), (66, "camera_alarm", "active"),
])  # fmt: skip
def test_a_vehicle_that_stays_is_no_new_arrival(trigger: int, kind: str, state: str) -> None:
    report = plate(triggerType=trigger)
    assert (report.kind, report.code, report.state) == (kind, f"AlarmInfoPlate/{trigger}", state)
    assert report.awaits_decision == (kind == "plate_read")


@pytest.mark.parametrize(("said", "time", "raw", "findings"), [
    ({"sec": 1571932583, "usec": 0}, datetime(2019, 10, 24, 15, 56, 23, tzinfo=UTC), "1571932583", ()),
    ({"sec": "1571932583"}, datetime(2019, 10, 24, 15, 56, 23, tzinfo=UTC), "1571932583", ()),
    ({"sec": 1571932583, "usec": 9999999}, datetime(2019, 10, 24, 15, 56, 23, 999999, tzinfo=UTC), "1571932583.9999999", ()),
    ({"sec": 1571932583000}, None, "1571932583000", ("clock_unreadable",)),
    ({"sec": "yesterday"}, None, "yesterday", ("clock_unreadable",)),
    ({}, None, "", ("clock_missing",)),
    ({"decyear": 2023, "decmon": 6, "decday": 9, "dechour": 16, "decmin": 39, "decsec": 54},
     datetime(2023, 6, 9, 16, 39, 54), "2023-06-09T16:39:54", ("clock_without_zone",)),  # noqa: DTZ001
    ({"decyear": 2023, "decmon": 13, "decday": 9}, None, "2023-13-09T00:00:00", ("clock_unreadable",)),
])  # fmt: skip
def test_the_clock_is_kept_as_said_and_read_where_it_can_be(
    said: dict[str, Any], time: datetime | None, raw: str, findings: tuple[str, ...]
) -> None:
    report = plate(timeStamp={"Timeval": said})
    assert (report.device_time, report.device_time_raw, report.findings) == (time, raw, findings)


def test_a_fake_plate_is_said() -> None:
    assert plate(is_fake_plate=1).findings == plate(type=29).findings == ("fake_plate",)


def test_gbk_is_read_and_said() -> None:
    body = json.dumps(vzenith(), ensure_ascii=False).encode("gbk")
    assert (one(body).plate, one(body).findings) == ("粤BD77001", ("charset_contradicted",))
    declared = one(body, "application/json; charset=GBK")
    assert (declared.plate, declared.findings) == ("粤BD77001", ())


@pytest.mark.parametrize("type_", [JSON, "application/json; charset=utf-8", "text/plain", ""])
@pytest.mark.parametrize("said", [*(f"{province}BF12345" for province in PROVINCES), "鲁B1234学", "WJ鲁12345", "使123456", "123456使"])
def test_a_plate_of_every_province_in_gb2312_that_nobody_declared_is_read_and_said(said: str, type_: str) -> None:
    report = one(json.dumps(vzenith(license=said), ensure_ascii=False).encode("gb2312"), type_)
    assert (report.plate, report.findings) == (said, ("charset_contradicted",))
    plain = one(vzenith_json(license=said), type_)
    assert (plain.plate, plain.findings) == (said, ())


def test_a_word_for_no_plate_in_gb2312_that_is_valid_utf_8_too_is_no_plate() -> None:
    report = one(json.dumps(vzenith(license="未知"), ensure_ascii=False).encode("gb2312"))
    assert (report.plate, report.findings) == (None, ("charset_contradicted", "no_plate"))


@pytest.mark.parametrize("said", ["А123ВС77", "ÖS-123A", "ΑΒΓ1234", "Å12345", "·B12345"])
def test_letters_of_other_scripts_stay_as_they_were_read(said: str) -> None:
    assert (plate(license=said).plate, plate(license=said).findings) == (said, ())


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
def test_a_plate_may_come_as_a_form(charset: str) -> None:
    told = quote_plus(json.dumps(vzenith(), ensure_ascii=False).encode(charset)).encode()
    for body in (b"data=" + told, b"x=1&AlarmInfoPlate=" + told):
        assert one(body, URLENCODED).plate == "粤BD77001"
    inner = quote_plus(json.dumps(vzenith()["AlarmInfoPlate"], ensure_ascii=False)).encode()
    assert one(b"AlarmInfoPlate=" + inner, URLENCODED).plate == "粤BD77001"


def test_a_plate_may_come_in_parts_with_its_pictures() -> None:
    report = one(multipart_body(('name="AlarmInfoPlate"', JSON, vzenith_json()), ('name="p"', "image/jpeg", bodies.JPEG)), FORM)
    assert (report.plate, report.pictures) == ("粤BD77001", 1)


def test_a_plate_without_its_envelope_is_no_heartbeat() -> None:
    report = one(json.dumps(vzenith()["AlarmInfoPlate"]).encode())
    assert (report.kind, report.plate, report.awaits_decision) == ("plate_read", "粤BD77001", True)
    pressed = {"channel": 0, "ipaddr": "192.0.2.60", "serialno": "x", "result": {"TriggerResult": {"source": 1, "value": 1}}}
    assert (one(json.dumps(pressed).encode()).kind, one(json.dumps(pressed).encode()).state) == ("io_alarm", "active")


def test_numbers_may_be_written_with_a_point() -> None:
    report = plate(confidence=96.0, colorType=2.0, triggerType=4.0, timeStamp={"Timeval": {"sec": 1772000000.0, "usec": 0.0}})
    assert (report.confidence, report.plate_colour, report.code, report.findings) == (96, "yellow", "AlarmInfoPlate/4", ())
    assert report.device_time == datetime(2026, 2, 25, 6, 13, 20, tzinfo=UTC)


def heartbeats() -> dict[str, tuple[bytes, str]]:
    parts = [(f'name="{name}"', "text/plain", value.encode()) for name, value in bodies.HEARTBEAT.items()]
    return {
        "parts": (multipart_body(*parts), FORM),
        "form": (urlencode(bodies.HEARTBEAT).encode(), URLENCODED),
        "json": (json.dumps(bodies.HEARTBEAT).encode(), JSON),
        "named": (json.dumps({"heartbeat": bodies.HEARTBEAT}).encode(), JSON),
    }


@pytest.mark.parametrize("form", ["parts", "form", "json", "named"])
def test_a_heartbeat_is_read_and_its_password_is_not(form: str) -> None:
    report = one(*heartbeats()[form])
    assert (report.kind, report.ip, report.detail["serialno"]) == ("heartbeat", "192.0.2.60", "e0aa11bb-22cc33dd")
    assert not report.awaits_decision and "secret" not in repr(report) and "admin" not in repr(report)


@pytest.mark.parametrize(("value", "state"), [(1, "active"), (0, "inactive"), ("?", None)])
def test_an_input_is_read(value: object, state: str | None) -> None:
    alarm = {"deviceName": "IVS", "ipaddr": "192.0.2.60", "result": {"TriggerResult": {"source": 3, "value": value}}}
    report = one(json.dumps({"AlarmGioIn": alarm}).encode())
    assert (report.kind, report.code, report.state, report.detail["source"]) == ("io_alarm", "AlarmGioIn", state, 3)


@pytest.mark.parametrize("body", [
    {"SerialData": {"channel": 0, "ipaddr": "192.0.2.60", "data": "Y2guY29tFw=="}},
    {"ipaddr": "192.0.2.60", "TriggerImage": {"imageFile": "Y2guY29tFw==", "imageFileLen": 7}},
])  # fmt: skip
def test_what_else_it_pushes_is_kept_as_unknown(body: dict[str, Any]) -> None:
    report = one(json.dumps(body).encode())
    assert (report.kind, report.findings, report.ip) == ("unknown", ("code_unknown",), "192.0.2.60")
    assert "Y2gu" not in repr(report) and report.pictures == ("TriggerImage" in body)


# answers


def said(*asked: Any, **more: Any) -> dict[str, Any]:
    told = json.loads(answer(*asked, **more))
    assert list(told) == ["Response_AlarmInfoPlate"]
    return dict(told["Response_AlarmInfoPlate"])


def test_an_answer_says_ok_or_no_and_which_push_it_answers() -> None:
    assert said(True, 21085) == {"info": "ok", "is_pay": "true", "content": "retransfer_stop", "plateid": 21085}
    assert said(False, 21085) == {"info": "no", "is_pay": "false", "content": "retransfer_stop", "plateid": 21085}


def test_where_there_is_nothing_to_decide_nothing_is_said_of_the_barrier() -> None:
    assert said(None) == {"content": "retransfer_stop"}


@pytest.mark.parametrize("admitted", [True, False, None])
def test_history_is_answered_for_the_next_and_never_lifts_the_barrier(admitted: bool | None) -> None:
    told = said(admitted, 7, history=True)
    assert told["ContinuePushOffline"] == {"plateid": 7, "continue": 1}
    assert told.get("info") in ("no", None)
