"""Whatever parking and access decide is said in words, in both languages: no code of their rules is left as it stands."""

import ast
import inspect
import re
import typing
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import cache
from itertools import product
from types import ModuleType
from typing import Any
from uuid import UUID

import msgspec
import pytest

from libs.contracts import access, alarm, devices, government, identity, neighbors, parking
from services.access import erasures as access_erasures
from services.access import qr, visitors
from services.access import reactions as access_reactions
from services.access.api import visitor_passes as passes_api
from services.access.domain import admission, visitor_passes
from services.access.domain import rights as access_rights
from services.gateway.sentences import Language, sentence
from services.gateway.told import Told
from services.gateway.words import chinese, chinese_terms, english, english_terms, neighbors_english
from services.gateway.words.names import Gone
from services.identity.domain import vehicles
from services.identity.domain.accounts import ROLES
from services.parking.domain import bill_lines, findings, judging
from services.parking.domain.plate_rights import Kind
from tests.unit.gateway.heard import ANN, BUILDING, DEVICE, NOON

LANE, STAY, LOT, RIGHT, LIFT = (UUID(int=n) for n in range(1, 6))
DAY = timedelta(days=1)
LATER = NOON + 30 * DAY
TERMS = pytest.mark.parametrize("terms", [english_terms, chinese_terms], ids=["en", "zh"])
WORDS = pytest.mark.parametrize("words", [english, chinese], ids=["en", "zh"])


def questions() -> Iterator[judging.Entry | judging.Exit]:
    """What may stand before a lane: every kind of right in every state, exactly or alike, inside or not, with room or none."""
    states: list[dict[str, Any]] = [{}, {"valid_from": LATER}, {"valid_until": NOON - DAY}, {"uses_left": 0}]
    states += [{"taken": True}] if "taken" in judging.KnownRight.__struct_fields__ else []
    rights = [judging.KnownRight(RIGHT, kind, LIFT, **state) for kind in typing.get_args(Kind) for state in states]
    seen = [((), ()), *(((right,), ()) for right in rights), *(((), (right,)) for right in rights)]
    car, debtor = judging.KnownSession(STAY, LIFT), judging.KnownSession(STAY, LIFT, 500)
    inside_or_alike = [(None, ()), (car, ()), (debtor, ()), (None, (car,)), (None, (debtor,))]
    for exact, alike in seen:
        for plate, public, room, inside in product((True, False), (True, False), (0, 1), (None, car)):
            yield judging.Entry(NOON, LANE, plate, public, room, exact, alike, inside)
        for plate, stays in product((True, False), inside_or_alike):
            yield judging.Exit(NOON, LANE, plate, exact, *stays)
    yield from (judging.Entry(NOON, LANE, True, True, 1, fake=True), judging.Exit(NOON, LANE, True, fake=True))


@cache
def judged() -> dict[str, frozenset[str]]:
    """Every rule and reason with which judging.py answers."""
    said = [judging.judge_entry(ask) if isinstance(ask, judging.Entry) else judging.judge_exit(ask) for ask in questions()]
    return {"rule": frozenset(each.rule for each in said), "reason": frozenset(each.reason for each in said)}


def test_the_questions_lead_to_every_answer_in_the_source() -> None:
    tree = ast.parse(inspect.getsource(judging))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "Judgement"]
    for place, name in ((1, "rule"), (2, "reason")):
        written = {call.args[place].value for call in calls if isinstance(call.args[place], ast.Constant)}
        assert len(written) > 5 and written - judged()[name] == set()
    assert judged()["reason"] >= {
        "no_plate_read", "on_the_black_list", "white_counts", "permit_counts", "visitor_pass_counts", "vehicle_counts",
        "resembles_a_plate_on_the_black_list", "resembles_a_known_plate", "lot_full", "pass_used_up", "pass_not_yet_valid",
        "pass_expired", "not_known_here", "pays_by_tariff", "resembles_a_car_inside", "no_entry_known", "not_paid", "nothing_due"}


