"""ONVIF notifications: what they say, in whatever envelope; what is no news; what is no notification."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.eventkit.privacy import BlindIndex
from services.devices.adapters.onvif import MAX_BODY, MAX_MESSAGES, Report, Unreadable, read
from services.devices.intake import fingerprint
from services.devices.publishing import DETECTIONS
from tests.devices.onvif_bodies import CROSSED, MOTION, TIME, TYPE, message, soap, stream
from tests.unit.devices.test_intake import BLIND, DEVICE

CAPTURES = Path(__file__).parents[3].parent / "shared" / "real-input" / "onvif"
ON, OFF = {"State": "true"}, {"State": "false"}


def one(body: bytes, content_type: str = TYPE) -> Report:
    (report,) = read(body, content_type)
    return report


def refused(body: bytes, content_type: str = TYPE) -> str:
    with pytest.raises(Unreadable) as refusal:
        read(body, content_type)
    return refusal.value.code


@pytest.mark.parametrize("carried", [
    stream, soap, lambda *m: soap(*m, carrier="tev:PullMessagesResponse")], ids=["stream", "notify", "pulled"])
def test_a_notification_is_the_same_however_it_is_carried(carried: Any):
    body = carried(message(MOTION, {"IsMotion": "true"}, {"VideoSourceConfigurationToken": "VideoSource_2", "Rule": "Mrs Wang's door"}))
    report = one(body)
    assert (report.kind, report.code, report.state, report.channel, report.history) == ("camera_alarm", MOTION, "active", 2, False)
    assert (report.device_time, report.findings) == (datetime(2026, 3, 1, 8, 0, 0, 250_000, UTC), ())
    assert "Wang" not in repr((report.code, report.detail)), "what people call a rule stands in the sealed body"


@pytest.mark.parametrize(("operation", "history", "findings"), [
    ("Changed", False, ()), (None, False, ()), ("Initialized", True, ()), ("Deleted", True, ()), ("Renamed", True, ("flag_unreadable",))])
def test_how_things_stand_is_no_news(operation: str | None, history: bool, findings: tuple[str, ...]):
    report = one(soap(message(data=ON, operation=operation)))
    assert (report.history, report.state, report.findings) == (history, "active", findings)


@pytest.mark.parametrize(("data", "operation", "may_be_an_alarm"), [
    (ON, "Initialized", True), (OFF, "Initialized", True), ({"ObjectId": "0"}, "Initialized", False), ({}, "Initialized", False),
    (ON, "Deleted", False), ({}, "Deleted", False), ({"ObjectId": "0"}, "Changed", True), ({}, None, True)])
def test_what_begins_or_ends_to_be_watched_is_no_alarm(data: dict[str, str], operation: str | None, may_be_an_alarm: bool):
    for topic in (CROSSED, "tns1:RuleEngine/TamperDetector/Tamper"):
        assert (one(soap(message(topic, data, operation=operation))).kind in DETECTIONS) is may_be_an_alarm
    assert one(soap(message("tns1:Door/State/DoorMode", data, operation=operation))).kind == "unknown"


@pytest.mark.parametrize(("topic", "kind"), [
    (MOTION, "camera_alarm"), (CROSSED, "camera_alarm"), ("tns1:RuleEngine/FieldDetector/ObjectsInside", "camera_alarm"),
    ("tns1:VideoSource/MotionAlarm", "camera_alarm"), ("tns1:AudioAnalytics/Audio/DetectedSound", "camera_alarm"),
    ("tns1:AudioSource/tnsaxis:TriggerLevel", "camera_alarm"),
    ("tnsaxis:CameraApplicationPlatform/FenceGuard/Camera1Profile1", "camera_alarm"),
    ("tns1:RuleEngine/tnsaxis:VMD3/vmd3_video_1", "camera_alarm"), ("tns1:RuleEngine/TamperDetector/Tamper", "tamper"),
    ("tns1:VideoSource/GlobalSceneChange/ImagingService", "tamper"), ("tns1:Device/tnsaxis:Casing/Open", "tamper"),
    ("tns1:Device/tnsaxis:Sensor/PIR", "pir"), ("tns1:Device/Trigger/DigitalInput", "io_alarm"),
    ("tns1:Device/tnsaxis:IO/Port", "io_alarm"),
    ("tns1:VideoSource/ImageTooDark/AnalyticsService", "device_trouble"), ("tnsaxis:Storage/Alert", "device_trouble"),
    ("tns1:Device/HardwareFailure/StorageFailure", "device_trouble"), ("tns1:Device/Trigger/Relay", "operation"),
    ("tns1:VideoSource/tnsaxis:DayNightVision", "operation"), ("tns1:PTZController/tnsaxis:Move/Channel_1", "operation"),
    ("tns1:LightControl/tnsaxis:LightStatusChanged/Status", "operation"), ("tns1:RuleEngine/CountAggregation/Counter", "operation"),
    ("tns1:Monitoring/OperatingTime/LastReboot", "operation"), ("tns1:Monitoring/ProcessorUsage", "device_trouble"),
    ("tns1:Door/State/DoorMode", "unknown"), ("RuleEngines/x", "unknown")])
def test_what_a_topic_says(topic: str, kind: str):
    report = one(soap(message(topic, ON)))
    assert (report.kind, report.code) == (kind, topic)
    assert ("code_unknown" in report.findings) == (kind == "unknown")


def test_the_namespace_of_a_topic_counts_and_not_its_prefix():
    body = soap(message("tns1:Device/tnsaxis:Sensor/PIR", {"state": "1"}))
    assert one(body.replace(b"tns1:", b"a:").replace(b":tns1", b":a").replace(b"tnsaxis", b"b")).code == "tns1:Device/tnsaxis:Sensor/PIR"
    assert one(body.replace(b"http://www.axis.com/2009/event/topics", b"urn:other")).code == "tns1:Device/tnsaxis:Sensor/PIR"
    assert one(soap(message(" tns1:VideoSource/MotionAlarm//. ", ON))).code == "tns1:VideoSource/MotionAlarm"


@pytest.mark.parametrize("topic", ["", "tns1:", "tns1:Video Source/x", "a/<b>", "tns1:VideoSource//MotionAlarm", "x" * 90])
def test_what_is_no_topic_is_unknown(topic: str):
    report = one(soap(message(topic, ON)))
    assert (report.kind, report.code, report.findings) == ("unknown", "?", ("code_unknown",))


@pytest.mark.parametrize(("data", "state"), [
    ({"IsMotion": "true"}, "active"), ({"IsInside": "false"}, "inactive"), ({"State": "1"}, "active"),
    ({"LogicalState": "inactive"}, "inactive"),
    ({"state": "ON"}, "active"), ({"state": "OFF"}, "inactive"), ({"triggered": "0"}, "inactive"), ({"Smoke": "true"}, "active"),
    ({"classTypes": "human", "active": "1", "objectId": "7"}, "active"), ({"ObjectId": "1"}, None), ({"day": "1"}, None), ({}, None),
    ({"overall_health": "-3", "alert": "0", "wear": "-3"}, "inactive"), ({"State": "maybe", "IsMotion": "true"}, "active"),
    ({"State": ""}, None)])
def test_whether_it_is_so_now(data: dict[str, str], state: str | None):
    assert one(stream(message(CROSSED, data))).state == state


@pytest.mark.parametrize(("source", "topic", "channel"), [
    ({"VideoSourceConfigurationToken": "VideoSource_1"}, MOTION, 1), ({"Source": "0"}, MOTION, 0), ({"InputToken": "AlarmIn_3"}, MOTION, 3),
    ({"port": "-1"}, MOTION, None), ({"sensor": "0"}, MOTION, 0), ({"VideoSourceConfigurationToken": "vsconf"}, MOTION, None),
    ({"Rule": "zone 7", "VideoSource": "00000"}, MOTION, 0), ({"VideoSource": "1234567"}, MOTION, None),
    ({"Source": "7d444840-9dc0-11d1-b245-5ffdce74fad2"}, MOTION, None), ({"disk_id": "SD_1"}, "tnsaxis:Storage/Alert", None),
    ({}, "tnsaxis:CameraApplicationPlatform/VMD/Camera2Profile1", 2),
    ({}, "tnsaxis:CameraApplicationPlatform/ObjectAnalytics/Device1Scenario3", 1),
    (None, "tnsaxis:CameraApplicationPlatform/VMD/Camera2ProfileANY", 2), ({"Source": "x"}, "tnsaxis:Any/Camera2Profile1", None)])
def test_which_camera_or_input_it_is_of(source: dict[str, str] | None, topic: str, channel: int | None):
    assert one(soap(message(topic, ON, source))).channel == channel


def test_what_is_kept_in_the_clear_are_classes_and_numbers():
    said = {"classTypes": "human, vehicle", "objectId": "234232", "owner": "Wang", "active": "1"}
    assert one(soap(message(CROSSED, said))).detail == {"operation": "Changed", "classTypes": "human, vehicle", "objectId": "234232"}
    assert one(soap(message(CROSSED, {"classTypes": "Wang's dog 5", "objectId": "x1"}, operation=None))).detail == {}


@pytest.mark.parametrize(("time", "at", "findings"), [
    (TIME, 8, ()), ("2026-03-01T08:00:00", 8, ()), ("2026-03-01T16:00:00+08:00", 8, ()), (None, None, ("clock_missing",)),
    ("0000-00-00T00:00:00Z", None, ("clock_unreadable",)), ("yesterday", None, ("clock_unreadable",))])
def test_the_time_is_in_utc_also_where_the_zone_is_left_out(time: str | None, at: int | None, findings: tuple[str, ...]):
    report = one(soap(message(data=ON, time=time)))
    assert (report.device_time.hour if report.device_time else None, report.findings) == (at, findings)
    assert report.device_time is None or report.device_time.tzinfo is not None


def test_two_rules_of_one_camera_at_one_moment_are_two_events_and_one_told_twice_is_one():
    def mark(rule: str, blind: BlindIndex = BLIND) -> str:
        return fingerprint(one(soap(message(data=ON, source={"Source": "1", "Rule": rule}))), DEVICE, blind)

    rules = [f"rule {n}" for n in range(20)]
    assert mark("a") == mark("a") != "" and len({mark(rule) for rule in rules}) > 1
    assert fingerprint(one(soap(message(data=ON))), DEVICE, BLIND) != fingerprint(one(soap(message(data=OFF))), DEVICE, BLIND)


def test_all_notifications_of_a_body_are_read_in_their_order():
    body = soap(message(data=ON), message(CROSSED), message(data=OFF))
    assert [(r.code, r.state) for r in read(body, TYPE)] == [(MOTION, "active"), (CROSSED, None), (MOTION, "inactive")]
    assert len(read(soap(*[message()] * MAX_MESSAGES), TYPE)) == MAX_MESSAGES
    assert refused(soap(*[message()] * (MAX_MESSAGES + 1))) == "too_many"


@pytest.mark.parametrize(("body", "code"), [
    (stream(), "MetadataStream"), (soap(), "Notify"), (soap(carrier="tev:PullMessagesResponse"), "PullMessagesResponse")])
def test_a_carrier_without_a_notification_is_a_sign_of_life(body: bytes, code: str):
    assert one(body) == Report(kind="heartbeat", code=code)


JUNK = {
    "nothing": (b"", "empty"), "text": (b"hello", "not_an_event"), "json": (b'{"a": 1}', "not_an_event"),
    "comment": (b"<!-- -->", "not_an_event"),
    "another document": (b"<html/>", "not_an_event"), "half": (soap(message())[:300], "truncated"), "nul": (soap() + b"\x00", "nul"),
    "a fault": (soap(carrier="s:Fault"), "not_an_event"), "an envelope without a body": (b"<Envelope><Header/></Envelope>", "not_an_event"),
    "an empty envelope": (b"<Envelope><Body/></Envelope>", "not_an_event"), "deep": (b"<a>" * 70 + b"</a>" * 70, "too_deep"),
    "entities": (b'<!DOCTYPE x [<!ENTITY e "e">]>' + stream(), "entities"), "an unknown prefix": (b"<x:Notify/>", "malformed"),
    "many streams": (stream() * 101, "too_many"), "long": (soap(message()) + b" " * MAX_BODY, "too_large")}


@pytest.mark.parametrize("name", JUNK)
def test_what_is_no_notification_is_refused(name: str):
    body, code = JUNK[name]
    assert refused(body) == refused(body, "") == code
    assert refused(body or b"<a/>", "image/jpeg") in ("unsupported_type", "too_large")


@pytest.mark.parametrize("name", ["gate -> yard", "/>", "it's > that", "</tt:Message>"])
def test_a_name_may_hold_what_ends_a_tag(name: str):
    body = soap(message(data=ON, source={"Rule": name}), message(CROSSED)).replace(b"&gt;", b">")
    assert [(report.kind, report.state) for report in read(body, TYPE)] == [("camera_alarm", "active"), ("camera_alarm", None)]
    single = body.replace(f'Value="{name.replace("<", "&lt;")}"'.encode(), b"Value='a\">b'")
    assert single != body and len(read(single, TYPE)) == 2


def test_a_notification_without_a_message_is_kept_as_what_it_is():
    bare = "<wsnt:NotificationMessage><wsnt:Topic>tns1:Device/Trigger/DigitalInput</wsnt:Topic></wsnt:NotificationMessage>"
    report = one(soap(bare))
    assert (report.kind, report.state, report.channel, report.findings) == ("io_alarm", None, None, ("clock_missing",))
    assert one(soap("<wsnt:NotificationMessage/>")).code == "?"


@given(st.integers(0, 900), st.integers(0, 60), st.binary(max_size=12), st.sampled_from((TYPE, "text/xml; charset=gb2312", "")))
@settings(max_examples=300, deadline=None)
def test_whatever_is_done_to_a_body_it_is_read_or_refused(at: int, cut: int, put: bytes, content_type: str):
    body = soap(message(data=ON, source={"Source": "1"}), message(CROSSED, {"ObjectId": "5"}, {"Rule": "北门"}))
    try:
        found = read(body[:at] + put + body[at + cut:], content_type)
    except Unreadable:
        return
    assert found and all(len(report.code) <= 256 for report in found)


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures beside this checkout")
def test_what_cameras_sent_is_read():
    found = {file.stem: one(file.read_bytes(), "") for file in sorted(CAPTURES.glob("*.xml"))}
    assert found and {report.kind for report in found.values()} <= {"camera_alarm", "pir"}
    for name, report in found.items():
        assert report.history == name.endswith("_init") and report.findings == () and report.device_time is not None
        assert report.state == ("inactive" if name.endswith("_init") else "active") and report.channel is not None
        half = (CAPTURES / f"{name}.xml").read_bytes()
        assert refused(half[:len(half) // 2]) == "truncated"
