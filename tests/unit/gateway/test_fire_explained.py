"""A fire in words: why it escalated, who was told and who not, why doors stood open and who closed them, each resting on events."""

import re
import typing
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.contracts import access, alarm, devices, government, neighbors
from libs.contracts.topics import heard_from
from libs.eventkit.recorded import tag_of
from services.gateway.explaining import Known, as_told, explain, in_order, links, only_about
from services.gateway.reach import Viewer, without
from services.gateway.sentences import LANGUAGES, sentence
from services.gateway.stories import own_causes
from services.gateway.told import Told
from services.gateway.words import alarm_chinese_terms, alarm_english_terms
from tests.unit.gateway.fire import (
    ACKNOWLEDGED,
    BEGUN,
    BROADCAST,
    CAM,
    DURESS,
    ENDED,
    ESCALATED,
    GUARD,
    ID,
    INCIDENT,
    LIFT,
    RAISED,
    RELEASE,
    RESTORED,
    SENT,
    STAFF,
    THREATENED,
    VERIFIED,
    story,
)
from tests.unit.gateway.heard import ANN, BEN, BUILDING, COMMUNITY, GATE, HOME, heard

NAMES = {
    GATE: "stairs", LIFT: "A", BUILDING: "3", HOME: "3-1-701", CAM: "main panel", GUARD: "guard", STAFF: "staff", }
TOLD = {BROADCAST: Told(2, {"no_channel": 1}, (ID["told ann"], ID["not told ben"]))}
NAME_OF = {i: name for name, i in ID.items()}
WORDS = pytest.mark.parametrize("language", ["en", "zh"])


def known() -> dict[UUID, Known]:
    return {row.event_id: Known(row, event) for event, row in story()}


def because(name: str) -> set[str]:
    return {NAME_OF[i] for i in links(known())[ID[name]]}


@pytest.mark.parametrize(("name", "rests_on"), [
    ("raised", {"signal"}), ("repeated", {"raised"}), ("restored", {"raised", "signal"}), ("escalated", {"raised"}),
    ("acknowledged", {"escalated"}), ("verified", {"acknowledged"}), ("dispatched", {"verified"}), ("resolved", {"dispatched"}),
    ("begun", {"verified"}), ("held", {"begun"}), ("released", {"begun", "held"}), ("hold failed", {"begun"}),
    ("not released", {"begun", "hold failed"}), ("lift released", {"begun"}), ("ended", {"begun", "resolved"}),
    ("set back", {"ended"}), ("normal", {"ended", "set back"}), ("sent", {"verified"}), ("told ann", {"sent"}),
    ("not told ben", {"sent"}), ("clear", {"sent"})])
def test_what_people_do_rests_on_what_was_done_before(name: str, rests_on: set[str]) -> None:
    assert because(name) == rests_on


def test_an_end_despite_the_fire_does_not_rest_on_its_end() -> None:
    found = known()
    found[ID["ended"]] = Known(found[ID["ended"]].row, replace(ENDED, reason="despite_fire"))
    assert {NAME_OF[i] for i in links(found)[ID["ended"]]} == {"begun"}


def test_two_incidents_are_not_mixed_up() -> None:
    other = UUID(int=0x999)
    said = dict(enumerate(heard(event, n) for n, event in enumerate((
        RAISED, replace(RAISED, incident_id=other), ACKNOWLEDGED, replace(ACKNOWLEDGED, incident_id=other)), 1)))
    found = own_causes({UUID(int=n): (row, event) for n, (event, row) in said.items()})
    assert found[UUID(int=2)] == [UUID(int=0)] and found[UUID(int=3)] == [UUID(int=1)]


def test_causes_come_first_though_topics_were_heard_in_another_order() -> None:
    order = [NAME_OF[k.row.event_id] for k in in_order(known())]
    assert order.index("verified") < order.index("begun") < order.index("ended") and order[0] == "signal"


@pytest.mark.parametrize("asked", ["resolved", "ended", "clear", "normal", "escalated"])
def test_the_chain_of_whatever_came_last_spans_the_services_and_hardly_anything_hangs_loose(asked: str) -> None:
    chain = explain(ID[asked], ID[asked], known(), NAMES, "en", TOLD)["chain"]
    assert {entry["service"] for entry in chain} == {"devices", "alarm", "access", "neighbors"}
    assert [NAME_OF[entry["event_id"]] for entry in chain if not entry["because"]] == ["signal"]


def text(asked: str, language: Any = "en", found: dict[UUID, Known] | None = None, told: Any = TOLD) -> list[str]:
    return list(explain(ID[asked], ID[asked], found or known(), NAMES, language, told)["text"])


