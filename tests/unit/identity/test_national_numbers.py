"""Resident IDs, organisation codes, telephones: every vector, and what holds for any text."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.identity.national.divisions import ended_before, is_known
from services.identity.national.organisation_codes import read_organisation_code
from services.identity.national.resident_ids import read_resident_id
from services.identity.national.telephones import read_telephone
from services.identity.national.text import Unacceptable

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "identity.json").read_text())["vectors"]
TODAY = date(2026, 11, 24)
READERS = {
    "resident_id": lambda v: read_resident_id(v["input"], date.fromisoformat(v["as_of"])),
    "organisation_code": lambda v: read_organisation_code(v["input"]), "mobile": lambda v: read_telephone(v["input"])}
REFUSALS = {"empty", "characters", "length", "date", "birth_in_future", "check_digit", "prefix"}
ALPHABET, WEIGHTS = "0123456789ABCDEFGHJKLMNPQRTUWXY", (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def told(vector: dict[str, Any]) -> dict[str, Any]:
    try:
        found = READERS[vector["type"]](vector)
    except Unacceptable as refused:
        return {"outcome": "refused", "reason": refused.reason}
    outcome = "finding" if found.findings else "normalised" if found.normalised else "ok"
    rest = {f: getattr(found, f) for f in found.__struct_fields__ if f not in ("normalised", "findings")}
    rest |= {"birth": rest["birth"].isoformat()} if "birth" in rest else {}
    rest |= {"findings": list(found.findings)} if found.findings else {}
    return {"outcome": outcome, **{k: v for k, v in rest.items() if v is not None}}


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["type"] in READERS], ids=lambda v: v["id"])
def test_a_vector(vector: dict[str, Any]) -> None:
    assert told(vector) == vector["expected"], vector["why"]


def numbered(division: str, birth: date, sequence: int) -> str:
    first = f"{division}{birth:%Y%m%d}{sequence:03d}"
    return first + "10X98765432"[sum(int(d) * w for d, w in zip(first, WEIGHTS, strict=True)) % 11]


births = st.dates(date(1900, 1, 1), TODAY)


@given(births, st.integers(0, 999), st.integers(0, 17), st.integers(1, 9))
def test_a_made_up_number_is_taken_and_with_one_digit_changed_it_is_not(birth: date, sequence: int, at: int, by: int) -> None:
    number = numbered("110105", birth, sequence)
    found = read_resident_id(number, TODAY)
    assert (found.value, found.birth, found.normalised, found.findings) == (number, birth, False, ())
    assert found.sex == ("M" if sequence % 2 else "F")
    digit = 10 if number[at] == "X" else int(number[at])
    changed = number[:at] + str((digit + by) % 10) + number[at + 1:]
    if changed != number:
        with pytest.raises(Unacceptable):
            read_resident_id(changed, TODAY)


@given(births.filter(lambda d: d.year < 2000), st.integers(0, 999))
@example(date(1950, 1, 1), 995)
@example(date(1950, 1, 1), 996)
@example(date(1950, 1, 1), 999)
def test_fifteen_digits_become_eighteen_once(birth: date, sequence: int) -> None:
    whole = numbered("110105", birth, sequence)
    found = read_resident_id(whole[:6] + whole[8:17], TODAY)
    assert found.value == whole and found.normalised
    assert found.findings == (("century_uncertain",) if sequence >= 996 else ())
    assert not read_resident_id(found.value, TODAY).normalised


@given(st.text())
def test_any_text_is_read_or_refused_for_a_reason_and_read_again_it_is_the_same(text: str) -> None:
    for read in (lambda t: read_resident_id(t, TODAY), read_organisation_code, read_telephone):
        try:
            found = read(text)
        except Unacceptable as refused:
            assert refused.reason in REFUSALS
        else:
            assert read(found.value).value == found.value


@given(st.text("+0123456789 -()", max_size=20))
def test_a_telephone_in_its_stored_form_stays_as_it_is(text: str) -> None:
    try:
        found = read_telephone(text)
    except Unacceptable:
        return
    again = read_telephone(found.value)
    assert (again.value, again.kind, again.findings, again.normalised) == (found.value, found.kind, found.findings, False)


@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 30))
def test_one_check_character_in_thirty_one_is_right(first: str, n: int) -> None:
    wrong = ["checksum" in read_organisation_code(first + c).findings for c in ALPHABET]
    assert wrong.count(False) == 1


@pytest.mark.parametrize(("code", "known"), [("110105", True), ("340524", False), ("911840", True), ("966840", False), ("810000", True)])
def test_a_division_is_known(code: str, known: bool) -> None:
    assert is_known(code) is known


def test_a_division_ended_in_a_year() -> None:
    assert [ended_before("110103", year) for year in (2009, 2010, 2011)] == [False, False, True]
    assert not ended_before("110105", 2026) and not ended_before("340524", 2026)


def test_a_code_given_a_second_time_ended_with_the_second() -> None:
    assert [ended_before("332522", year) for year in (1983, 1999, 2000)] == [False, False, True]


def test_an_organisation_of_the_whole_country_has_a_division() -> None:
    assert read_organisation_code("12100000400000624D").findings == ()
    assert not is_known("100000")


@pytest.mark.parametrize(("text", "value", "kind"), [
    ("4001234567", "+864001234567", "landline"), ("0571-88001234", "+8657188001234", "landline"),
    ("0086 (0)21 5000 1234", "+862150001234", "landline"), ("00852 6123 4567", "+85261234567", "hong_kong"),
    ("+853 6612 3456", "+85366123456", "macao"), ("+1 202 555 0123", "+12025550123", "foreign"),
    ("86 021 50001234", None, "length"), ("10012345678", None, "prefix"), ("11012345678", None, "prefix"),
    ("12012345678", None, "prefix"), ("23800008825", None, "prefix"), ("+86 23800008825", None, "prefix")])
def test_telephones_beyond_the_vectors(text: str, value: str | None, kind: str) -> None:
    if value is None:
        with pytest.raises(Unacceptable, match=kind):
            read_telephone(text)
    else:
        assert (read_telephone(text).value, read_telephone(text).kind) == (value, kind)


def test_no_number_shows_itself() -> None:
    number, phone = numbered("110105", date(1949, 12, 31), 2), "13800008825"
    assert number not in repr(read_resident_id(number, TODAY)) and phone not in repr(read_telephone(phone))
