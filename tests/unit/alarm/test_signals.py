"""What a signal means, and which source says it."""

from uuid import UUID, uuid5

import pytest

from services.alarm.domain.signals import (
    Alarm,
    meaning_of,
    source_of_duress,
    source_of_line,
    source_of_sos,
    source_of_zone,
)

DEVICE, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize("code", ["1110", "6110"])
def test_an_event_and_what_is_still_so_raise(code: str):
    meaning = meaning_of("contact_id", code)
    assert meaning.raises == Alarm("fire", "", "critical", False) and meaning.restores == ()
    assert (meaning.english, meaning.chinese) == ("Fire", "火警")


def test_a_restore_is_of_the_same_kind_and_condition():
    assert meaning_of("contact_id", "3110").restores == (("fire", ""),)
    assert meaning_of("contact_id", "3301").restores == (("trouble", "301"),)
    assert meaning_of("contact_id", "3110").raises is None


@pytest.mark.parametrize("code", ["3400", "1400", "1401", "3401", "6401", "1570", "3570", *(f"1{n}" for n in range(601, 609))])
def test_arming_bypassing_and_testing_raise_and_restore_nothing(code: str):
    meaning = meaning_of("contact_id", code)
    assert (meaning.raises, meaning.restores, meaning.known) == (None, (), True)


@pytest.mark.parametrize(("protocol", "code"), [
    ("contact_id", "1999"), ("contact_id", "6999"), ("contact_id", "2110"), ("contact_id", "110"), ("contact_id", ""),
    ("contact_id", "11B0"), ("contact_id", "1١١٠"), ("contact_id", "11100"), ("sia", "??"), ("sia", "fa"), ("sia", ""), ("other", "x")])
def test_what_nobody_knows_is_never_dropped(protocol, code: str):
    meaning = meaning_of(protocol, code)
    assert meaning.raises is not None and (meaning.raises.kind, meaning.raises.severity) == ("other", "high")
    assert not meaning.known and meaning.restores == ()


def test_two_unknown_codes_are_two_conditions_and_each_is_restored_by_its_own():
    raised = [meaning_of("contact_id", code).raises for code in ("1998", "1999")]
    assert [alarm.condition for alarm in raised if alarm] == ["998", "999"]
    assert meaning_of("contact_id", "3999").restores == (("other", "999"),)
    assert meaning_of("contact_id", "3999").raises is None


@pytest.mark.parametrize("number", ["1B0", "F0A", "ABC", "1a0"])
def test_a_code_of_letters_is_one_condition_that_is_raised_still_so_and_restored(number: str):
    raised = Alarm("other", number, "high", False)
    assert meaning_of("contact_id", f"1{number}").raises == meaning_of("contact_id", f"6{number}").raises == raised
    restored = meaning_of("contact_id", f"3{number}")
    assert (restored.raises, restored.restores, restored.known) == (None, (("other", number),), False)


def test_an_untyped_alarm_says_so():
    assert [bool(a and a.untyped) for a in (
        meaning_of("contact_id", "1140").raises, meaning_of("sia", "UA").raises, meaning_of("sia", "FA").raises)] == [True, True, False]


def test_a_source_is_a_zone_with_what_is_wrong_there():
    assert source_of_zone(DEVICE, 1, 7, False, "fire", "") == uuid5(DEVICE, "1/7/fire")
    found = {
        source_of_zone(device, partition, zone, user, kind, condition)
        for device in (DEVICE, OTHER) for partition in (None, 0, 1) for zone in (None, 0, 7) for user in (False, True)
        for kind, condition in (("fire", ""), ("fire", "near"), ("gas", ""), ("trouble", "301"))}
    assert len(found) == 2 * 3 * 3 * 2 * 4


def test_a_line_a_button_and_a_door_are_sources_of_their_own():
    found = {source(i) for source in (source_of_line, source_of_sos, source_of_duress) for i in (DEVICE, OTHER)}
    assert found == {uuid5(i, name) for i in (DEVICE, OTHER) for name in ("line", "sos", "duress")}