@TERMS
def test_every_code_of_a_judgement_a_finding_and_a_settlement_has_words(terms: ModuleType) -> None:
    found = judged()
    assert found["reason"] - terms.PASSAGES.keys() == set()
    assert (found["rule"] | {"by_hand"}) - terms.RULES.keys() == set()
    assert {*typing.get_args(judging.FindingKind), "overpaid"} - terms.FINDINGS.keys() == set()
    assert set(typing.get_args(findings.How)) - terms.SETTLED.keys() == set()
    assert set(typing.get_args(bill_lines.Code)) - terms.BILL.keys() == set()


def test_both_languages_have_words_for_the_same_codes() -> None:
    for name in (
        "RULES", "PASSAGES", "FINDINGS", "SETTLED", "BILL", "KINDS", "MEANS", "DOOR_RULES", "DOORS", "REVOKED", "HOMES", "ACCOUNTS",
        "PAPERS", "OTHERS",
    ):
        assert getattr(english_terms, name).keys() == getattr(chinese_terms, name).keys(), name


@WORDS
def test_why_a_barrier_stayed_shut_is_said_in_words(words: ModuleType) -> None:
    for rule in judged()["rule"]:
        for reason in judged()["reason"]:
            said = words.sentence(parking.PassageJudged(STAY, LANE, False, rule, reason, (), None, True), {LANE: "east"})
            assert "_" not in said and "east" in said, said
    said = words.sentence(parking.PassageJudged(STAY, LANE, True, "by_hand", "the guard knows him", (), None, True), {})
    assert "the guard knows him" in said


def codes_of(module: ModuleType, call: str, place: int = 0) -> set[str]:
    """Every text that stands, whole, at this place of a call in the module's source."""
    found = set[str]()
    for n in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(n, ast.Call) and getattr(n.func, "id", getattr(n.func, "attr", "")) == call and len(n.args) > place:
            asked = n.args[place]
            whole = (asked.body, asked.orelse) if isinstance(asked, ast.IfExp) else (asked,)
            found |= {each.value for each in whole if isinstance(each, ast.Constant) and each.value}
    return found


RIGHTS = {*typing.get_args(access_rights.Rule), visitor_passes.RULE}
DOOR_RULES = RIGHTS | codes_of(admission, "Judgement", 1)
WHY_NOT = {
    value.value for n in ast.walk(ast.parse(inspect.getsource(visitor_passes.why_not))) if isinstance(n, ast.Return)
    for value in ast.walk(n) if isinstance(value, ast.Constant) and value.value}
DOORS = (
    {f"allowed_by_{rule}" for rule in RIGHTS} | codes_of(admission, "Judgement", 2) | WHY_NOT | codes_of(qr, "BadCode")
    | codes_of(visitors, "PresentedPass") | codes_of(visitors, "BadCode"))
REVOKED = codes_of(access_reactions, "RevokePass", 1) | codes_of(access_erasures, "RevokePass", 1) | codes_of(passes_api, "RevokePass", 1)


def test_the_codes_of_access_are_found_in_its_source() -> None:
    assert {"residence", "duty", "visitor_pass", "credential", "floor", "erasure", "device", "default"} == DOOR_RULES
    assert {"pass_elsewhere", "pass_spent", "floor_not_permitted", "qr_malformed", "pass_revoked", "credential_expired"} < DOORS
    assert {"host", "staff", "residence_ended", "host_erased"} == REVOKED


@TERMS
def test_every_code_of_access_and_every_role_has_words(terms: ModuleType) -> None:
    assert DOOR_RULES - terms.DOOR_RULES.keys() == set() and DOORS - terms.DOORS.keys() == set()
    assert REVOKED - terms.REVOKED.keys() == set()
    assert set(typing.get_args(identity.HomeRole)) - terms.HOMES.keys() == set() and ROLES - terms.ACCOUNTS.keys() == set()
    assert set(typing.get_args(vehicles.How)) - terms.PAPERS.keys() == set()
    assert set(typing.get_args(admission.Means)) - terms.MEANS.keys() == set()


