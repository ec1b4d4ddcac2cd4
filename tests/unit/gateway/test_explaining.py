import re
import types
import typing
from datetime import UTC, date, datetime
from uuid import UUID

import msgspec
import pytest

from libs.contracts import access, devices, identity, parking
from libs.contracts.fields import SealedField
from libs.contracts.topics import HEARS, heard_from
from services.gateway.explaining import Known, causes, explain, following, in_order, links, only_about
from services.gateway.reach import Viewer
from services.gateway.sentences import sentence
from tests.unit.gateway.heard import ANN, BEN, BUILDING, COMMUNITY, DEVICE, GATE, HOME, OPENING, heard

LIVES, RIGHT, REPORT, JUDGED, ORDER, ATTEMPT, DONE, OPENED = (UUID(int=n) for n in range(1, 9))
FACTS = (access.Fact(RIGHT, "right"), access.Fact(LIVES, "lives_here"))
NAMES = {GATE: "North gate", DEVICE: "Terminal", HOME: "1-1-101"}
RULE = ("right_in_zone", "holds a right", FACTS)

# the outcome was heard before what the device said: topics are heard independently
HAPPENED = [
    (LIVES, 1, (), identity.ResidenceStarted(LIVES, ANN, HOME, BUILDING, 1, "owner", date(2024, 1, 1))),
    (RIGHT, 2, (LIVES,), access.RightGranted(RIGHT, ANN, "community", "lives_here")),
    (REPORT, 3, (), devices.DeviceReported(REPORT, DEVICE, "card", "5:1", None, 1, 1, True, True, None, None, ())),
    (JUDGED, 4, (REPORT,), access.CredentialJudged(GATE, "card", True, *RULE, ANN, True)),
    (ORDER, 5, (JUDGED,), access.DoorOpeningOrdered(OPENING, GATE, DEVICE, 1, "card", ANN, *RULE)),
    (OPENED, 6, (DONE,), access.DoorOpened(OPENING, GATE, ANN)),
    (ATTEMPT, 7, (ORDER,), devices.DoorOrderAttempted(OPENING, DEVICE, 1)),
    (DONE, 8, (ATTEMPT,), devices.DoorOrderCarriedOut(OPENING, DEVICE, 1)),
]


def known(*happened):
    found = {}
    for event_id, position, caused_by, event in happened or HAPPENED:
        event, row = heard(event, position, caused_by=caused_by, event_id=event_id)
        found[event_id] = Known(row, event)
    return found


def cited(text):
    return [{UUID(i) for i in re.findall(r"\[([0-9a-f-]{36})\]", said)} for said in text]


def test_causes_are_what_caused_it_and_the_facts_that_decided_it():
    assert causes(known()[ORDER]) == (JUDGED, RIGHT, LIVES)


def test_causes_come_before_effects_even_where_the_log_has_it_otherwise():
    assert [k.row.event_id for k in in_order(known())] == [LIVES, RIGHT, REPORT, JUDGED, ORDER, ATTEMPT, DONE, OPENED]


def test_a_circle_loses_nothing_and_ends():
    circle = known(
        (ORDER, 1, (DONE,), access.DoorOpened(OPENING, GATE, ANN)),
        (DONE, 2, (ORDER,), access.DoorOpened(OPENING, GATE, ANN)))
    assert [k.row.event_id for k in in_order(circle)] == [ORDER, DONE]
    assert len(explain(ORDER, ORDER, circle, {})["chain"]) == 2


def test_an_order_rests_on_the_judgement_that_the_same_command_gave():
    together = known(
        (REPORT, 1, (), devices.DeviceEnrolled(DEVICE)),
        (JUDGED, 2, (REPORT,), access.CredentialJudged(GATE, "card", True, *RULE, ANN, True)),
        (ORDER, 3, (REPORT,), access.DoorOpeningOrdered(OPENING, GATE, DEVICE, 1, "card", ANN, *RULE)))
    assert links(together)[ORDER] == [JUDGED, REPORT]
    assert explain(JUDGED, JUDGED, together, NAMES)["text"][-1].startswith("Then: Access ordered")


def test_a_lifted_barrier_rests_on_the_judgement_of_its_passage():
    together = known(
        (REPORT, 1, (), devices.DeviceEnrolled(DEVICE)),
        (JUDGED, 2, (REPORT,), parking.PassageJudged(REPORT, GATE, True, *RULE, None, True)),
        (ORDER, 3, (REPORT,), parking.BarrierOrdered(OPENING, GATE, DEVICE, 1, REPORT, *RULE)))
    assert links(together)[ORDER] == [JUDGED, REPORT]


