from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.access.domain.admission import EVERYWHERE, Fact, KnownCredential, KnownRight, Question, judge

ANN, DOOR, CARD, RIGHT, BEN, GONE = (UUID(int=n) for n in range(1, 7))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
HELD = KnownCredential(person_id=ANN, kind="card", valid_until=None, because=CARD)
HERE = KnownRight(zone="building:a", rule="residence", because=RIGHT)
AT_DOOR = Question(zone="building:a", door_because=DOOR, means="card", now=NOW, credential=HELD, rights=(HERE,))


def test_a_resident_opens_the_doors_of_their_building_and_the_facts_are_named():
    judgement = judge(AT_DOOR)
    assert (judgement.allowed, judgement.rule, judgement.person_id) == (True, "residence", ANN)
    assert judgement.facts == (Fact(DOOR, "door"), Fact(CARD, "credential"), Fact(RIGHT, "right"))


def test_a_card_that_nobody_holds_opens_nothing():
    judgement = judge(replace(AT_DOOR, credential=None))
    assert (judgement.allowed, judgement.reason, judgement.person_id) == (False, "credential_unknown", None)


@pytest.mark.parametrize("means", ["card", "pin", "face", "fingerprint", "qr", "unknown"])
def test_at_a_door_a_credential_says_who_it_is_and_nothing_else(means):
    judgement = judge(replace(AT_DOOR, means=means, credential=None, person_id=ANN))
    assert (judgement.allowed, judgement.reason, judgement.person_id) == (False, "credential_unknown", None)
    assert judge(replace(AT_DOOR, means=means, person_id=BEN)).person_id == ANN


def test_a_card_ends_at_its_moment_and_not_before():
    ending = replace(HELD, valid_until=NOW)
    assert judge(replace(AT_DOOR, credential=ending)).reason == "credential_expired"
    assert judge(replace(AT_DOOR, credential=ending, now=NOW - timedelta(microseconds=1))).allowed


def test_a_neighbouring_building_stays_shut():
    judgement = judge(replace(AT_DOOR, zone="building:b"))
    assert (judgement.allowed, judgement.rule, judgement.reason) == (False, "default", "no_right_for_this_door")


def test_whoever_is_on_duty_opens_every_door():
    duty = KnownRight(zone=EVERYWHERE, rule="duty", because=RIGHT)
    judgement = judge(replace(AT_DOOR, means="remote", person_id=ANN, credential=None, rights=(duty,)))
    assert (judgement.allowed, judgement.rule) == (True, "duty")


def test_a_door_whose_device_was_retired_is_not_opened_from_afar_and_the_fact_is_named():
    afar = replace(AT_DOOR, means="remote", person_id=ANN, credential=None, retired=GONE)
    judgement = judge(afar)
    assert (judgement.allowed, judgement.rule, judgement.reason) == (False, "device", "device_retired")
    assert judgement.facts == (Fact(DOOR, "door"), Fact(RIGHT, "right"), Fact(GONE, "device_retired"))
    assert judge(replace(afar, rights=())).reason == "no_right_for_this_door", "who has no right hears nothing of the device"
    assert judge(replace(AT_DOOR, retired=GONE)).allowed, "what a reader had said before it was retired is judged as ever"


def test_whom_a_reader_let_in_by_itself_is_judged_by_what_counted_then_and_what_waits_for_us_is_not():
    later = NOW + timedelta(seconds=1)
    for ended in ({"credential": replace(HELD, until=later)}, {"rights": (replace(HERE, until=later),)}):
        let_in = replace(AT_DOOR, let_in=True, **ended)
        assert judge(let_in).allowed and not judge(replace(let_in, now=later)).allowed
        assert not judge(replace(let_in, let_in=False)).allowed, "once it has ended nothing opens"
    gone = judge(replace(AT_DOOR, credential=replace(HELD, until=later, duress=True)))
    assert (gone.reason, gone.person_id, gone.holder) == ("credential_unknown", None, None)


@given(st.sampled_from(["card", "pin", "remote", "face", "fingerprint", "unknown"]), st.booleans())
def test_without_a_right_nothing_opens(means, held):
    question = replace(AT_DOOR, means=means, person_id=ANN if means == "remote" else None, credential=HELD if held else None, rights=())
    assert not judge(question).allowed