def spoken() -> Iterator[Any]:
    for rule, reason in product(sorted(DOOR_RULES), sorted(DOORS)):
        yield access.CredentialJudged(LIFT, "card", False, rule, reason, (), None, True)
        yield access.DoorOpeningOrdered(RIGHT, LIFT, DEVICE, 1, "remote", ANN, rule, reason, ())
    yield from (access.RightGranted(RIGHT, ANN, f"building:{BUILDING}", rule) for rule in sorted(RIGHTS))
    yield from (access.VisitorPassRevoked(RIGHT, ANN, reason) for reason in sorted(REVOKED))
    yield from (identity.ResidenceStarted(RIGHT, ANN, STAY, BUILDING, 1, role, NOON.date()) for role in typing.get_args(identity.HomeRole))
    yield from (kind(RIGHT, ANN, role) for role in sorted(ROLES) for kind in (identity.AccountOpened, identity.AccountClosed))
    yield from (identity.VehicleVerified(RIGHT, how) for how in typing.get_args(vehicles.How))


def test_what_access_and_identity_say_has_no_code_in_it() -> None:
    for event in spoken():
        assert not re.search("[A-Za-z_]", sentence(event, {LIFT: "一", BUILDING: "二"}, "zh").replace("…00000a", "")), event
        assert "_" not in sentence(event, {BUILDING: "Tower"})


@pytest.mark.parametrize("language", typing.get_args(Language))
@pytest.mark.parametrize("home", [{STAY: "1-1-101"}, {}], ids=["who may know the home", "who may not"])
def test_a_call_for_help_names_its_home_once(language: Language, home: dict[UUID, str]) -> None:
    raised = alarm.IncidentRaised(
        RIGHT, "sos", "critical", False, alarm.Place(BUILDING, 1, None, STAY, "1-1-101"), "sos", STAY, None, None, ANN, True, NOON)
    assert sentence(raised, {BUILDING: "1", **home}, language).count("1-1-101") == 1


@pytest.mark.parametrize(("event", "said"), [
    (access.VisitorPassRevoked(RIGHT, ANN, "host"), "The visitor's pass was revoked: by the host."),
    (identity.BuildingRegistered(BUILDING, "3", 1), "Building 3 was registered, with 1 unit."),
    (identity.BuildingRegistered(BUILDING, "3", 2), "Building 3 was registered, with 2 units."),
    (parking.LotOpened(LOT, "East", {"ground": 1}), "Car park East has 1 space."),
    (government.FireReleased(RIGHT, "110101", "fire", "high", False, None, True, 1, 2, NOON),
     "Authorities were told of the fire release: 1 door and 2 lifts."),
    (neighbors.BroadcastSent(RIGHT, BUILDING, "fire", "t", None, None, "by_hand", "sent_by_a_person", (), 1),
     "Somebody on duty sent an emergency broadcast (fire) to everybody in building Tower, 1 person: a person decided so."),
], ids=lambda value: type(value).__name__ if not isinstance(value, str) else "")
def test_one_is_said_as_one(event: Any, said: str) -> None:
    assert sentence(event, {BUILDING: "Tower"}) == said


def test_of_one_person_it_is_said_whether_they_were_reached() -> None:
    assert neighbors_english.reached(Told(0, {}, ()), 1) == "Of 1 person nobody has been reached so far."
    assert neighbors_english.reached(Told(1, {}, ()), 1) == "Of 1 person 1 was told."


FACTS: dict[str, Any] = {
    "class_corrected": {"read_at_entry": "small", "vehicle_class": "large"}, "cap": {"cap_fen": 4000},
    "share": {"numerator": 1, "denominator": 2}, "free_period": {"free_seconds": 1800}, "free_period_exceeded": {"free_seconds": 1800}}