def test_what_followed_is_found_through_others_nearest_first():
    caused_by = [(i, row_causes) for i, _, row_causes, _ in HAPPENED]
    assert following(ORDER, caused_by, 10) == [ATTEMPT, DONE, OPENED]
    assert following(ORDER, caused_by, 2) == [ATTEMPT, DONE]
    assert following(OPENED, caused_by, 10) == []


def test_why_a_door_was_opened():
    found = explain(OPENING, ORDER, known(), NAMES)
    assert found["of"] == OPENING
    assert found["text"][0].startswith(
        "Access ordered door North gate to be opened for person …00000a (a card),"
        " by the rule right in zone: holds a right.")
    assert cited(found["text"])[0] == {ORDER, JUDGED, RIGHT, LIVES}
    assert any("lives in home 1-1-101 as owner since 2024-01-01" in said for said in found["text"])
    assert found["text"][-1].startswith("Then: Door North gate was opened")


def test_every_sentence_cites_events_of_the_chain_and_each_is_cited():
    for asked in known():
        found = explain(asked, asked, known(), NAMES)
        chain = {entry["event_id"] for entry in found["chain"]}
        assert all(ids and ids <= chain for ids in cited(found["text"]))
        assert all(set(entry["because"]) <= chain for entry in found["chain"])
    assert set.union(*cited(explain(ORDER, ORDER, known(), NAMES)["text"])) == set(known())


def test_an_entry_of_the_chain_says_who_said_what_when_and_why():
    entry = explain(OPENED, OPENED, known(), NAMES)["chain"][3]
    assert (entry["event_id"], entry["service"], entry["type"]) == (JUDGED, "access", "access.credential_judged")
    assert entry["because"] == [REPORT, RIGHT, LIVES] and entry["at"] < datetime.now(UTC)


def test_residents_read_nothing_about_others():
    others = known(
        (LIVES, 1, (), access.RightGranted(RIGHT, BEN, "community", "x")),
        (ORDER, 2, (LIVES,), access.DoorOpened(OPENING, GATE, ANN)),
        (REPORT, 3, (), devices.DeviceEnrolled(DEVICE)))
    kept = only_about(Viewer(COMMUNITY, ANN, False), others)
    assert set(kept) == {ORDER, REPORT}
    assert explain(ORDER, ORDER, kept, {})["chain"][0]["because"] == []


def test_a_home_is_not_named_to_whoever_may_not_know_it():
    assert "a home" in sentence(known()[LIVES].event, {})


def test_a_zone_goes_by_its_building():
    granted = access.RightGranted(RIGHT, ANN, f"building:{BUILDING}", "lives_here")
    assert "of the zone Building 1," in sentence(granted, {BUILDING: "Building 1"})
    assert "building:" in sentence(granted, {})
    assert "zone building:x," in sentence(access.RightGranted(RIGHT, ANN, "building:x", "lives_here"), {})


SAMPLES = {
    UUID: COMMUNITY, str: "word", int: 2, bool: True, float: 0.5, date: date(2026, 1, 1), tuple: (), dict: {},
    datetime: datetime(2026, 1, 1, tzinfo=UTC), SealedField: SealedField(ANN, ANN, "name", "secret-box")}


def sample(kind):
    options = typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in SAMPLES:
        return kind(*(sample(field.type) for field in msgspec.structs.fields(kind)))
    if isinstance(kind, types.UnionType):
        return sample(options[0])
    if typing.get_origin(kind) is typing.Literal:
        return options[0]
    return SAMPLES[typing.get_origin(kind) or kind]


@pytest.mark.parametrize("contract", heard_from(*HEARS["gateway"], "gateway"), ids=lambda c: c.__name__)
def test_there_are_words_for_everything_that_is_heard(contract):
    event = contract(*(sample(field.type) for field in msgspec.structs.fields(contract)))
    said = sentence(event, {})
    assert said.endswith(".") and said[0].isupper() and "no words" not in said and "secret-box" not in said
    chinese = sentence(event, {}, "zh")
    assert chinese.endswith("。") and "没有词语" not in chinese and "secret-box" not in chinese
