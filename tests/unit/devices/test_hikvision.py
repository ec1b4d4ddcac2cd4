import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.devices.adapters.device_clock import in_zone
from services.devices.adapters.hikvision import PERSONAL, Report, Unreadable, read
from tests.devices import bodies
from tests.devices.bodies import access_json, access_xml, alert_xml, camera_fields

JSON, XML, FORM = "application/json", "application/xml", "multipart/form-data; boundary=MIME_boundary"
EVERY_TYPE = (JSON, XML, FORM, "multipart/form-data; boundary=x", "text/plain", "")
CAPTURES = Path(__file__).parents[3].parent / "shared" / "real-input" / "hikvision"


def one(body: bytes, content_type: str = JSON) -> Report:
    (report,) = read(body, content_type)
    return report


def refused(body: bytes, content_type: str = JSON) -> str:
    with pytest.raises(Unreadable) as refusal:
        read(body, content_type)
    return refusal.value.code


# captures: what real devices sent, unchanged, where they lie beside the checkout


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures beside this checkout")
@pytest.mark.parametrize("content_type", EVERY_TYPE)
def test_every_capture_is_taken_whatever_type_it_is_sent_as(content_type: str) -> None:
    for file in sorted(CAPTURES.rglob("*.*")):
        report = one(file.read_bytes(), content_type)
        assert report.code and report.device_time and report.device_time.tzinfo, file.name
        assert report.history == ("replayed" in file.name), file.name


# door terminals


@pytest.mark.parametrize("body", [access_json(**bodies.PEOPLE), access_xml(**bodies.PEOPLE)], ids=["json", "xml"])
def test_a_card_is_read_the_same_from_json_and_xml(body: bytes) -> None:
    report = one(body)
    assert (report.kind, report.code, report.state) == ("card_read", "5/1", "active")
    assert report.device_time == datetime(2026, 3, 3, 21, 6, 7, tzinfo=UTC)
    assert report.device_time_raw == "2026-03-04T05:06:07+08:00"
    assert (report.serial, report.front_serial, report.door_no, report.reader_no) == (901, 900, 2, 3)
    assert (report.mac, report.ip, report.verify_mode) == ("00:00:5e:00:53:a1", "192.0.2.17", "cardOrPw")
    assert (report.history, report.awaits_decision, report.pictures, report.findings) == (False, False, 0, ())


def test_numbers_may_be_written_with_a_point() -> None:
    report = one(access_json(majorEventType=5.0, subEventType=1.0, serialNo=901.0, doorNo=2.0, cardNo=1234567890.0))
    assert (report.kind, report.code, report.serial, report.door_no, report.card_number) == ("card_read", "5/1", 901, 2, "1234567890")


@pytest.mark.parametrize("body", [access_json(**bodies.PEOPLE), access_xml(**bodies.PEOPLE)], ids=["json", "xml"])
def test_people_are_named_in_the_personal_fields_alone(body: bytes) -> None:
    report = one(body)
    assert [getattr(report, field) for field in PERSONAL] == [*bodies.PEOPLE.values(), None, None]
    rest = repr({name: getattr(report, name) for name in report.__struct_fields__ if name not in PERSONAL})
    assert not any(value in rest for value in bodies.PEOPLE.values())


