"""One typed plate has one form in three services that may not import each other: else parking would not find whose it is."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from libs.eventkit.decider import Refused
from libs.eventkit.problems import Problem
from services.access.domain.plates import normalised_plate as in_access
from services.identity.plates import plate_of as in_identity
from services.parking.domain.plates import PlateRefused, read_plate

HERE = Path(__file__)
FILES = [path for path in (HERE.parents[1] / "vectors" / "identity.json", HERE.parents[3] / "shared" / "vectors" / "identity.json")
         if path.exists()]
LISTED = [v for path in FILES for v in json.loads(path.read_text(encoding="utf-8"))["vectors"]]
VECTORS = sorted({v["input"] for v in LISTED if v["type"] == "plate"} | {
    text for v in LISTED if v["type"] == "plate_pair" for text in (v["a"], v["b"])})
TYPED = [
    "京A·12345", "京A•12345", "京A・12345", "京A-12345", "京A—12345", "京A 12345", "京A\u00a012345", "京\u3000A12345", "京A_12345",
    "京A。12345", "\ufeff京A12345", "京A\u200b12345", "[京A12345]", "京A\ud80012345", "京a１２３４５", "蓝牌沪A12345", "黄绿 沪AD56789",
    "黑A12345", "黑色 沪A12345", "渐变绿牌滬AD56789", "滬A12345", "粵Z1234港", "粤ZI234港", "京O12345", "京AO1234", "京I12345", "12가3456",
    "WJ12345", "WJ京1234J", "WJ京1234Z", "京X0119应急", "川12345应急", "瓊A12345臨", "临京A12345", "沪A1234学", "224578使", "沪A0023领",
    "AB", "x", "1", "", " · ", "无牌", "無牌車", "unknown", "Null", "?", "京A", "京A12?45", "京A12/45", "京A12345678901", "ABCDEFGHIJK",
    "京A١٢٣٤٥", "KH35192", "无牌A001", "蓝", "ﬀ12"]
MEANT = "京沪粤黑WJABIOXZ01289·• -临应急使领学挂港澳警蓝黄绿色牌无滬粵學臨①Ａ１?使"


def as_parking_reads(text: str) -> tuple[str, str]:
    """The stored form, or why there is none."""
    try:
        found = read_plate(text, "form").value
    except PlateRefused as no:
        return "", no.reason
    return (found, "") if found is not None else ("", "no_plate")


def as_identity_stores(text: str) -> tuple[str, str]:
    try:
        return in_identity(text), ""
    except Problem as no:
        assert (no.status, no.code) == (422, "plate_invalid")
        return "", no.facts["reason"]


def as_access_stores(text: str) -> tuple[str, str]:
    try:
        return in_access(text), ""
    except Refused as no:
        assert no.code == "plate_malformed"
        return "", no.facts["reason"]


def test_there_are_vectors():
    assert len(VECTORS) > 30


@pytest.mark.parametrize("text", [*VECTORS, *TYPED], ids=ascii)
def test_identity_and_access_store_what_parking_would(text: str):
    assert as_identity_stores(text) == as_access_stores(text) == as_parking_reads(text)


@settings(deadline=None, max_examples=300, derandomize=True, database=None)
@given(st.one_of(st.text(MEANT, max_size=11), st.text(max_size=12)))
@example("京A12345")
def test_whatever_is_typed_they_agree_and_a_stored_form_stays_what_it_is(text: str):
    found, reason = as_parking_reads(text)
    assert as_identity_stores(text) == as_access_stores(text) == (found, reason)
    if found:
        assert as_identity_stores(found) == as_access_stores(found) == (found, "")
