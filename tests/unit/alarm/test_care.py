"""Care for who lives alone: who is asked when, and how a check ends."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from libs.eventkit.decider import NotFound, Refused, VersionMismatch
from services.alarm.domain.care import (
    CARE,
    LONGEST_AWAY,
    AnswerAsHelper,
    AnswerCheck,
    ArrangeCare,
    BeginCheck,
    EndCare,
    HelperLeft,
    LookAfter,
    NoticeSign,
    ResumeCare,
    SetAbsence,
)
from services.alarm.domain.care_history import (
    AbsenceSet,
    CareArranged,
    Cared,
    CareEnded,
    CareResumed,
    CheckAsked,
    CheckEnded,
    HelperAnswered,
    NoCare,
    NotReached,
    SignsCounted,
    Terms,
    due,
)
from services.alarm.domain.rhythm import Absence
from tests.unit.alarm.samples import ANN, BEN, HOME, NOW, after

CID, DAN, GUARD = (UUID(int=0x500 + n) for n in range(3))
TERMS = Terms(12, 48, 30, (BEN, CID))
ARRANGED = CareArranged(HOME, (ANN,), TERMS, "UTC", "in_writing", GUARD, NOW)
AGREED = (ARRANGED, HelperAnswered(HOME, BEN, True), HelperAnswered(HOME, CID, True))
DUE = NOW + timedelta(hours=48)
CHECK = uuid5(HOME, f"check of {DUE.isoformat()}")
ASKED = CheckAsked(HOME, CHECK, "home", (ANN,), NOW, DUE + timedelta(minutes=30))
NEXT = replace(ASKED, of="neighbours", asked=(BEN, CID), answer_by=DUE + timedelta(minutes=60))
UNANSWERED = CheckEnded(HOME, CHECK, "unanswered", None, (ANN, BEN, CID), NOW, DUE + timedelta(minutes=60))


def when(command: Any, *events: Any) -> list[Any]:
    return CARE.decide[type(command)](command, CARE.fold(events))


def state(*events: Any) -> Cared:
    found = CARE.fold(events)
    assert isinstance(found, Cared)
    return found


def look(now: datetime, *signs: datetime, at_home: tuple[UUID, ...] = (ANN,)) -> LookAfter:
    return LookAfter(signs, at_home, now)


def answer(said: Any, by: UUID = BEN, check_id: UUID = CHECK, on_duty: bool = False, lives_there: bool = False) -> AnswerCheck:
    return AnswerCheck(check_id, said, by, on_duty, lives_there, DUE + timedelta(minutes=7))


# arranging


def arrange(**more: Any) -> ArrangeCare:
    said: dict[str, Any] = {
        "home_id": HOME, "residents": (ANN,), "terms": TERMS, "zone": "UTC", "agreed": "in_writing", "by": GUARD, "now": NOW}
    return ArrangeCare(**said | more)


def test_care_is_arranged_once_and_changed_by_who_has_seen_how_it_is():
    assert when(arrange()) == [ARRANGED] and when(arrange(), ARRANGED) == []
    changed = replace(TERMS, most=24)
    assert when(arrange(terms=changed, seen=1), ARRANGED) == [replace(ARRANGED, terms=changed, edition=2)]
    for seen, events in ((0, [ARRANGED]), (2, [ARRANGED]), (1, [])):
        with pytest.raises(VersionMismatch):
            when(arrange(terms=changed, seen=seen), *events)
    assert when(arrange(agreed="self"), ARRANGED) == [replace(ARRANGED, agreed="self", edition=2)]
    assert when(arrange(), ARRANGED, CareEnded(HOME, "staff", GUARD)) == [ARRANGED], "it begins anew"


@pytest.mark.parametrize(("more", "code"), [
    ({"terms": replace(TERMS, least=49)}, "hours_out_of_order"), ({"terms": replace(TERMS, least=5)}, "hours_out_of_order"),
    ({"terms": replace(TERMS, most=169)}, "hours_out_of_order"), ({"terms": replace(TERMS, helpers=(ANN,))}, "helper_lives_there"),
    ({"residents": ()}, "nobody_lives_there")])
def test_what_cannot_be_arranged(more: dict[str, Any], code: str):
    with pytest.raises(Refused, match=code):
        when(arrange(**more))


def test_a_neighbour_is_asked_only_once_they_have_agreed_and_declines_at_any_time():
    assert state(ARRANGED).helpers == () and state(*AGREED).helpers == (BEN, CID)
    assert when(AnswerAsHelper(BEN, True), ARRANGED) == [HelperAnswered(HOME, BEN, True)]
    assert when(AnswerAsHelper(BEN, True), *AGREED) == []
    assert when(AnswerAsHelper(BEN, False), *AGREED) == [HelperAnswered(HOME, BEN, False)]
    for events in ((), (ARRANGED,)):
        with pytest.raises(NotFound):
            when(AnswerAsHelper(DAN, True), *events)
    again = state(*AGREED, replace(ARRANGED, terms=replace(TERMS, helpers=(CID, DAN)), edition=2))
    assert again.helpers == (CID,), "who is no longer named, and who is named anew, have not agreed"
    editions = [replace(ARRANGED, terms=replace(TERMS, helpers=helpers)) for helpers in ((CID,), (BEN, CID))]
    assert state(*AGREED, *editions).helpers == (CID,), "not for what they are named for later"
    assert when(HelperLeft(BEN), *AGREED) == [HelperAnswered(HOME, BEN, False)]
    assert when(HelperLeft(BEN), ARRANGED) == when(HelperLeft(DAN), *AGREED) == when(HelperLeft(BEN)) == []


def test_care_ends_at_once_with_what_is_under_way():
    now = DUE + timedelta(minutes=1)
    ended = CareEnded(HOME, "resident", ANN)
    assert when(EndCare("resident", now, ANN), ARRANGED) == [ended] and when(EndCare("resident", now, ANN)) == []
    off = CheckEnded(HOME, CHECK, "called_off", ANN, (ANN,), NOW, now)
    assert when(EndCare("resident", now, ANN), ARRANGED, ASKED) == [off, ended]
    assert CARE.fold([ARRANGED, ASKED, off, ended]) == NoCare() and due(CARE.fold([ARRANGED, ended])) is None


# when


def test_a_home_without_a_sign_is_due_after_the_longest_silence_that_was_arranged():
    assert due(state(ARRANGED)) == DUE
    assert when(look(DUE - timedelta(seconds=1)), ARRANGED) == []
    assert when(look(DUE), ARRANGED) == [ASKED]


def test_a_sign_of_life_moves_on_when_somebody_is_asked_and_counts_for_the_rhythm():
    seen = NOW + timedelta(hours=26)
    counted = SignsCounted(HOME, seen, {})
    assert when(look(DUE, seen), ARRANGED) == [counted]
    assert due(state(ARRANGED, counted)) == seen + timedelta(hours=48)
    more = SignsCounted(HOME, seen + timedelta(hours=30), {date(2026, 3, 3): 1800})
    assert when(look(seen + timedelta(hours=48), more.last), ARRANGED, counted) == [more]
    assert when(look(seen + timedelta(hours=48), seen, NOW), ARRANGED, counted)[0].silent_since == seen, "what was counted is not new"


def test_a_sign_that_is_too_long_ago_is_counted_and_somebody_is_asked():
    seen = NOW + timedelta(hours=1)
    late = seen + timedelta(hours=49)
    told = when(look(late, seen), ARRANGED)
    assert told == [SignsCounted(HOME, seen, {}), replace(
        ASKED, check_id=uuid5(HOME, f"check of {late.isoformat()}"), silent_since=seen, answer_by=late + timedelta(minutes=30))]


def test_a_home_is_asked_by_its_own_rhythm():
    days = {date(2026, 3, n): 60 * 12 for n in range(1, 9)}
    known = SignsCounted(HOME, NOW, days)
    assert due(state(ARRANGED, known)) == NOW + timedelta(hours=23), "15 hours later it is 23:00, so the next morning"
    assert state(ARRANGED, known).usual == timedelta(hours=15)


def test_while_they_are_away_silence_says_nothing():
    until = NOW + timedelta(days=10)
    (away,) = when(SetAbsence(until, ANN, NOW), ARRANGED)
    assert away == AbsenceSet(HOME, Absence(NOW, until), ANN) and due(state(ARRANGED, away)) == until + timedelta(hours=48)
    assert when(SetAbsence(until, ANN, after(60)), ARRANGED, away) == []
    longer = AbsenceSet(HOME, Absence(NOW, until + timedelta(days=1)), ANN)
    assert when(SetAbsence(longer.absence.until, ANN, after(60)), ARRANGED, away) == [longer]
    assert state(ARRANGED, away, longer).absences == (longer.absence,)
    back = NOW + timedelta(days=2)
    (said,) = when(SetAbsence(None, ANN, back), ARRANGED, away)
    assert state(ARRANGED, away, said).absences == (Absence(NOW, back),) and due(state(ARRANGED, away, said)) == back + timedelta(hours=48)
    assert when(SetAbsence(None, ANN, back), ARRANGED) == []
    assert state(ARRANGED, away, said, SignsCounted(HOME, back + timedelta(hours=1), {})).absences == (), "what is over is forgotten"


@pytest.mark.parametrize(("until", "code"), [(NOW, "absence_is_over"), (NOW + LONGEST_AWAY + timedelta(1), "absence_too_long")])
def test_an_absence_has_bounds(until: datetime, code: str):
    with pytest.raises(Refused, match=code):
        when(SetAbsence(until, ANN, NOW), ARRANGED)


def test_who_says_that_they_are_away_has_answered():
    now, until = DUE + timedelta(minutes=5), DUE + timedelta(days=3)
    told = when(SetAbsence(until, ANN, now), ARRANGED, ASKED)
    assert told == [AbsenceSet(HOME, Absence(now, until), ANN), CheckEnded(HOME, CHECK, "well", ANN, (ANN,), NOW, now)]


# who is asked


def test_neighbours_are_asked_after_those_who_live_there_and_then_it_is_unanswered():
    assert when(look(ASKED.answer_by - timedelta(seconds=1)), *AGREED, ASKED) == []
    assert when(look(ASKED.answer_by), *AGREED, ASKED) == [NEXT]
    assert when(look(NEXT.answer_by), *AGREED, ASKED, NEXT) == [UNANSWERED]
    worried = state(*AGREED, ASKED, NEXT, UNANSWERED)
    assert due(worried) is None and worried.check is None, "nobody is asked again while the incident is open"
    assert when(look(NEXT.answer_by + timedelta(days=9)), *AGREED, ASKED, NEXT, UNANSWERED) == []


def test_without_neighbours_or_anybody_at_home_it_goes_on():
    (over,) = when(look(ASKED.answer_by), ARRANGED, ASKED)
    assert (over.how, over.asked) == ("unanswered", (ANN,))
    (first,) = when(look(DUE, at_home=()), *AGREED)
    assert (first.of, first.asked) == ("neighbours", (BEN, CID))
    asked, ended = when(look(DUE, at_home=()), ARRANGED)
    assert (asked.asked, ended.how, ended.asked, ended.check_id) == ((), "unanswered", (), asked.check_id)


def test_somebody_on_duty_may_ask_at_once():
    now = after(60)
    (asked,) = when(BeginCheck("home", (ANN,), GUARD, now), *AGREED)
    assert (asked.of, asked.asked, asked.began_by, asked.silent_since) == ("home", (ANN,), GUARD, NOW)
    (neighbours,) = when(BeginCheck("neighbours", (ANN,), GUARD, now), *AGREED)
    assert (neighbours.of, neighbours.asked) == ("neighbours", (BEN, CID))
    away = AbsenceSet(HOME, Absence(NOW, DUE), ANN)
    assert when(BeginCheck("home", (ANN,), GUARD, now), ARRANGED, away)[0].silent_since == now, "else no sign of life would end it"
    for begin in (BeginCheck("neighbours", (ANN,), GUARD, now), BeginCheck("home", (), GUARD, now)):
        with pytest.raises(Refused, match="nobody_to_ask"):
            when(begin, ARRANGED)
    for events in ((ARRANGED, ASKED), (*AGREED, ASKED, NEXT, UNANSWERED)):
        with pytest.raises(Refused, match="check_under_way"):
            when(BeginCheck("home", (ANN,), GUARD, now), *events)
    with pytest.raises(NotFound):
        when(BeginCheck("home", (ANN,), GUARD, now))


# how it ends


def test_whoever_says_that_all_is_well_ends_it_and_silence_counts_from_then():
    for by, right in ((ANN, {"lives_there": True}), (GUARD, {"on_duty": True}), (BEN, {})):
        (over,) = when(answer("well", by, **right), *AGREED, ASKED, NEXT)
        assert (over.how, over.by, over.asked) == ("well", by, (ANN, BEN, CID))
    known = state(*AGREED, ASKED, NEXT, over)
    assert known.check is None and known.worried is None and due(known) == over.at + timedelta(hours=48) and known.last is None


def test_all_is_not_well_ends_it_too_and_nobody_is_asked_while_somebody_worries():
    (over,) = when(answer("not_well"), *AGREED, ASKED, NEXT)
    assert over.how == "not_well" and due(state(*AGREED, ASKED, NEXT, over)) is None


def test_neighbours_who_reached_nobody_have_tried_and_after_the_last_of_them_it_is_unanswered():
    (tried,) = when(answer("not_reached", BEN), *AGREED, ASKED, NEXT)
    assert tried == NotReached(HOME, CHECK, BEN) and when(answer("not_reached", BEN), *AGREED, ASKED, NEXT, tried) == []
    told = when(answer("not_reached", CID), *AGREED, ASKED, NEXT, tried)
    assert told == [NotReached(HOME, CHECK, CID), replace(UNANSWERED, at=DUE + timedelta(minutes=7))]


@pytest.mark.parametrize(("said", "error"), [
    (answer("not_reached", ANN, lives_there=True), "not_yours_to_say"), (answer("not_reached", GUARD, on_duty=True), "not_yours_to_say"),
    (answer("well", DAN), "care"), (answer("well", DAN, check_id=HOME), "care"), (answer("well", check_id=HOME), "check_over")])
def test_who_may_not_say_so(said: AnswerCheck, error: str):
    with pytest.raises((Refused, NotFound), match=error):
        when(said, *AGREED, ASKED, NEXT)


def test_neighbours_say_nothing_before_they_are_asked_and_nothing_after_it_is_over():
    with pytest.raises(Refused, match="not_yours_to_say"):
        when(answer("well", BEN), *AGREED, ASKED)
    with pytest.raises(Refused, match="check_over"):
        when(answer("well", BEN), *AGREED, ASKED, NEXT, UNANSWERED)
    with pytest.raises(NotFound):
        when(answer("well", BEN))


def test_a_sign_of_life_ends_it_wherever_it_stands():
    at = DUE + timedelta(minutes=1)
    (over,) = when(NoticeSign(at), ARRANGED, ASKED)
    assert over == CheckEnded(HOME, CHECK, "sign", None, (ANN,), NOW, at)
    assert due(state(ARRANGED, ASKED, over)) == DUE, "looked after at once: it may have been long ago"
    assert when(NoticeSign(NOW), ARRANGED, ASKED) == [], "that is how long it has been silent"
    assert when(NoticeSign(at), *AGREED, ASKED, NEXT, UNANSWERED) == [CareResumed(HOME, "sign", at)]
    assert when(NoticeSign(NOW), *AGREED, ASKED, NEXT, UNANSWERED) == []
    not_well = replace(UNANSWERED, how="not_well", by=BEN)
    assert when(NoticeSign(at + timedelta(days=1)), *AGREED, ASKED, NEXT, not_well) == [], "somebody else may open the door"
    assert when(NoticeSign(at), ARRANGED) == when(NoticeSign(at)) == []


def test_care_goes_on_when_the_incident_is_over():
    over = UNANSWERED.at + timedelta(hours=1)
    worried = (*AGREED, ASKED, NEXT, UNANSWERED)
    (resumed,) = when(ResumeCare(over), *worried)
    assert resumed == CareResumed(HOME, "incident_over", over) and due(state(*worried, resumed)) == over + timedelta(hours=48)
    assert when(ResumeCare(UNANSWERED.at - timedelta(seconds=1)), *worried) == [], "that was an incident of before"
    assert when(ResumeCare(over), ARRANGED) == when(ResumeCare(over)) == []


HAPPENS = st.sampled_from([*AGREED, ASKED, NEXT, UNANSWERED, NotReached(HOME, CHECK, BEN), AbsenceSet(HOME, Absence(NOW, DUE), ANN),
                           SignsCounted(HOME, DUE, {date(2026, 3, 3): 9}), CareResumed(HOME, "sign", DUE), CareEnded(HOME, "staff", GUARD)])


@given(st.lists(HAPPENS, max_size=12), st.integers(0, 400))
def test_whatever_has_happened_a_look_moves_on_what_is_due(events: list[Any], hours: int):
    """Else its timer would try it for ever."""
    before = CARE.fold(events)
    at, now = due(before), NOW + timedelta(hours=hours)
    told = CARE.decide[LookAfter](look(now), before)
    assert bool(told) == (at is not None and at <= now)
    then = due(CARE.fold([*events, *told]))
    assert then is None or then > now or not told


def test_every_event_is_stored_and_read_as_it_was():
    for event in (*AGREED, ASKED, UNANSWERED, SignsCounted(HOME, NOW, {date(2026, 3, 3): 9}), AbsenceSet(HOME, Absence(NOW, DUE), ANN)):
        assert json.decode(json.encode(event), type=type(event)) == event