def test_what_might_be_about_a_person_stays_out_of_the_detail() -> None:
    report = one(access_json(idCardNo="made-up", pictureURL="http://192.0.2.1/face", currTemperature=36.6, QRCode="q"))
    assert set(report.detail) <= {
        "portNo", "protocol", "activePostCount", "eventDescription", "reportChannel", "cardReaderKind", "verifyNo",
        "currentEvent", "hasRecord",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "card", "kind"),
    [
        ("5/1", "77", "card_read"),
        ("5/38", "77", "card_read"),
        ("5/38", "", "fingerprint_verified"),
        ("5/38", "0", "fingerprint_verified"),
        ("5/75", "77", "face_verified"),
        ("5/181", "", "pin_entered"),
        ("5/156", "", "qr_verified"),
        ("5/9", "77", "access_denied"),
        ("5/76", "", "access_denied"),
        ("5/21", "", "lock_opened"),
        ("5/22", "", "lock_closed"),
        ("5/25", "", "door_opened"),
        ("5/26", "", "door_closed"),
        ("5/27", "", "door_forced"),
        ("5/28", "", "door_left_open"),
        ("3/1024", "", "remote_opened"),
        ("1/1028", "", "tamper"),
        ("1/1034", "", "duress"),
        ("2/39", "", "device_trouble"),
        ("5/179", "77", "unknown"),
        ("9/1", "77", "unknown"),
    ],
)
def test_codes_are_read_as_the_vendor_publishes_them(code: str, card: str, kind: str) -> None:
    report = one(access_json(code, cardNo=card))
    assert (report.kind, report.code) == (kind, code)
    assert report.findings == (("code_unknown",) if kind == "unknown" else ())


def test_a_restored_alarm_is_inactive_whatever_the_alert_says() -> None:
    report = one(access_json("1/1029"))
    assert (report.kind, report.state) == ("tamper", "inactive")


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ({}, {"currentEvent": False}),
        ({}, {"currentEvent": "False"}),
        ({}, {"currentEvent": 0}),
        ({"isDataRetransmission": True}, {}),
        ({"isDataRetransmission": "TRUE"}, {}),
        ({"isoffline": 1}, {}),
        ({"isOffline": "1"}, {}),
        ({"Extra": [{"isoffline": True}]}, {}),
    ],
)
def test_each_mark_of_history_keeps_an_event_from_waiting_for_an_answer(outer: dict[str, Any], inner: Any) -> None:
    report = one(access_json("5/1", outer, remoteCheck=True, **inner))
    assert report.history and not report.awaits_decision and not report.findings


def test_a_mark_that_cannot_be_read_counts_as_history() -> None:
    report = one(access_json(currentEvent="perhaps", remoteCheck=True))
    assert (report.history, report.awaits_decision, report.findings) == (True, False, ("flag_unreadable",))


@pytest.mark.parametrize("value", [True, "true", 1])
def test_a_live_remote_check_awaits_a_decision(value: object) -> None:
    assert one(access_json(remoteCheck=value)).awaits_decision


@pytest.mark.parametrize(
    ("raw", "time", "finding"),
    [
        ("2024-01-22T11:46:31Z", datetime(2024, 1, 22, 11, 46, 31, tzinfo=UTC), None),
        ("2024-01-22 11:46:31.250+0800", datetime(2024, 1, 22, 3, 46, 31, 250_000, tzinfo=UTC), None),
        ("20240122T114631-05", datetime(2024, 1, 22, 16, 46, 31, tzinfo=UTC), None),
        ("2024-01-22T11:46:31", datetime(2024, 1, 22, 11, 46, 31), "clock_without_zone"),  # noqa: DTZ001
        ("2024-01-22T11:46:3100:00", datetime(2024, 1, 22, 11, 46, 31, tzinfo=UTC), "clock_repaired"),
        ("2024-01-22T11:46:3108:00", None, "clock_unreadable"),
        ("2024-02-30T11:46:31Z", None, "clock_unreadable"),
        ("2024-01-22T25:46:31Z", None, "clock_unreadable"),
        ("0001-01-01T00:00:00+14:00", None, "clock_unreadable"),
        ("2024-01-22T11:46:31+15:00", None, "clock_unreadable"),
        ("yesterday", None, "clock_unreadable"),
        ("", None, "clock_missing"),
    ],
)
def test_device_clocks_are_kept_as_said_and_read_where_they_can_be(
    raw: str, time: datetime | None, finding: str | None
) -> None:
    report = one(access_json("5/1", {"dateTime": raw}))
    assert (report.device_time_raw, report.device_time) == (raw, time)
    assert report.findings == ((finding,) if finding else ())


