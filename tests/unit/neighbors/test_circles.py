"""Membership follows residence: whatever is heard again or the wrong way round, whoever has a residence that has not ended belongs."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from services.neighbors.domain.circles import (
    MEMBERS,
    AddResidence,
    Member,
    MemberJoined,
    MemberLeft,
    RemoveResidence,
    ResidenceAdded,
    ResidenceRemoved,
    member_id_of,
)
from services.neighbors.main import SERVICE
from services.neighbors.views.members import VIEW
from tests.kit import folded, recorded

HOUSE, ANN, FIRST, SECOND, HERE = (UUID(int=n) for n in range(1, 6))


def said(kind, residence):
    return kind(HOUSE, HOUSE, ANN, residence)


def when(command, *events):
    return MEMBERS.decide[type(command)](command, MEMBERS.fold(events))


JOINED, LEFT = said(MemberJoined, FIRST), said(MemberLeft, FIRST)


def test_who_moves_in_joins_and_who_moves_out_leaves():
    assert when(said(AddResidence, FIRST)) == [JOINED]
    assert when(said(RemoveResidence, FIRST), JOINED) == [LEFT]
    assert when(said(AddResidence, SECOND), JOINED, LEFT) == [said(MemberJoined, SECOND)]


def test_who_has_two_homes_there_stays_until_the_last_has_ended():
    both = [JOINED, said(ResidenceAdded, SECOND)]
    assert when(said(AddResidence, SECOND), JOINED) == both[1:]
    assert when(said(RemoveResidence, FIRST), *both) == [said(ResidenceRemoved, FIRST)]
    assert when(said(RemoveResidence, SECOND), *both, said(ResidenceRemoved, FIRST)) == [said(MemberLeft, SECOND)]


def test_what_is_heard_again_changes_nothing():
    assert when(said(AddResidence, FIRST), JOINED) == []
    assert when(said(RemoveResidence, FIRST), JOINED, LEFT) == []
    assert when(said(AddResidence, FIRST), JOINED, LEFT) == [], "it has ended"


def test_an_end_that_is_heard_first_is_remembered():
    assert when(said(RemoveResidence, FIRST)) == [said(ResidenceRemoved, FIRST)]
    assert when(said(AddResidence, FIRST), said(ResidenceRemoved, FIRST)) == []
    joined = [said(ResidenceRemoved, FIRST), said(MemberJoined, SECOND)]
    assert when(said(AddResidence, FIRST), *joined) == []
    assert when(said(RemoveResidence, FIRST), said(MemberJoined, SECOND)) == [said(ResidenceRemoved, FIRST)]


def test_a_circle_and_a_resident_have_one_stream():
    assert len({member_id_of(c, r) for c in (HOUSE, HERE) for r in (ANN, FIRST)}) == 4
    assert member_id_of(HOUSE, ANN) == uuid5(HOUSE, str(ANN))


RESIDENCES = [UUID(int=100 + n) for n in range(4)]


@given(st.lists(st.tuples(st.sampled_from((AddResidence, RemoveResidence)), st.sampled_from(RESIDENCES)), max_size=24))
def test_in_any_order_and_however_often_who_lives_there_belongs(heard):
    events, started, ended = [], set(), set()
    for kind, residence in heard:
        (started if kind is AddResidence else ended).add(residence)
        events += when(said(kind, residence), *events)
        assert isinstance(MEMBERS.fold(events), Member) == bool(started - ended)
    shown = [type(e) for e in events if isinstance(e, MemberJoined | MemberLeft)]
    assert shown == [(MemberJoined, MemberLeft)[n % 2] for n in range(len(shown))], "others hear of each join and leave in turn"
    assert all(when(said(kind, residence), *events) == [] for kind, residence in heard)


def test_the_view_shows_who_belongs_where_also_folded_twice():
    events = [
        JOINED, said(ResidenceAdded, SECOND), MemberJoined(HERE, None, ANN, FIRST), MemberJoined(HERE, None, SECOND, SECOND),
        MemberLeft(HERE, None, SECOND, SECOND)]
    log = [recorded(e, HERE, position=n, stream="member:x") for n, e in enumerate(events, 1)]
    rows = folded(VIEW, SERVICE.catalogue(), log)[HERE]
    assert [(r["circle_id"], r["building_id"], r["resident_id"]) for r in rows] == [
        (str(HOUSE), str(HOUSE), str(ANN)), (str(HERE), None, str(ANN))]
    assert folded(VIEW, SERVICE.catalogue(), log + log)[HERE] == rows
