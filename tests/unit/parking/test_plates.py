"""Number plates: what is stored, what staff are shown, and which readings may be one car."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.parking.domain.plates import LONGEST, Plate, PlateRefused, compare, read_plate, variants

HERE = Path(__file__)
SHARED = HERE.parents[4] / "shared" / "vectors" / "identity.json"
VECTORS = next(path for path in (HERE.parents[2] / "vectors" / "identity.json", SHARED) if path.exists())


def vectors(kind: str) -> list[Any]:
    listed = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]
    return [pytest.param(vector, id=vector["id"]) for vector in listed if vector["type"] == kind]


def outcome(plate: Plate) -> str:
    if plate.findings:
        return "finding"
    return "normalised" if plate.normalised else "ok"


@pytest.mark.parametrize("vector", vectors("plate"))
def test_a_plate_of_the_vectors(vector: dict[str, Any]) -> None:
    expected = vector["expected"]
    if expected["outcome"] == "refused":
        with pytest.raises(PlateRefused) as refused:
            read_plate(vector["input"], vector["source"])
        assert refused.value.reason == expected["reason"]
        return
    plate = read_plate(vector["input"], vector["source"])
    assert (outcome(plate), plate.value, plate.kind) == (expected["outcome"], expected["value"], expected["kind"])
    assert (plate.colour, plate.findings) == (expected.get("colour"), tuple(expected.get("findings", ())))


@pytest.mark.parametrize("vector", vectors("plate_pair"))
def test_a_pair_of_the_vectors(vector: dict[str, Any]) -> None:
    found = compare(vector["a"], vector["b"])
    assert {"outcome": found, "auto_merge": found == "same"} == vector["expected"]


# kinds


@pytest.mark.parametrize(("text", "kind"), [
    ("京O12345", "ordinary"),
    ("黑A12345", "ordinary"),
    ("粤BD12345", "new_energy_small"),
    ("粤BG12345", "new_energy_small"),
    ("京A12345D", "new_energy_large"),
    ("粤Z1234澳", "macao"),
    ("沪A0023领", "consulate"),
    ("WJ12345", "armed_police"),
    ("京X0119应急", "emergency"),
])  # fmt: skip
def test_a_plate_that_needs_nothing(text: str, kind: str) -> None:
    assert read_plate(text, "form") == read_plate(text, "camera") == Plate(text, kind)


@pytest.mark.parametrize("text", ["临京A12345", "京A临12345", "京A12345临", "京A1234试", "京A1234超", "京A123456临"])
def test_a_temporary_plate_is_taken_and_shown(text: str) -> None:
    assert read_plate(text, "form") == Plate(text, "temporary", findings=("temporary_plate",))


@pytest.mark.parametrize(("text", "kind"), [
    ("KH35192", "foreign_or_military"),
    ("MA1234", "foreign"),
    ("ABC123", "foreign"),
    ("12가3456", "foreign"),
    ("1", "foreign"),
])  # fmt: skip
def test_a_plate_from_elsewhere_is_kept_even_if_typed(text: str, kind: str) -> None:
    assert read_plate(text, "form") == Plate(text, kind, findings=("not_mainland_civil",))


@pytest.mark.parametrize(("text", "reason"), [
    ("京A1234", "pattern"),
    ("京A123456", "pattern"),
    ("京12345", "pattern"),
    ("京A1234港", "pattern"),  # only Guangdong's Z crosses the border
    ("川12345应急", "pattern"),  # only the ministry has no X or S
    ("京XA123应急", "pattern"),
    ("WJ京1234Z", "pattern"),
    ("京A12345挂", "pattern"),
    ("京BL12345", "pattern"),
    ("京A12?45", "pattern"),  # a character nobody could read is no separator
    ("京A١٢٣٤٥", "pattern"),
    ("无牌A001", "pattern"),
    ("ABCDEFGHIJK", "pattern"),
    ("粤BI1234", "letter_never_issued"),
    ("京AO1234", "letter_never_issued"),
    ("京I12345", "letter_never_issued"),
    ("京ADO1234", "letter_never_issued"),
    ("粤ZI234港", "letter_never_issued"),
])  # fmt: skip
def test_what_no_plate_can_be_is_refused_if_typed_and_kept_if_seen(text: str, reason: str) -> None:
    with pytest.raises(PlateRefused, match=f"^{reason}$"):
        read_plate(text, "form")
    assert read_plate(text, "camera") == Plate(text, "unrecognised", findings=(reason,))


# one form


@pytest.mark.parametrize("text", [
    "京A·12345", "京A•12345", "京A・12345", "京A-12345", "京A—12345", "京A 12345", "京A\u00a012345", "京\u3000A12345", "京A_12345",
    "京A。12345", "\ufeff京A12345", "京A\u200b12345", "京A12345\x00\x00", "[京A12345]", "京A\ud80012345",
    "京a１２３４５",
])  # fmt: skip
def test_separators_and_widths_say_nothing(text: str) -> None:
    assert read_plate(text, "form") == Plate("京A12345", "ordinary", normalised=True)


@pytest.mark.parametrize(("traditional", "simplified"), [
    ("滬A12345", "沪A12345"),
    ("蘇A12345", "苏A12345"),
    ("魯A12345", "鲁A12345"),
    ("雲A12345", "云A12345"),
    ("遼A12345", "辽A12345"),
    ("贛A12345", "赣A12345"),
    ("閩A12345", "闽A12345"),
    ("貴A12345", "贵A12345"),
    ("粵A1234學", "粤A1234学"),
    ("陝A1234掛", "陕A1234挂"),
    ("晉A0001領", "晋A0001领"),
    ("寧X0001應急", "宁X0001应急"),
    ("瓊A12345臨", "琼A12345临"),
    ("WJ瓊1234J", "WJ琼1234J"),
])  # fmt: skip
def test_traditional_characters_fold(traditional: str, simplified: str) -> None:
    plate = read_plate(traditional, "form")
    assert (plate.value, plate.normalised) == (simplified, True)
    assert plate.kind == read_plate(simplified, "form").kind


@pytest.mark.parametrize(("text", "value", "colour"), [
    ("蓝京A12345", "京A12345", "blue"),
    ("藍牌京A12345", "京A12345", "blue"),
    ("黃色浙A1234掛", "浙A1234挂", "yellow"),
    ("渐变绿粤BD12345", "粤BD12345", "green"),
    ("黄绿粤B12345D", "粤B12345D", "yellow_green"),
    ("白京A1234警", "京A1234警", "white"),
    ("黑224578使", "224578使", "black"),
    ("黑粤Z1234港", "粤Z1234港", "black"),
    ("黑黑A12345", "黑A12345", "black"),
    ("蓝 unknown", None, "blue"),
])  # fmt: skip
def test_a_colour_in_front_is_split_off(text: str, value: str | None, colour: str) -> None:
    plate = read_plate(text, "camera")
    assert (plate.value, plate.colour, plate.normalised) == (value, colour, True)


@pytest.mark.parametrize("text", [
    "", "--", "-", "_ _", "Unlicensed", "UNLICENCED", "unknown", "NULL", "(null)", "None", "nil", "N/A", "No plate",
    "无", "无牌", "無牌", "无牌车", "未识别", "未知", "没有车牌", "不明",
])  # fmt: skip
def test_no_plate_is_a_reading_not_a_refusal(text: str) -> None:
    assert read_plate(text, "camera") == read_plate(text, "form") == Plate(None, "no_plate", normalised=True)


# anything a camera may say

ALPHABET = "京粵黑蓝绿黄使领临挂应急无WJZABDIOabx0158·- .?\u200b０ｉ가а\u0301"
readings = st.text() | st.text(ALPHABET, max_size=12) | st.from_regex(r"[京粤黑][A-Z][A-Z0-9]{5,6}", fullmatch=True)


@settings(deadline=None)
@given(readings)
@example("蓝" * 5000)
@example("㎞")
@example("e\u200b\u0301")
@example("ﬃŉΐ")
def test_a_camera_is_never_refused_and_what_is_stored_is_stable(text: str) -> None:
    plate = read_plate(text, "camera")
    assert (plate.value is None) == (plate.kind == "no_plate")
    assert plate.normalised == (plate.value != text)
    if plate.value is not None:
        assert read_plate(plate.value, "camera") == Plate(plate.value, plate.kind, findings=plate.findings)


@given(readings)
def test_a_typed_plate_is_read_as_a_camera_reads_it_or_refused(text: str) -> None:
    seen = read_plate(text, "camera")
    if seen.kind == "unrecognised":
        with pytest.raises(PlateRefused) as refused:
            read_plate(text, "form")
        assert (refused.value.reason,) == seen.findings
    else:
        assert read_plate(text, "form") == seen


# look-alikes

LOOKING_ALIKE = st.text("0DOQ1I2Z5S8BA7", min_size=5, max_size=6).map("京A{}".format)


def test_the_readings_to_ask_an_index_for() -> None:
    assert variants("京A12347") == {"京A12347", "京AI2347", "京A1Z347", "京AIZ347"}
    assert variants("京A77708") == {f"京A777{zero}{eight}" for zero in "0DOQ" for eight in "8B"}
    assert variants("京K34679") == {"京K34679"}


def test_no_more_than_two_characters_differ() -> None:
    assert "京ABB088" in variants("京A88088")
    assert "京ABB0B8" not in variants("京A88088")
    assert compare("京ABB0B8", "京A88088") == "candidate"


def test_the_number_of_readings_is_bounded() -> None:
    assert max(len(variants("0" * length)) for length in range(50)) == len(variants("0" * LONGEST)) == 436
    assert variants("0" * (LONGEST + 1)) == {"0" * (LONGEST + 1)}


@given(st.text("0DOQ1I2Z5S8BA京", max_size=12))
def test_a_reading_is_among_those_it_may_be_and_they_lead_back(value: str) -> None:
    found = variants(value)
    assert value in found and len(found) <= 436
    assert all(len(other) == len(value) and value in variants(other) for other in found)


@settings(deadline=None)
@given(LOOKING_ALIKE, LOOKING_ALIKE)
@example("京A88088", "京ABBDBB")
def test_comparing_has_no_direction_and_agrees_with_the_readings(a: str, b: str) -> None:
    assert compare(a, b) == compare(b, a)
    assert compare(a, b) != "different" or b not in variants(a)
    assert all(compare(a, other) == ("same" if other == a else "candidate") for other in variants(a))


@given(readings, readings)
def test_comparing_has_no_direction(a: str, b: str) -> None:
    assert compare(a, b) == compare(b, a)


@pytest.mark.parametrize(("a", "b", "expected"), [
    ("京A·12345", "蓝京a12345", "same"),
    ("粵B12345", "粤B12345", "same"),
    ("京A1234", "京A1234", "same"),
    ("京A12040", "京A12O4Q", "candidate"),
    ("京A2D345", "京AZ0345", "candidate"),
    ("京A55555", "京AS5S55", "candidate"),
    ("京812346", "京B12346", "candidate"),
    ("京A12346", "京A12347", "different"),
    ("京A12345", "京A123450", "different"),
    ("京A12345", "粤A12345", "different"),
    ("京A1234学", "京A1234警", "different"),
])  # fmt: skip
def test_two_readings(a: str, b: str, expected: str) -> None:
    assert compare(a, b) == compare(b, a) == expected


def test_two_cars_without_plates_are_two() -> None:
    assert compare("无牌", "无牌") == compare("unlicensed", "null") == compare("--", "京A12345") == "different"
