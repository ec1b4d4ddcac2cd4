"""The table of SIA DC-03: whole, in two languages, and every restore belongs to something that can be raised."""

from collections import defaultdict
from typing import get_args

import pytest

from services.alarm.domain.kinds import IncidentKind, Severity
from services.alarm.domain.sia_codes import CODES, FAMILIES, HISTORY, RAISED, RESTORED
from services.alarm.domain.signals import meaning_of

PUBLISHED = """
AA AB AN AR AS AT BA BB BC BD BE BG BH BJ BM BR BS BT BU BV BX BZ CA CD CE CF CG CI CJ CK CL CM CO CP CQ CR CS CT CW CX CZ DA DB DC DD DE
DF DG DH DI DJ DK DL DM DN DO DP DQ DR DS DT DU DV DW DX DY DZ EA EE EJ EM EN ER ES ET EX EZ FA FB FC FG FH FI FJ FK FL FM FQ FR FS FT FU
FV FW FX FY FZ GA GB GH GJ GR GS GT GU GX HA HB HH HJ HR HS HT HU IA IR JA JC JD JH JK JL JO JP JR JS JT JV JX JY JZ KA KB KH KJ KR KS KT
KU LB LD LE LF LR LS LT LU LX MA MB MH MI MJ MR MS MT MU NA NC NF NL NM NR NS NT OA OC OG OH OI OJ OK OL OP OQ OR OS OT OU OV OZ PA PB PH
PJ PR PS PT PU QA QB QH QJ QR QS QT QU RA RB RC RD RN RO RP RR RS RT RU RX RY SA SB SC SH SJ SR SS ST SU TA TB TC TE TH TJ TP TR TS TT TU
TW TX TZ UA UB UG UH UJ UR US UT UU UX UY UZ VI VO VR VT VX VY VZ WA WB WH WJ WR WS WT WU XA XE XF XH XI XJ XL XM XQ XR XS XT XW XX YA YB
YC YD YE YF YG YH YI YJ YK YM YN YO YP YQ YR YS YT YU YW YX YY YZ ZA ZB ZH ZJ ZR ZS ZT ZU
"""


def test_every_published_code_is_there_once():
    assert sorted(CODES) == sorted(PUBLISHED.split())
    assert len(CODES) == 8 * len(FAMILIES) + len(RAISED) + len(RESTORED) + len(HISTORY)


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_code_has_names_in_both_languages_and_kinds_that_exist(code: str):
    known = CODES[code]
    assert known.english.isascii() and known.english.strip() == known.english != ""
    assert any("\u4e00" <= letter <= "\u9fff" for letter in known.chinese)
    pairs = [*known.restores, *([known.raises] if known.raises else [])]
    assert all(kind in get_args(IncidentKind) for kind, _ in pairs) and known.severity in get_args(Severity)
    assert not (known.raises and known.restores)


def test_whatever_is_restored_can_be_raised():
    raised = {known.raises for known in CODES.values()}
    assert {pair for known in CODES.values() for pair in known.restores} <= raised


def test_what_folds_together_is_equally_bad_and_equally_silent():
    same = defaultdict(set)
    for known in CODES.values():
        if known.raises is not None:
            same[known.raises].add((known.severity, known.silent))
    assert {key: found for key, found in same.items() if len(found) > 1} == {}


@pytest.mark.parametrize(("code", "kind", "severity"), [
    ("FA", "fire", "critical"), ("BA", "burglary", "high"), ("PA", "panic", "critical"), ("MA", "medical", "critical"),
    ("HA", "duress", "critical"), ("GA", "gas", "critical"), ("WA", "water", "high"), ("TA", "tamper", "high"), ("AT", "trouble", "low"),
    ("YT", "trouble", "low"), ("QA", "sos", "critical"), ("UA", "other", "high"), ("FT", "trouble", "high"), ("KA", "fire", "critical"),
    ("FW", "trouble", "high"), ("FY", "trouble", "high"), ("KT", "trouble", "high"), ("PT", "trouble", "high"), ("HT", "trouble", "high"),
    ("BT", "trouble", "low")])
def test_the_codes_that_matter_most(code: str, kind: str, severity: str):
    alarm = meaning_of("sia", code).raises
    assert alarm is not None and (alarm.kind, alarm.severity, alarm.silent) == (kind, severity, code == "HA")


@pytest.mark.parametrize(("raised", "restored"), [
    ("FA", "FH"), ("FA", "FR"), ("FT", "FJ"), ("FT", "FR"), ("FS", "FR"), ("FS", "FV"), ("BA", "BR"), ("GA", "GR"), ("WA", "WR"),
    ("TA", "TR"), ("AT", "AR"),
    ("YT", "YR"), ("YM", "YR"), ("YC", "YK"), ("LT", "LR"), ("XT", "XR"), ("HA", "HR"), ("UA", "UR"), ("ZA", "ZR")])
def test_a_restore_pairs_with_its_raise(raised: str, restored: str):
    alarm = meaning_of("sia", raised).raises
    assert alarm is not None and (alarm.kind, alarm.condition) in meaning_of("sia", restored).restores


@pytest.mark.parametrize(("sia", "contact_id"), [("FT", "1373"), ("PT", "1375"), ("HT", "1376"), ("AT", "1301"), ("LT", "1351")])
def test_a_trouble_is_as_bad_by_either_protocol(sia: str, contact_id: str):
    here, there = meaning_of("sia", sia).raises, meaning_of("contact_id", contact_id).raises
    assert here is not None and there is not None and (here.kind, here.severity) == (there.kind, there.severity)


def test_mains_and_battery_are_two_things():
    pairs = {CODES[code].raises for code in ("AT", "YT", "YP", "LT")}
    assert len(pairs) == 4 and not set(CODES["AR"].restores) & set(CODES["YR"].restores)
