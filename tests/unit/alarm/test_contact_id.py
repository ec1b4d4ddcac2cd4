"""The table of Contact ID: whole, in two languages, and consistent in itself."""

from collections import defaultdict
from typing import get_args

import pytest

from services.alarm.domain.contact_id import ALARMS, BYPASSES, CODES, OPEN_CLOSE, SUPERVISORY, TESTS, TROUBLES
from services.alarm.domain.kinds import SEVERITY, IncidentKind, Severity
from services.alarm.domain.signals import meaning_of

PUBLISHED = """
100-102 110-118 120-125 130-147 150-159 161-163 200-206 300-313 320-327 330-339 341-344 350-357 370-378 380-389 391-393 400-409
411-416 421-434 441-442 450-459 461-466 501 520-527 531-532 551-553 570-577 601-609 611-616 621-632 641-642 651-654
"""
"""The codes of SIA DC-05-1999.09."""
LATER = {126, 394, 709}


def codes(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split():
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def test_every_published_code_is_there_and_nothing_that_nobody_published():
    assert set(CODES) == codes(PUBLISHED) | LATER
    assert len(CODES) == sum(map(len, (ALARMS, SUPERVISORY, TROUBLES, OPEN_CLOSE, BYPASSES, TESTS))), "no code stands in two groups"


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_code_has_names_in_both_languages_and_a_kind_that_exists(code: int):
    known = CODES[code]
    assert known.english.isascii() and known.english.strip() == known.english != ""
    assert any("\u4e00" <= letter <= "\u9fff" for letter in known.chinese)
    assert known.kind is None or known.kind in get_args(IncidentKind)
    assert known.severity in get_args(Severity)
    assert known.kind is not None or (known.severity, known.condition, known.silent) == ("low", "", False)


def test_a_group_lies_within_its_hundred():
    for group, hundreds in ((ALARMS, 1), (SUPERVISORY, 2), (TROUBLES, 3), (OPEN_CLOSE, 4), (BYPASSES, 5)):
        assert {code // 100 for code in group} == {hundreds}
    assert {code // 100 for code in TESTS} == {6, 7}


def test_what_folds_together_is_equally_bad_and_equally_silent():
    same = defaultdict(set)
    for known in CODES.values():
        if known.kind is not None:
            same[known.kind, known.condition].add((known.severity, known.silent))
    assert {key: found for key, found in same.items() if len(found) > 1} == {}


def test_every_alarm_and_trouble_raises_and_no_test_no_bypass_no_arming_does():
    assert all(known.kind is not None for known in (*ALARMS.values(), *SUPERVISORY.values()))
    assert [code for code, known in TROUBLES.items() if known.kind is None] == [305, 306, 313, 339]
    assert {code for code, known in OPEN_CLOSE.items() if known.kind is not None} == {423, 427, 428, 432}
    assert all(known.kind is None for known in BYPASSES.values())
    assert {code for code, known in TESTS.items() if known.kind is not None} == {641, 642, 654, 709}


@pytest.mark.parametrize(("code", "kind", "severity", "silent"), [
    ("1100", "medical", "critical", False), ("1110", "fire", "critical", False), ("1113", "water", "critical", False),
    ("1120", "panic", "critical", False), ("1121", "duress", "critical", True), ("1122", "panic", "critical", True),
    ("1130", "burglary", "high", False), ("1137", "tamper", "high", False), ("1146", "burglary", "high", True),
    ("1151", "gas", "critical", False), ("1154", "water", "high", False), ("1162", "gas", "critical", False),
    ("1301", "trouble", "low", False), ("1393", "trouble", "high", False), ("1383", "tamper", "high", False),
    ("1423", "burglary", "high", False), ("1641", "medical", "high", False), ("1709", "sos", "critical", False)])
def test_the_codes_that_matter_most(code: str, kind: str, severity: str, silent: bool):
    alarm = meaning_of("contact_id", code).raises
    assert alarm is not None and (alarm.kind, alarm.severity, alarm.silent) == (kind, severity, silent)


def test_what_nothing_more_is_known_of_has_a_severity():
    assert set(SEVERITY) == set(get_args(IncidentKind))
    assert {kind for kind, severity in SEVERITY.items() if severity == "critical"} == {
        "fire", "gas", "medical", "panic", "sos", "duress"}
