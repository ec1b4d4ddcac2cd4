"""What screens show of care, what others are told of it, and what is remembered of who lives there."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from libs.contracts import alarm as public
from libs.contracts.identity import ResidenceEnded, ResidenceStarted, ResidentErased
from libs.eventkit.decider import NotYet
from services.alarm.care_book import CareBook
from services.alarm.domain.care_history import (
    AbsenceSet,
    CareEnded,
    CareResumed,
    HelperAnswered,
    NotReached,
    SignsCounted,
)
from services.alarm.domain.rhythm import Absence
from services.alarm.domain.signs import APART, SIGNS, SignOfLife, TakeSign, day_of
from services.alarm.main import SERVICE
from services.alarm.publishing import publish
from services.alarm.views import care
from tests.kit import folded, recorded
from tests.unit.alarm.samples import ANN, BEN, BUILDING, HERE, HOME, NOW, after
from tests.unit.alarm.test_care import AGREED, ARRANGED, ASKED, CHECK, CID, DAN, DUE, GUARD, NEXT, TERMS, UNANSWERED

CATALOGUE = SERVICE.catalogue()


def table(view: Any, *events: Any) -> list[dict[str, Any]]:
    log = [recorded(event, HERE, position=n, stream="care:1", version=n, at=after(n)) for n, event in enumerate(events, 1)]
    found = folded(view, CATALOGUE, log).get(HERE, [])
    assert folded(view, CATALOGUE, log).get(HERE, []) == found
    return found


def test_a_home_is_shown_as_things_stand_there():
    (row,) = table(care.HOMES_VIEW, *AGREED)
    assert (row["state"], row["edition"], row["residents"], row["check_id"]) == ("watched", 1, [str(ANN)], None)
    assert row["terms"] == {"least_hours": 12, "most_hours": 48, "answer_minutes": 30}
    assert row["helpers"] == [{"id": str(BEN), "agreed": True}, {"id": str(CID), "agreed": True}]
    (row,) = table(care.HOMES_VIEW, *AGREED, HelperAnswered(HOME, CID, False), ASKED, NEXT)
    assert (row["state"], row["check_id"], row["helpers"][1]["agreed"]) == ("asked", str(CHECK), False)
    (row,) = table(care.HOMES_VIEW, *AGREED, ASKED, NEXT, UNANSWERED)
    assert (row["state"], row["check_id"]) == ("worried", str(CHECK))
    (row,) = table(care.HOMES_VIEW, *AGREED, ASKED, NEXT, UNANSWERED, CareResumed(HOME, "sign", DUE))
    assert (row["state"], row["check_id"]) == ("watched", None)
    (row,) = table(care.HOMES_VIEW, *AGREED, ASKED, replace(UNANSWERED, how="well"), SignsCounted(HOME, DUE, {}))
    assert (row["state"], row["check_id"]) == ("watched", None)


def test_a_home_is_shown_with_what_was_last_arranged_and_no_more_when_that_has_ended():
    again = replace(ARRANGED, terms=replace(TERMS, most=24, helpers=(CID, DAN)), agreed="self", edition=2)
    away = AbsenceSet(HOME, Absence(NOW, DUE), ANN)
    (row,) = table(care.HOMES_VIEW, *AGREED, away, again)
    assert row["helpers"] == [{"id": str(CID), "agreed": True}, {"id": str(DAN), "agreed": None}]
    assert (row["terms"]["most_hours"], row["agreed"], row["edition"], row["away_until"]) == (24, "self", 2, "2026-03-03T08:00:00Z")
    (row,) = table(care.HOMES_VIEW, *AGREED, away, AbsenceSet(HOME, Absence(DUE, DUE), ANN))
    assert row["away_until"] is None
    assert table(care.HOMES_VIEW, *AGREED, CareEnded(HOME, "staff", GUARD)) == []


def test_a_check_is_shown_with_all_who_were_asked_and_how_it_ended():
    (row,) = table(care.CHECKS_VIEW, ARRANGED, ASKED, NEXT, NotReached(HOME, CHECK, BEN))
    assert (row["state"], row["of"], row["asked"], row["tried"]) == ("under_way", "neighbours", [str(ANN), str(BEN), str(CID)], [str(BEN)])
    assert (row["silent_since"], row["answer_by"], row["how"], row["position"]) == ("2026-03-01T08:00:00Z", "2026-03-03T09:00:00Z", None, 2)
    (row,) = table(care.CHECKS_VIEW, ARRANGED, ASKED, NEXT, UNANSWERED)
    assert (row["state"], row["how"], row["by"], row["ended_at"]) == ("over", "unanswered", None, "2026-03-03T09:00:00Z")
    assert table(care.CHECKS_VIEW, UNANSWERED, NotReached(HOME, CHECK, BEN)) == []


def test_others_hear_who_is_asked_and_how_it_ended_and_nothing_else_of_care():
    row = recorded(ASKED, HERE)
    (told,) = publish(ASKED, row)
    assert told.body == public.WellnessCheck(CHECK, HOME, "home", (ANN,), NOW, ASKED.answer_by, None)
    assert told.subject == f"wellness-check:{CHECK}"
    (told,) = publish(replace(UNANSWERED, how="well", by=BEN), row)
    assert told.body == public.WellnessCheck(CHECK, HOME, "well", (ANN, BEN, CID), NOW, None, BEN)
    for event in (ARRANGED, AGREED[1], SignsCounted(HOME, NOW, {}), SignOfLife(HOME, NOW), AbsenceSet(HOME, Absence(NOW, DUE), ANN),
                  CareEnded(HOME, "staff", GUARD), CareResumed(HOME, "sign", NOW), NotReached(HOME, CHECK, BEN)):
        assert publish(event, recorded(event, HERE)) == ()


def test_a_sign_near_another_says_nothing_new():
    take = SIGNS.decide[TakeSign]
    first = SignOfLife(HOME, NOW)
    assert take(TakeSign(HOME, NOW), SIGNS.initial) == [first]
    day = SIGNS.fold([first, SignOfLife(HOME, NOW - timedelta(hours=1))])
    assert day.signs == (NOW - timedelta(hours=1), NOW)
    for off in (timedelta(), APART - timedelta(seconds=1), timedelta(seconds=1) - APART):
        assert take(TakeSign(HOME, NOW + off), day) == []
    assert take(TakeSign(HOME, NOW + APART), day) == [SignOfLife(HOME, NOW + APART)]
    assert day_of(HOME, NOW.date()) != day_of(HOME, DUE.date()) != day_of(BEN, DUE.date())


# the book

R1, R2, R3 = uuid4(), uuid4(), uuid4()


def lives(residence: UUID, person: UUID, home: UUID = HOME) -> ResidenceStarted:
    return ResidenceStarted(residence, person, home, BUILDING, 1, "owner", NOW.date())


def left(residence: UUID, person: UUID, home: UUID = HOME) -> ResidenceEnded:
    return ResidenceEnded(residence, person, home, BUILDING, NOW.date())


def book(*events: Any) -> CareBook:
    found = CareBook()
    for event in events:
        found.memory.apply(event, recorded(event, HERE))
    return found


def test_care_is_for_those_for_whom_it_was_arranged_while_they_live_there():
    known = book(lives(R1, ANN), lives(R2, DAN), ARRANGED)
    assert set(known.living(HERE, HOME)) == {ANN, DAN} and known.at_home(HERE, HOME) == (ANN,)
    assert known.homes_of(HERE, ANN) == [HOME] == known.arranged_for(HERE, ANN) and known.homes_of(HERE, DAN) == []
    gone = book(lives(R1, ANN), lives(R2, DAN), ARRANGED, left(R1, ANN))
    assert gone.at_home(HERE, HOME) == () and gone.homes_of(HERE, ANN) == [] and gone.arranged_for(HERE, ANN) == [HOME]
    erased = book(lives(R1, ANN), ARRANGED, ResidentErased(ANN, ANN, "own_wish"))
    assert erased.living(HERE, HOME) == () == erased.at_home(HERE, HOME)
    twice = book(lives(R1, ANN), lives(R3, ANN), ARRANGED, left(R1, ANN))
    assert twice.living(HERE, HOME) == (ANN,), "as tenant, then as owner"


def test_who_helps_where_is_as_it_was_last_arranged():
    without = replace(ARRANGED, terms=replace(TERMS, helpers=(CID,)))
    known = book(ARRANGED)
    assert known.helped_by(HERE, BEN) == [HOME] and known.helped_by(HERE, ANN) == [] == known.arranged_for(HERE, BEN)
    assert known.helped_by(uuid4(), BEN) == []
    assert book(ARRANGED, without).helped_by(HERE, BEN) == []
    assert book(ARRANGED, without, CareEnded(HOME, "staff", GUARD)).helped_by(HERE, BEN) == []
    ended = book(ARRANGED, lives(R1, ANN), CareEnded(HOME, "staff", GUARD))
    assert ended.helped_by(HERE, BEN) == ended.homes_of(HERE, ANN) == [] and ended.at_home(HERE, HOME) == ()


def test_nothing_is_said_of_a_community_of_which_not_everything_is_understood():
    known = book(ARRANGED)
    known.understood(HERE)
    known.memory.unreadable.add(HERE)
    with pytest.raises(NotYet):
        known.understood(HERE)