@WORDS
@pytest.mark.parametrize("code", typing.get_args(bill_lines.Code))
def test_every_line_of_a_bill_is_said_as_it_adds_up(words: ModuleType, code: str) -> None:
    priced = parking.BillLine(code, NOON, LATER, 4, 200, 800, FACTS.get(code, {}))
    free = parking.BillLine(code, NOON, LATER, 0, 0, 0, FACTS.get(code, {}))
    said = words.sentence(parking.Billed(STAY, "A", 1, LATER, 800, 0, (priced, free)), {})
    assert "4 × ¥2.00 = ¥8.00" in said and "¥0.00" in said and "_" not in said, said
    for value in ("small", "large") if code == "class_corrected" else ("30",) if code.startswith("free") else ():
        assert value in said
    assert {"cap": "¥40.00", "share": "1/2"}.get(code, "") in said


PERMIT = parking.PermitHeld(RIGHT, LOT, ANN, None, NOON, LATER, 30000, False)


@pytest.mark.parametrize(("event", "english_", "chinese_"), [
    (access.LiftInstalled(LIFT, BUILDING, "A", DEVICE, (access.LiftFloor(1, 1), access.LiftFloor(7, 2))),
     "Lift A of building Tower is on device Panel, which releases the floors: 1, 7.",
     "楼栋“Tower”的电梯A由设备“Panel”控制，可达楼层 1、7。"),
    (PERMIT, "Person …00000a holds a permit for car park East from 2026-03-01 12:00 UTC until 2026-03-31 12:00 UTC, ¥300.00 a month.",
     "人员…00000a持有停车场“East”的月租，自 2026-03-01 12:00（UTC）起至 2026-03-31 12:00（UTC）止有效，每月 ¥300.00。"),
    (parking.PermitHeld(RIGHT, None, ANN, None, None, None, None, False),
     "Person …00000a holds a permit for every car park, without a fee.", "人员…00000a持有所有停车场的月租，不收费。"),
    (parking.PermitHeld(RIGHT, LOT, None, None, None, None, None, True),
     "The permit for car park East counts no more.", "停车场“East”月租不再有效。"),
    (parking.SessionRecognised(STAY, ANN, None, RIGHT),
     "It was found out whose vehicle it is: the stay of person …00000a as a guest's, from its beginning on.",
     "已认定车辆属于人员…00000a的访客，自停车开始起算。"),
    (parking.SessionRecognised(STAY, None, None, None),
     "The vehicle was recognised: the stay counts under its right, from its beginning on.", "车辆已认定：停车自开始起按其权限计算。"),
    (parking.FindingRaised(RIGHT, "overpaid", None, STAY, None, ()),
     "Something has to be settled by a person: more was paid than is owed.", "有待人工处理：付款多于应付。"),
    (devices.DeviceRetired(DEVICE), "Device Panel was taken out of use.", "设备“Panel”已停用。"),
    (devices.HoldFailed(RIGHT, DEVICE, 2, "held_open", "device_retired", 3, None),
     "Device Panel was taken out of use before relay 2 was held open.", "设备“Panel”在 2 号继电器保持开启之前已停用。"),
    (alarm.PatrolJudged(RIGHT, LOT, "Night", NOON, {"early": 0, "on_time": 2, "late": 1, "missed": 0}, 1),
     "The round Night of 2026-03-01 12:00:00 UTC has been judged: of its stops 2 on time, 1 late.",
     "巡更“Night”自 2026-03-01 12:00:00（UTC）起的一轮已评定：巡更点准时 2 个、迟到 1 个。"),
    (alarm.PatrolJudged(RIGHT, LOT, "Night", NOON, {"early": 1, "on_time": 0, "late": 0, "missed": 2}, 2),
     "The round Night of 2026-03-01 12:00:00 UTC has been judged for the 2nd time, since more was told: of its stops 1 early, 2 missed.",
     "巡更“Night”自 2026-03-01 12:00:00（UTC）起的一轮因后来补报第 2 次评定：巡更点提前 1 个、漏检 2 个。"),
    (alarm.WellnessCheck(RIGHT, STAY, "home", (ANN,), NOON, LATER, None),
     ("Nobody has been noticed at a home that is cared for since 2026-03-01 12:00:00 UTC; those who live there are asked whether"
      " all is well, and have until 2026-03-31 12:00:00 UTC."),
     "受关爱的住房自 2026-03-01 12:00:00（UTC）起未见有人活动，已询问住户本人是否平安，须于 2026-03-31 12:00:00（UTC）前答复。"),
    (alarm.WellnessCheck(RIGHT, LOT, "neighbours", (), NOON, LATER, ANN),
     ("Somebody on duty worried. Nobody has been noticed at home East since 2026-03-01 12:00:00 UTC; the neighbours who help there"
      " are asked whether all is well, and have until 2026-03-31 12:00:00 UTC."),
     ("值班人员放心不下。住房“East”自 2026-03-01 12:00:00（UTC）起未见有人活动，已询问同意协助的邻居是否平安，"
      "须于 2026-03-31 12:00:00（UTC）前答复。")),
    (alarm.WellnessCheck(RIGHT, LOT, "unanswered", (), NOON, None, None),
     "The wellness check at home East is over: nobody could answer.", "住房“East”的平安询问已结束：无人能够答复。"),
    (alarm.WellnessCheck(RIGHT, STAY, "well", (), NOON, None, ANN),
     "The wellness check at a home that is cared for is over: all is well.", "受关爱的住房的平安询问已结束：平安。"),
    (access.RelayNotReleased(RIGHT, LIFT, False, "device_retired"),
     "Door …000005 will not be set back: its device was taken out of use before.", "门“…000005”无法恢复：其设备此前已停用。"),
], ids=lambda value: type(value).__name__ if not isinstance(value, str) else "")
def test_what_the_newer_events_say(event: Any, english_: str, chinese_: str) -> None:
    names = {BUILDING: "Tower", DEVICE: "Panel", LOT: "East"}
    assert (sentence(event, names), sentence(event, names, "zh")) == (english_, chinese_)