def test_why_an_alarm_escalated() -> None:
    first, then = text("escalated")[:2]
    assert first.startswith(
        "The fire alarm went up to level 1: nobody had acknowledged it by 2026-03-01 12:05:00 UTC; a guard and a member of staff had to be"
        " told; the next level follows at 2026-03-01 12:06:00 UTC.")
    assert then.startswith(
        "Because: A critical fire alarm was raised at kitchen, home 3-1-701, floor 7, unit 1, building 3 (code contact_id:1110); somebody"
        " has to acknowledge it by 2026-03-01 12:05:00 UTC.")
    assert text("escalated", "zh")[0].startswith(
        "火警升至第 1 级：截至 2026-03-01 12:05:00（UTC）无人确认接警，须通知值班员、物业人员，下一级于 2026-03-01 12:06:00（UTC）。")


def test_who_was_told_of_the_fire_and_who_was_not() -> None:
    said = text("verified")
    (figures,) = [line for line in said if "2 were told" in line]
    assert figures.startswith("Of 3 people 2 were told, 1 was not told (there is no channel to them: 1).")
    assert {UUID(i) for i in re.findall(r"\[([0-9a-f-]{36})\]", figures)} == {ID["sent"], ID["told ann"], ID["not told ben"]}
    assert said.index(figures) == 1 + next(n for n, line in enumerate(said) if "to everybody in building 3, 3 people:" in line)
    assert not any("A resident was" in line for line in said), "not one by one"
    assert any("共 3 人，其中 2 人已得到通知，1 人未得到通知（没有可用的通知渠道 1 人）。" in line for line in text("sent", "zh"))
    assert "nobody has been reached so far" in text("sent", told={BROADCAST: Told(0, {}, ())})[1]
    assert text("sent", told={BROADCAST: Told(4, {}, ())})[1].startswith("Of 4 people 4 were told."), "who moved in meanwhile, too"
    assert "of 1 nobody knows yet" in text("sent", told={BROADCAST: Told(2, {}, ())})[1]


def test_a_resident_who_asks_about_their_own_telling_is_answered() -> None:
    assert text("told ann")[0].startswith("A resident was told by push.")


def test_why_the_doors_stood_open_and_who_closed_them() -> None:
    said = text("begun")
    assert said[0].startswith(
        "Access, by the rule verified fire, had 1 door and 1 lift of building 3 released: a fire was verified there.")
    assert any("A guard verified on site that the fire alarm at" in line for line in said)
    for expected in (
            "Then: Door stairs stands released", "Then: Door A is not released yet (the device could not be reached)",
            "Then: A member of staff ended the fire release of building 3: no fire of it was open any more.",
            "Then: Door stairs is back to normal"):
        assert any(line.startswith(expected) for line in said), expected
    assert text("ended", "zh")[0].startswith("物业人员结束了楼栋“3”的消防释放：已没有未结束的火情。")


@WORDS
@pytest.mark.parametrize("asked", list(ID))
def test_every_sentence_cites_events_and_no_person_is_in_it(asked: str, language: Any) -> None:
    found = explain(ID[asked], ID[asked], known(), NAMES, language, TOLD)
    chain = {entry["event_id"] for entry in found["chain"]}
    for line in found["text"]:
        cited = {UUID(i) for i in re.findall(r"\[([0-9a-f-]{36})\]", line)}
        assert cited and cited <= chain
        plain = re.sub(r"\[[0-9a-f-]{36}\]", "", line)
        assert not any(str(person)[-6:] in plain for person in (GUARD, STAFF, ANN, BEN)), plain


@WORDS
def test_who_acted_without_a_known_role_is_somebody_on_duty(language: Any) -> None:
    said = sentence(ACKNOWLEDGED, {}, language)
    assert str(GUARD)[-6:] not in said and ("omebody on duty" in said or "值班人员" in said)


def resident(person: UUID, home: UUID | None, building: UUID | None = BUILDING, *told: UUID) -> Viewer:
    return Viewer(
        COMMUNITY, person, False, frozenset({GATE}), frozenset({home} if home else ()), frozenset({building} if building else ()),
        told=frozenset(told))


def test_a_resident_reads_of_a_fire_next_door_without_the_home_and_without_who_else_was_told() -> None:
    who = resident(BEN, None, BUILDING, INCIDENT)
    found = only_about(who, as_told(who, known()))
    assert ID["told ann"] not in found and ID["not told ben"] in found
    said = "\n".join(text("verified", found=found, told={}))
    assert "3-1-701" not in said and "kitchen" not in said and "building 3" in said and "by somebody" not in said
    assert ID["signal"] not in found and "main panel" not in said, "a panel, or its zone, tells whose home it is"


def test_a_resident_of_another_house_reads_nothing_of_it() -> None:
    carl = resident(UUID(int=0xCA), None, None)
    found = only_about(carl, as_told(carl, known()))
    assert not {tag_of(type(k.event)).partition(".")[0] for k in found.values()} & {"alarm", "neighbors", "gov"}