@pytest.mark.parametrize(("told", "zone", "moment"), [
    (datetime(2026, 11, 30, 17), "Asia/Shanghai", datetime(2026, 11, 30, 9, tzinfo=UTC)),  # noqa: DTZ001
    (datetime(2026, 7, 1, 12), "Europe/Berlin", datetime(2026, 7, 1, 10, tzinfo=UTC)),  # noqa: DTZ001
    (datetime(1, 1, 1), "Asia/Shanghai", None), (datetime(2026, 7, 1), "", None), (datetime(2026, 7, 1), "Asia", None),  # noqa: DTZ001
    (datetime(2026, 7, 1, tzinfo=UTC), "Asia/Shanghai", None), (None, "Asia/Shanghai", None)])
def test_a_clock_without_a_zone_goes_by_the_communitys(told: datetime | None, zone: str, moment: datetime | None) -> None:
    assert in_zone(told, zone) == moment


def test_numbers_that_are_none_are_left_out() -> None:
    report = one(access_json(serialNo="12a", frontSerialNo=-1, doorNo=10**30, cardReaderNo=True))
    assert (report.serial, report.front_serial, report.door_no, report.reader_no) == (None, None, None, None)


@pytest.mark.parametrize("wrapped", [{"EventNotificationAlert": bodies.access_alert()}, [bodies.access_alert()]])
def test_the_alert_may_have_an_envelope(wrapped: object) -> None:
    assert one(json.dumps(wrapped).encode()).serial == 901


def test_a_pretty_printed_body_with_byte_order_mark_is_taken() -> None:
    pretty = json.dumps(bodies.access_alert(), indent="\t").encode()
    assert one(b"\xef\xbb\xbf\r\n " + pretty + b"\r\n").kind == "card_read"


# cameras and recorders


@pytest.mark.parametrize("namespace", [bodies.HIKVISION, bodies.PSIA, bodies.ISAPI, "urn:not-yet-known", ""])
def test_namespaces_mean_the_same(namespace: str) -> None:
    report = one(alert_xml(camera_fields("PIR"), namespace), XML)
    assert (report.kind, report.code, report.channel, report.state) == ("pir", "PIR", 4, "active")


@pytest.mark.parametrize(
    ("event_type", "state", "more", "kind"),
    [
        ("VMD", "active", {}, "camera_alarm"),
        ("linedetection", "inactive", {}, "camera_alarm"),
        ("IO", "active", {"inputIOPortID": 2}, "io_alarm"),
        ("shelteralarm", "active", {}, "tamper"),
        ("videoloss", "inactive", {}, "heartbeat"),
        ("videoloss", "active", {}, "camera_alarm"),
        ("heartBeat", "active", {}, "heartbeat"),
        ("duration", "active", {"DurationList": {"Duration": {"relationEvent": "fielddetection"}}}, "camera_alarm"),
        ("duration", "active", {"DurationList": {"Duration": {"relationEvent": "news"}}}, "unknown"),
        ("diskfull", "active", {}, "device_trouble"),
        ("someNewEvent", "active", {}, "unknown"),
    ],
)
def test_camera_events_by_their_type(event_type: str, state: str, more: dict[str, Any], kind: str) -> None:
    report = one(alert_xml(camera_fields(event_type, state, **more)), XML)
    assert (report.kind, report.code, report.state) == (kind, event_type, state)


def test_several_detection_regions_are_one_event() -> None:
    report = one(alert_xml(camera_fields("fielddetection") + bodies.regions(3)), XML)
    assert (report.kind, report.detail["regionID"], report.detail["detectionTarget"]) == ("camera_alarm", "1", "human")


def test_booleans_come_in_every_case() -> None:
    for word in ("true", "TRUE", "True", "1"):
        assert one(alert_xml(camera_fields("VMD", isDataRetransmission=word)), XML).history
    for word in ("false", "FALSE", "False", "0", ""):
        assert not one(alert_xml(camera_fields("VMD", isDataRetransmission=word)), XML).history


