import json
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from services.devices.adapters.hikvision import PERSONAL, Report, read
from simulator.hikvision_bodies import Origin, Plate, plate_alert
from tests.devices import bodies
from tests.devices.bodies import PROVINCES, alert_xml, anpr, camera_fields

XML, FORM = "application/xml", "multipart/form-data; boundary=MIME_boundary"


def plate(outer: dict[str, Any] | None = None, namespace: str = bodies.HIKVISION, **changed: Any) -> Report:
    (report,) = read(alert_xml(camera_fields("ANPR", **(outer or {})) + anpr(**changed), namespace), XML)
    return report


@pytest.mark.parametrize("namespace", [bodies.HIKVISION, bodies.PSIA, bodies.ISAPI, ""])
def test_a_plate_is_read_from_every_namespace(namespace: str) -> None:
    report = plate(namespace=namespace)
    assert (report.kind, report.code, report.plate, report.plate_colour) == ("plate_read", "ANPR", "京A·D7700", "green")
    assert (report.plate_kind, report.vehicle_kind, report.confidence) == ("new_energy", "suv", 97)
    assert (report.lane_no, report.channel, report.direction, report.history) == (2, 4, None, False)
    assert (report.detail["direction"], report.detail["UUID"], report.findings) == ("forward", "made-up-1", ())
    assert not report.awaits_decision, "the camera waits for no answer: its barrier is lifted by order"


def test_a_plate_is_named_in_its_personal_field_alone() -> None:
    report = plate()
    assert "plate" in PERSONAL
    assert "7700" not in repr({name: getattr(report, name) for name in report.__struct_fields__ if name != "plate"})


def test_a_plate_in_json_is_the_same() -> None:
    fields = {"licensePlate": "京A·D7700", "laneNo": 3, "confidenceLevel": 88.7, "plateColor": "yellow", "vehicleType": "truck"}
    alert = {"ipAddress": "192.0.2.40", "dateTime": "2025-11-02T23:59:58-05:00", "eventType": "ANPR", "ANPR": fields}
    (report,) = read(json.dumps(alert).encode(), "application/json")
    assert (report.plate, report.lane_no, report.confidence) == ("京A·D7700", 3, 88)
    assert (report.plate_colour, report.vehicle_kind) == ("yellow", "truck")


def test_the_alert_comes_with_its_pictures() -> None:
    alert = ('name="anpr.xml"; filename="anpr.xml"', "text/xml", alert_xml(camera_fields("ANPR") + anpr()))
    picture = ('name="licensePlatePicture.jpg"; filename="licensePlatePicture.jpg"', "image/jpeg", bodies.JPEG)
    (report,) = read(bodies.multipart_body(alert, picture, picture), FORM)
    assert (report.kind, report.plate, report.pictures) == ("plate_read", "京A·D7700", 2)


def test_an_alert_with_pictures_of_megabytes_is_read() -> None:
    alert = ('name="anpr.xml"', "text/xml", alert_xml(camera_fields("ANPR") + anpr()))
    pictures = [(f'name="{n}.jpg"', "image/jpeg", bodies.JPEG * 5000) for n in range(2)]
    body = bodies.multipart_body(alert, *pictures)
    (report,) = read(body, FORM)
    assert len(body) > 2 * 1024 * 1024 and (report.plate, report.pictures) == ("京A·D7700", 2)


@pytest.mark.parametrize("said", [
    "无牌", "无车牌", "無牌車", "_无_", "未识别", "unknown", "noPlate", "UNLICENSED", "null", "--", "N/A", "0000000", " ", "蓝无牌",
])  # fmt: skip
def test_words_for_no_plate_are_no_plate(said: str) -> None:
    report = plate(licensePlate=said)
    assert (report.kind, report.plate, report.findings) == ("plate_read", None, ("no_plate",))
    assert not said.strip(" -_0") or said not in repr(report)


@pytest.mark.parametrize("said", ["京A12345", "NO12345", "NA1234", "UN0001", "粤Z1234港", "WJ1234", "00A0000", "8กผ444", "使123456"])
def test_what_may_be_a_plate_is_kept_as_it_was_read(said: str) -> None:
    report = plate(licensePlate=said)
    assert (report.plate, report.findings) == (said, ())