def test_nothing_silent_is_explained_to_a_resident() -> None:
    happened = [THREATENED, DURESS, access.DoorOpened(UUID(int=0x0F), GATE, ANN), government.IncidentOpened(
        DURESS.incident_id, "310101", "duress", "critical", True, BUILDING, "duress", VERIFIED.dispatch_by, VERIFIED.dispatch_by)]
    found = {row.event_id: Known(row, event) for event, row in (heard(e, n) for n, e in enumerate(happened, 1))}
    kept = as_told(resident(ANN, HOME, BUILDING, DURESS.incident_id), found)
    assert [type(k.event) for k in kept.values()] == [access.DoorOpened]


CODES: dict[str, Any] = {
    "KINDS": typing.get_args(alarm.IncidentKind), "SEVERITIES": typing.get_args(alarm.Severity),
    "WAITED": typing.get_args(typing.get_type_hints(alarm.IncidentEscalated)["waiting_for"]),
    "SENT": typing.get_args(typing.get_type_hints(alarm.IncidentDispatched)["to"]),
    "HOW": [word for kind, name in (
        (alarm.IncidentVerified, "how"), (alarm.IncidentFoundFalse, "cause"), (alarm.IncidentResolved, "how"))
        for word in typing.get_args(typing.get_type_hints(kind)[name])],
    "STATES": typing.get_args(government.State), "BROADCASTS": typing.get_args(typing.get_type_hints(neighbors.BroadcastSent)["kind"]),
    "CATEGORIES": typing.get_args(typing.get_type_hints(neighbors.NoticePosted)["category"]),
    "REASONS": [*typing.get_args(typing.get_type_hints(devices.HoldCarriedOut)["state"]), "no_channel", "given_up", "ended", "fire_over"]}


@pytest.mark.parametrize("terms", [alarm_english_terms, alarm_chinese_terms], ids=["en", "zh"])
@pytest.mark.parametrize("name", list(CODES))
def test_every_code_of_the_contracts_has_words(terms: Any, name: str) -> None:
    assert set(CODES[name]) - getattr(terms, name).keys() == set()


def test_both_languages_have_words_for_the_same_codes() -> None:
    for name in (*CODES, "ROLES", "CODES", "CHANNELS", "POPULATION", "SOURCES"):
        assert getattr(alarm_english_terms, name).keys() == getattr(alarm_chinese_terms, name).keys(), name


@WORDS
def test_a_silent_alarm_is_said_to_be_one(language: Any) -> None:
    said = sentence(DURESS, NAMES, language)
    assert ("Nothing at the place shows it" in said) or ("现场没有任何显示" in said)
    assert sentence(replace(ESCALATED, next_by=None), NAMES, language) != sentence(ESCALATED, NAMES, language)


def test_nothing_that_is_heard_is_without_words_in_either_language() -> None:
    fire = {tag_of(kind) for kind in heard_from("alarm", "neighbors", "gateway")}
    assert len(fire) > 20 and all(hasattr(words, "NO_WORDS") for words in LANGUAGES.values())
    assert sentence(replace(BEGUN, by=GUARD, release_id=RELEASE), NAMES).startswith("A guard had 1 door")


@WORDS
def test_who_decided_and_how_many_were_told_is_not_made_up_for_who_may_not_know_it(language: Any) -> None:
    sent = replace(SENT, rule="by_hand", reason="sent_by_a_person", by=STAFF)
    posted = neighbors.NoticePosted(BROADCAST, BUILDING, BUILDING, "general", "Water", "No water", STAFF, 20)
    begun = replace(BEGUN, rule="by_hand", reason="person_decided", by=STAFF)
    for event in (sent, posted, begun, neighbors.BroadcastEnded(BROADCAST, BUILDING, STAFF, "by_hand")):
        said = sentence(without(event, home=False), NAMES, language)
        assert not re.search(r"rule|规则|eighbors|邻里服务|门禁|\b0|20", said), said
    assert "everybody in building 3: a person decided so" in sentence(without(sent, home=False), NAMES)


def test_a_source_that_is_well_after_the_end_is_not_said_to_leave_it_open() -> None:
    said = [sentence(RESTORED, NAMES, language) for language in LANGUAGES]
    assert not any("stays open" in one or "仍未结束" in one for one in said)


def test_duress_says_nothing_of_what_the_door_did() -> None:
    """The PIN may have been refused, or a device may have said it."""
    said = [sentence(THREATENED, NAMES, language) for language in LANGUAGES]
    assert not any("opened" in one or "开启" in one for one in said), said


@WORDS
@pytest.mark.parametrize("to", typing.get_args(typing.get_type_hints(alarm.IncidentDispatched)["to"]))
def test_whom_authorities_were_told_of_is_said_in_words(to: str, language: Any) -> None:
    told = government.IncidentProgressed(
        INCIDENT, "310101", "fire", "critical", False, BUILDING, "dispatched", VERIFIED.dispatch_by, to, None)
    words = {"en": alarm_english_terms, "zh": alarm_chinese_terms}[language]
    assert words.SENT[to] in sentence(told, NAMES, language)
