"""Points that patrols go by, and what phones tell of them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import Refused, Release, Take
from libs.eventkit.privacy import BlindIndex
from services.alarm.domain.kinds import Place
from services.alarm.domain.patrol_points import POINTS, Ground, PatrolPointPlaced, PlacePatrolPoint, metres
from services.alarm.domain.patrol_scans import AHEAD, KEPT, SCANS, PatrolPointScanned, Reading, TellScan, moment_of
from services.alarm.patrol_book import tag_of
from tests.unit.alarm.samples import ANN, BEN, BUILDING, HERE, NOW

POINT, SCAN, OTHER = UUID(int=21), UUID(int=22), UUID(int=23)
GATE = Ground(121.4737, 31.2304, 50)
PLACED = PatrolPointPlaced(POINT, "South gate", Place(name="gate"), GATE, "keyed")
TELL = TellScan(SCAN, POINT, ANN, "nfc", NOW - timedelta(minutes=3), NOW, NOW, GATE, None)
SCANNED = PatrolPointScanned(SCAN, POINT, ANN, "nfc", NOW - timedelta(minutes=3), None, True)


def decided(decider, command, *events):
    return decider.decide[type(command)](command, decider.fold(events))


def test_a_point_is_placed_once_and_again_where_anything_is_another():
    assert decided(POINTS, PlacePatrolPoint(PLACED)) == [PLACED]
    assert decided(POINTS, PlacePatrolPoint(PLACED), PLACED) == []
    for changed in (replace(PLACED, name="North"), replace(PLACED, spot=None), replace(PLACED, tag="new"), replace(PLACED, in_use=False)):
        assert decided(POINTS, PlacePatrolPoint(changed), PLACED) == [changed]


def test_a_point_keeps_its_tag_where_none_is_given_and_has_one_from_the_beginning():
    untold = replace(PLACED, name="North", tag="")
    assert decided(POINTS, PlacePatrolPoint(untold), PLACED) == [replace(PLACED, name="North")]
    with pytest.raises(Refused, match="tag_missing"):
        decided(POINTS, PlacePatrolPoint(untold))


def test_a_tag_is_of_one_point_as_long_as_that_is_in_use():
    assert tuple(POINTS.claims(PlacePatrolPoint(PLACED), PLACED)) == (
        Release("patrol-tag"), Take("patrol-tag", "keyed", "tag_of_another_point"))
    assert tuple(POINTS.claims(PlacePatrolPoint(PLACED), replace(PLACED, in_use=False))) == (Release("patrol-tag"),)


@pytest.mark.parametrize(("one", "other", "same"), [
    ("04:a1:b2:c3", "04A1B2C3", True), ("https://a.example/p/Ab", "https://a.example/p/aB", False), ("04A1B2C3", "04A1B2C4", False),
    ("gate:1", "gate1", False)])
def test_a_number_is_the_same_however_it_is_written_and_a_text_is_not(one: str, other: str, same: bool):
    blind = BlindIndex(bytes(32))
    assert (tag_of(blind, HERE, one) == tag_of(blind, HERE, other)) is same
    assert tag_of(blind, HERE, one) != tag_of(blind, BUILDING, one), "and of one community"


def test_a_scan_is_told_once():
    assert decided(SCANS, TELL) == [SCANNED]
    again = replace(TELL, now=NOW + timedelta(hours=1), sent_at=NOW + timedelta(hours=1))
    assert decided(SCANS, again, SCANNED) == []
    for other in (replace(again, point_id=OTHER), replace(again, by=BEN)):
        with pytest.raises(Refused, match="scan_id_taken"):
            decided(SCANS, other, SCANNED)


@pytest.mark.parametrize("clock", [timedelta(), timedelta(hours=-8), timedelta(days=400), timedelta(seconds=-1)])
def test_when_it_was_does_not_depend_on_what_the_phone_takes_for_now(clock: timedelta):
    (said,) = decided(SCANS, replace(TELL, scanned_at=TELL.scanned_at + clock, sent_at=TELL.sent_at + clock))
    assert said.at == NOW - timedelta(minutes=3)


def test_what_is_scanned_after_it_was_sent_is_refused_and_a_moment_is_none():
    moment = replace(TELL, scanned_at=NOW + AHEAD)
    assert decided(SCANS, moment)[0].at == NOW, "and it is not of the future"
    with pytest.raises(Refused, match="scanned_after_it_was_sent"):
        decided(SCANS, replace(TELL, scanned_at=NOW + AHEAD + timedelta(milliseconds=1)))


def test_a_phone_keeps_a_scan_for_two_weeks():
    assert decided(SCANS, replace(TELL, scanned_at=NOW - KEPT))[0].at == NOW - KEPT
    with pytest.raises(Refused, match="scanned_too_long_ago"):
        decided(SCANS, replace(TELL, scanned_at=NOW - KEPT - timedelta(seconds=1)))


def test_a_moment_lies_within_what_a_phone_keeps_whatever_it_says():
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert moment_of(first, last, NOW) == NOW - KEPT and moment_of(last, first, NOW) == NOW


def test_distances_are_those_of_the_ground():
    north = metres(GATE, GATE.longitude, GATE.latitude + 1)
    assert north == pytest.approx(111_195, abs=1), "a degree of a meridian"
    assert metres(GATE, GATE.longitude + 1, GATE.latitude) == pytest.approx(95_080, rel=1e-3), "less of a parallel, by the cosine"
    assert metres(Ground(179.9999, 0, 5), -179.9999, 0) == pytest.approx(22.24, abs=0.01), "across the date line"
    assert metres(GATE, GATE.longitude, GATE.latitude) == 0 and metres(Ground(0, 90, 5), 180, -90) == pytest.approx(20_015_115, abs=1)


@pytest.mark.parametrize(("north", "accuracy", "distance", "there"), [
    (0.0, 0.0, 0, True), (0.0004, 0.0, 44, True), (0.0005, 0.0, 56, False), (0.0005, 10.0, 56, True), (0.01, 100.0, 1112, False)])
def test_who_says_that_they_are_elsewhere_was_not_there(north: float, accuracy: float, distance: int, there: bool):
    (said,) = decided(SCANS, replace(TELL, reading=Reading(GATE.longitude, GATE.latitude + north, accuracy)))
    assert (said.distance, said.there) == (distance, there)


def test_without_a_position_of_either_the_tag_is_believed():
    reading = Reading(0.0, 0.0, 1.0)
    for told in (replace(TELL, spot=None, reading=reading), TELL):
        assert [(s.distance, s.there) for s in decided(SCANS, told)] == [(None, True)]