@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0" encoding="UTF-8"?>'])
@pytest.mark.parametrize("province", PROVINCES)
def test_a_plate_of_every_province_is_read_in_gb2312_also_where_utf_8_is_declared(province: str, declaration: str) -> None:
    body = alert_xml(camera_fields("ANPR") + anpr(licensePlate=f"{province}A12345"), declaration=declaration)
    (report,) = read(body.decode().encode("gb2312"), XML)
    assert (report.plate, report.findings) == (f"{province}A12345", ("charset_contradicted",))
    (plain,) = read(body, XML)
    assert (plain.plate, plain.findings) == (f"{province}A12345", ())


def test_what_is_too_long_to_be_a_plate_is_none() -> None:
    report = plate(licensePlate="A" * 33)
    assert (report.plate, report.findings) == (None, ("plate_unreadable",))
    assert plate(licensePlate="A" * 32).plate == "A" * 32


@pytest.mark.parametrize(
    ("said", "colour", "read_as"),
    [("蓝浙AX2P12", "unknown", "blue"), ("黄绿粤B12345D", None, "yellow_green"), ("黑A12345", None, None), ("蓝浙A1", "white", "white")],
)
def test_a_colour_may_stand_before_the_plate(said: str, colour: str | None, read_as: str | None) -> None:
    report = plate(licensePlate=said, plateColor=colour)
    assert (report.plate, report.plate_colour) == (said, read_as)


@pytest.mark.parametrize(
    ("outer", "changed"),
    [({"isDataRetransmission": "TRUE"}, {}), ({}, {"alarmDataType": 1}), ({"currentEvent": False}, {}), ({"isoffline": 1}, {})],
)
def test_each_mark_of_history_is_seen(outer: dict[str, Any], changed: dict[str, Any]) -> None:
    assert plate(outer, **changed).history


def test_a_passage_told_again_as_history_has_the_same_detail() -> None:
    assert plate().detail == plate({"isDataRetransmission": True, "activePostCount": 2}, alarmDataType=1).detail


@pytest.mark.parametrize(("said", "read_as"), [("in", "in"), ("exit", "out"), ("reverse", None), ("unknown", None), (None, None)])
def test_a_direction_is_taken_only_where_it_is_said(said: str | None, read_as: str | None) -> None:
    assert plate(direction=said).direction == read_as


@pytest.mark.parametrize(("said", "read_as"), [("0", 0), ("97.6", 97), ("101", None), ("-1", None), ("high", None), (None, None)])
def test_confidence_is_a_percentage_or_nothing(said: str | None, read_as: int | None) -> None:
    assert plate(confidenceLevel=said).confidence == read_as


def test_words_beyond_the_vendors_lists_are_nothing() -> None:
    report = plate(plateColor="Wang", plateType="Wang", vehicleType="Wang", listType="王" * 3)
    assert (report.plate_colour, report.plate_kind, report.vehicle_kind) == (None, None, None)
    assert "王" not in repr(report)


def test_an_alert_without_its_plate_is_a_passage_without_a_plate() -> None:
    (report,) = read(alert_xml(camera_fields("ANPR")), XML)
    assert (report.kind, report.plate, report.findings) == ("plate_read", None, ("no_plate",))


def test_other_events_have_no_plate() -> None:
    (report,) = read(alert_xml(camera_fields("VMD") + anpr()), XML)
    assert (report.kind, report.plate, report.findings) == ("camera_alarm", None, ())


@pytest.mark.parametrize(("form", "pictures"), [("xml", 0), ("multipart", 2)])
@pytest.mark.parametrize("live", [True, False])
def test_what_a_simulated_camera_says_is_read(form: Literal["xml", "multipart"], pictures: int, live: bool) -> None:
    at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    said = Plate(text="粤B<12345", at=at, uuid="u-1", lane_no=2, live=live)
    (report,) = read(*plate_alert(said, Origin("192.0.2.1", 80, "00:00:5e:00:53:01", "x"), form))
    assert (report.plate, report.plate_colour, report.plate_kind, report.vehicle_kind) == ("粤B<12345", "blue", "ordinary", "car")
    assert (report.device_time, report.lane_no, report.confidence, report.pictures) == (at, 2, 97, pictures)
    assert (report.history, report.findings) == (not live, ())
