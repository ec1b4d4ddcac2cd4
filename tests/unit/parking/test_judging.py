"""Every rule of the lanes, and which comes first."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from services.parking.domain.judging import Entry, Exit, Fact, Judgement, KnownRight, KnownSession, judge_entry, judge_exit
from tests.unit.parking.samples import HOUR, LANE, NOW

RIGHT, BECAUSE, STAY, OTHER = (UUID(int=n) for n in range(20, 24))


def right(kind: Any, n: int = 0, **more: Any) -> KnownRight:
    return KnownRight(UUID(int=RIGHT.int + 100 * n), kind, BECAUSE, **more)


def stay(due: int = 0, session: UUID = STAY) -> KnownSession:
    return KnownSession(session, BECAUSE, due)


IN = Entry(NOW, LANE, True, True, 1)
FULL, PRIVATE = replace(IN, room=0), replace(IN, public=False)
OUT = Exit(NOW, LANE, True)
PAST, SOON, USED = {"valid_until": NOW}, {"valid_from": NOW + HOUR}, {"uses_left": 0}


def test_a_right_that_does_not_count_is_named_among_the_facts() -> None:
    for lapsed, says in ((PAST, "permit_expired"), (SOON, "permit_not_yet_valid"), ({"taken": True}, "space_taken")):
        assert judge_entry(replace(IN, rights=(right("permit", **lapsed),))).facts == (Fact(LANE, "lane"), Fact(BECAUSE, says))


@pytest.mark.parametrize(("ask", "admitted", "rule", "reason", "finding"), [
    (replace(IN, plate=False), False, "no_plate", "no_plate_read", "no_plate"),
    (replace(IN, fake=True, rights=(right("permit"),)), False, "fake_plate", "plate_is_a_picture", "fake_plate"),
    (replace(IN, rights=(right("black"),)), False, "black_list", "on_the_black_list", None),
    (replace(IN, rights=(right("black", **PAST),)), True, "tariff", "pays_by_tariff", None),
    (replace(IN, rights=(right("permit"), right("black", 1))), False, "black_list", "on_the_black_list", None),
    *((replace(PRIVATE, rights=(right(kind),)), True, kind, f"{kind}_counts", None)
      for kind in ("white", "permit", "visitor_pass", "vehicle")),
    *((replace(FULL, rights=(right(kind),)), True, kind, f"{kind}_counts", None) for kind in ("white", "permit", "visitor_pass")),
    (replace(FULL, rights=(right("vehicle"),)), False, "room", "lot_full", None),
    (replace(FULL, rights=(right("vehicle"),), inside=stay()), True, "vehicle", "vehicle_counts", None),
    (replace(FULL, room=-1, rights=(right("vehicle"),)), False, "room", "lot_full", None),
    (replace(PRIVATE, rights=(right("declared"),)), False, "residents_only", "not_known_here", None),
    (PRIVATE, False, "residents_only", "not_known_here", None),
    (replace(PRIVATE, rights=(right("visitor_pass", **USED),)), False, "residents_only", "pass_used_up", None),
    (replace(PRIVATE, rights=(right("visitor_pass", **SOON),)), False, "residents_only", "pass_not_yet_valid", None),
    (replace(PRIVATE, rights=(right("visitor_pass", **PAST),)), False, "residents_only", "pass_expired", None),
    (replace(PRIVATE, rights=(right("permit", **PAST),)), False, "residents_only", "permit_expired", None),
    (replace(PRIVATE, rights=(right("permit", **SOON),)), False, "residents_only", "permit_not_yet_valid", None),
    (replace(PRIVATE, rights=(right("permit", taken=True),)), False, "residents_only", "space_taken", None),
    (replace(IN, rights=(right("permit", taken=True),)), True, "tariff", "pays_by_tariff", None),
    (replace(FULL, rights=(right("permit", taken=True),)), False, "room", "lot_full", None),
    (replace(IN, rights=(right("permit", taken=True), right("vehicle", 1))), True, "vehicle", "vehicle_counts", None),
    (replace(PRIVATE, alike=(right("permit"),)), False, "residents_only", "resembles_a_known_plate", "look_alike"),
    (replace(IN, alike=(right("permit"),)), True, "tariff", "pays_by_tariff", "look_alike"),
    (replace(FULL, alike=(right("permit"),)), False, "room", "lot_full", "look_alike"),
    (replace(IN, alike=(right("black"),)), False, "look_alike", "resembles_a_plate_on_the_black_list", "look_alike"),
    (replace(PRIVATE, room=0, alike=(right("black"),)), False, "look_alike", "resembles_a_plate_on_the_black_list", "look_alike"),
    (replace(IN, alike=(right("black", **PAST),)), True, "tariff", "pays_by_tariff", None),
    (replace(PRIVATE, room=0), False, "residents_only", "not_known_here", None),
    (FULL, False, "room", "lot_full", None),
    (replace(FULL, inside=stay()), True, "tariff", "pays_by_tariff", None),
    (IN, True, "tariff", "pays_by_tariff", None),
])
def test_who_comes_in(ask: Entry, admitted: bool, rule: str, reason: str, finding: str | None) -> None:
    said = judge_entry(ask)
    assert (said.admitted, said.rule, said.reason, said.finding) == (admitted, rule, reason, finding)
    assert said.facts[0] == Fact(LANE, "lane") and said.session_id is None
    assert (said.right is not None) == (admitted and rule not in ("tariff",))


def test_of_several_rights_the_strongest_counts() -> None:
    kinds = ("white", "permit", "visitor_pass", "vehicle")
    for n in range(4):
        rights = tuple(right(kind, i) for i, kind in enumerate(reversed(kinds[n:])))
        assert judge_entry(replace(IN, rights=rights)).rule == kinds[n]
    lapsed = (right("white", **PAST), right("vehicle", 1))
    assert judge_entry(replace(IN, rights=lapsed)) == Judgement(
        True, "vehicle", "vehicle_counts", (Fact(LANE, "lane"), Fact(BECAUSE, "vehicle")), lapsed[1])


def test_candidates_are_the_rights_that_count_now() -> None:
    said = judge_entry(replace(IN, alike=(right("permit"), right("white", 1, **PAST), right("vehicle", 2))))
    assert said.candidates == (RIGHT, UUID(int=RIGHT.int + 200))
    assert [fact.says for fact in said.facts] == ["lane", "looks_like", "looks_like"]


@pytest.mark.parametrize(("more", "counts"), [
    ({}, True), ({"valid_from": NOW}, True), (SOON, False), (PAST, False), ({"valid_until": NOW + HOUR}, True), (USED, False),
    ({"uses_left": 1}, True)])
def test_a_right_counts_half_open_and_until_it_is_used_up(more: dict[str, Any], counts: bool) -> None:
    assert right("permit", **more).counts(NOW) is counts


@pytest.mark.parametrize(("ask", "admitted", "rule", "reason", "finding", "session"), [
    (replace(OUT, inside=stay()), True, "payment", "nothing_due", None, STAY),
    (replace(OUT, inside=stay(), fake=True, rights=(right("white"),)), False, "fake_plate", "plate_is_a_picture", "fake_plate", None),
    (replace(OUT, inside=stay(1)), False, "payment", "not_paid", None, STAY),
    (replace(OUT, inside=stay(1), rights=(right("white"),)), False, "payment", "not_paid", None, STAY),
    (replace(OUT, inside=stay(), alike=(stay(1, session=OTHER),)), True, "payment", "nothing_due", None, STAY),
    (replace(OUT, plate=False, alike=(stay(),)), False, "no_plate", "no_plate_read", "no_plate", None),
    (replace(OUT, alike=(stay(),)), False, "look_alike", "resembles_a_car_inside", "look_alike", None),
    (replace(OUT, alike=(stay(1),)), False, "look_alike", "resembles_a_car_inside", "look_alike", None),
    (replace(OUT, alike=(stay(), stay(session=OTHER))), False, "look_alike", "resembles_a_car_inside", "look_alike", None),
    (replace(OUT, alike=(stay(1),), rights=(right("white"),)), True, "white", "white_counts", "no_entry", None),
    (replace(OUT, alike=(stay(1),), rights=(right("permit"),)), True, "permit", "permit_counts", "no_entry", None),
    (replace(OUT, alike=(stay(),), rights=(right("permit", **PAST), right("vehicle", 1))), False, "look_alike",
     "resembles_a_car_inside", "look_alike", None),
    (replace(OUT, rights=(right("white"),)), True, "white", "white_counts", "no_entry", None),
    (replace(OUT, rights=(right("permit"),)), True, "permit", "permit_counts", "no_entry", None),
    (replace(OUT, rights=(right("permit", **PAST),)), False, "no_entry", "no_entry_known", "no_entry", None),
    (replace(OUT, rights=(right("vehicle"), right("visitor_pass", 1))), False, "no_entry", "no_entry_known", "no_entry", None),
    (replace(OUT, rights=(right("black"),)), False, "no_entry", "no_entry_known", "no_entry", None),
    (OUT, False, "no_entry", "no_entry_known", "no_entry", None),
])
def test_who_goes_out(ask: Exit, admitted: bool, rule: str, reason: str, finding: str | None, session: UUID | None) -> None:
    said = judge_exit(ask)
    assert (said.admitted, said.rule, said.reason, said.finding, said.session_id) == (admitted, rule, reason, finding, session)
    assert said.facts[0] == Fact(LANE, "lane")
    assert said.candidates == (tuple(s.session_id for s in ask.alike) if finding in ("look_alike", "no_entry") else ())