BEIJING = timezone(timedelta(hours=8))


@WORDS
@pytest.mark.parametrize("event", [
    PERMIT, parking.SessionBegun(STAY, LOT, "ground", ANN, None, None, NOON),
    access.VisitorPassIssued(RIGHT, "family", BUILDING, ANN, NOON, LATER, 1, (), (), None, None),
], ids=lambda event: type(event).__name__)
def test_a_moment_that_was_said_with_another_offset_is_told_in_utc(words: ModuleType, event: Any) -> None:
    moments = {name: at for name in event.__struct_fields__ if isinstance(at := getattr(event, name), datetime)}
    there = msgspec.structs.replace(event, **{name: at.astimezone(BEIJING) for name, at in moments.items()})
    assert words.sentence(there, {}) == words.sentence(event, {}) and "12:00" in words.sentence(there, {})


def test_a_quarantined_stay_is_said_to_cost_nothing() -> None:
    event = parking.SessionQuarantined(STAY, LOT, "ground")
    assert "costs nothing until staff have settled it" in sentence(event, {}) and "不计费" in sentence(event, {}, "zh")


def test_an_order_that_came_after_the_fallback_does_not_say_that_the_barrier_stayed_down() -> None:
    late, lifted = devices.BarrierOrderFailed(STAY, DEVICE, 1, "expired"), devices.FallbackGiven(STAY, DEVICE, True)
    assert "not lifted" not in sentence(late, {}) and "没有抬起" not in sentence(late, {}, "zh")
    assert "it lifted the barrier" in sentence(lifted, {}) and "道闸抬起" in sentence(lifted, {}, "zh")
    refused = devices.BarrierOrderFailed(STAY, DEVICE, 1, "refused")
    assert "not lifted" in sentence(refused, {}) and "没有抬起" in sentence(refused, {}, "zh")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_retention_has_taken_is_said_to_be_deleted(language: Language):
    said = sentence(Gone("access.door_opened"), {}, language)
    assert "access.door_opened" in said and said not in (english.NO_WORDS, chinese.NO_WORDS)