def test_a_recorder_names_its_channel_differently() -> None:
    assert one(alert_xml(camera_fields("VMD").replace("channelID", "dynChannelID")), XML).channel == 4


@pytest.mark.parametrize(("code", "inner", "channel"), [
    ("1/1024", {"alarmInNo": 3, "caseSensorNo": 0}, 3), ("1/1027", {"alarmInNo": 3}, 3), ("1/1032", {"caseSensorNo": 2}, 2),
    ("1/1024", {"alarmInNo": 0}, None), ("5/27", {"doorNo": 2}, None)])
def test_inputs_and_doors_of_an_access_controller_are_told_apart(code: str, inner: dict[str, Any], channel: int | None) -> None:
    for outer in ({}, {"channelID": 1}):
        assert one(access_json(code, outer, **inner)).channel == channel


def test_several_documents_in_one_body_are_several_events() -> None:
    body = alert_xml(camera_fields("VMD")) + b"\r\n" + alert_xml(camera_fields("IO"), "", '<?xml version="1.0"?>')
    assert [report.kind for report in read(body, XML)] == ["camera_alarm", "io_alarm"]


def test_a_bare_ampersand_is_mended_and_said() -> None:
    body = alert_xml(camera_fields("VMD")).replace(b"Bike cellar", b"Bike & cellar &amp; more")
    assert one(body, XML).findings == ("markup_repaired",)


@pytest.mark.parametrize("declared", ["GB2312", "gbk", "GB18030"])
def test_a_declared_chinese_character_set_is_believed(declared: str) -> None:
    body = alert_xml(elements_named("李小雨"), bodies.ISAPI, f'<?xml version="1.0" encoding="{declared}"?>\n')
    report = one(body, XML)
    assert (report.person_name, report.findings) == ("李小雨", ())


def test_a_character_set_that_contradicts_its_declaration_is_read_and_said() -> None:
    alert = alert_xml(elements_named("李小雨"))
    said_utf8 = b'<?xml version="1.0" encoding="UTF-8"?>' + alert.decode().encode("gb18030")
    said_gb = b'<?xml version="1.0" encoding="GB2312"?>' + alert
    for body in (said_utf8, said_gb, access_json(name="李小雨").decode().encode("gb18030")):
        report = one(body, XML)
        assert (report.person_name, report.findings) == ("李小雨", ("charset_contradicted",))


def test_the_character_set_may_stand_in_the_content_type() -> None:
    body = access_json(name="李小雨").decode().encode("gbk")
    assert one(body, "application/json; charset=GBK").person_name == "李小雨"


def elements_named(name: str) -> str:
    return bodies.elements(bodies.access_alert(name=name))


# multipart


def test_pictures_are_counted_with_the_document_before_them() -> None:
    event = ('name="event_log"', JSON, access_json())
    alert = ('name="anpr.xml"; filename="anpr.xml"', "text/xml", alert_xml(camera_fields("VMD")))
    picture = ('name="Picture"; filename="p.jpg"', "image/jpeg", bodies.JPEG)
    reports = read(bodies.multipart_body(picture, event, picture, alert), FORM)
    assert [(report.kind, report.pictures) for report in reports] == [("card_read", 2), ("camera_alarm", 0)]


def test_a_multipart_body_sent_as_something_else_is_recognised() -> None:
    assert one(bodies.multipart_body(('name="event_log"', JSON, access_json())), XML).kind == "card_read"


def test_a_multipart_body_without_an_event_is_refused() -> None:
    assert refused(bodies.multipart_body(('name="p"', "image/jpeg", bodies.JPEG)), FORM) == "not_an_event"
    assert refused(bodies.multipart_body(('name="x"', JSON, b'{"x":1}')), FORM) == "not_an_event"
    assert refused(bodies.multipart_body(('name="x"', JSON, access_json()[:-9])), FORM) == "truncated"
