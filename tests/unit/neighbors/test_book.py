"""What is known of circles, names and broadcasts, as a fold of the log."""

from datetime import UTC, datetime
from uuid import UUID, uuid4, uuid5

import pytest

from libs.contracts.alarm import IncidentFoundFalse, IncidentResolved, Place
from libs.contracts.fields import SealedField
from libs.contracts.identity import BuildingRegistered, CommunityFounded, ResidentRegistered
from libs.eventkit.decider import NotFound, NotYet
from libs.eventkit.privacy import BlindIndex
from libs.eventkit.sealed import Sealed
from services.neighbors.book import CircleBook
from services.neighbors.domain.broadcasts import BroadcastEnded, BroadcastSent
from services.neighbors.domain.circles import MemberJoined, MemberLeft
from services.neighbors.domain.display_names import DisplayNameChosen, DisplayNameDropped
from services.neighbors.domain.given_names import looks_given
from tests.kit import recorded

HERE, HOUSE, OTHER, ANN, BEN, CALL, FIRE = (UUID(int=n) for n in range(1, 8))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
INDEX = BlindIndex(bytes(range(32)))


def book_of(*events, community=HERE, hash_=INDEX.of):
    book = CircleBook(hash_)
    for event in events:
        book.memory.apply(event, recorded(event, community))
    return book


def joined(resident, building=HOUSE):
    return MemberJoined(building or HERE, building, resident, uuid4())


PLACES = (CommunityFounded(HERE, "n", "310104", "Asia/Shanghai"), BuildingRegistered(HOUSE, "1号楼", 2))


def test_a_circle_is_a_building_s_or_the_community_s_and_nobody_elses():
    book = book_of(*PLACES)
    assert (book.building_of(HERE, HERE), book.building_of(HERE, HOUSE), book.building(HERE, HOUSE)) == (None, HOUSE, HOUSE)
    for community, circle in ((OTHER, HOUSE), (HERE, OTHER)):
        with pytest.raises(NotFound):
            book.building_of(community, circle)
        with pytest.raises(NotFound):
            book.building(community, circle)
    with pytest.raises(NotFound):
        book.building(HERE, HERE)


def test_who_belongs_and_who_has_left():
    book = book_of(*PLACES, joined(ANN), joined(ANN, None), joined(BEN))
    assert set(book.members(HERE, HOUSE)) == {ANN, BEN} and set(book.members(HERE, HERE)) == {ANN}
    assert book.belongs(HERE, HOUSE, ANN) and not book.belongs(OTHER, HOUSE, ANN)
    left = MemberLeft(HOUSE, HOUSE, ANN, uuid4())
    book.memory.apply(left, recorded(left, HERE))
    assert set(book.members(HERE, HOUSE)) == {BEN} and book.members(OTHER, HOUSE) == {}


def test_a_member_is_seen_under_an_id_that_leads_to_nobody():
    seen = book_of(joined(ANN)).members(HERE, HOUSE)[ANN]
    assert len(seen) == 32 and seen not in (str(ANN), str(uuid5(HOUSE, str(ANN))), INDEX.of(HERE, "given name", str(ANN)))
    assert book_of(joined(ANN), hash_=BlindIndex(bytes(range(1, 33))).of).members(HERE, HOUSE)[ANN] != seen


def test_everybody_has_a_given_name_of_their_own_and_keeps_it():
    residents = [uuid4() for _ in range(300)]
    book = book_of(*(joined(r) for r in residents), MemberLeft(HOUSE, HOUSE, residents[0], uuid4()), *(joined(r, None) for r in residents))
    names = [book.given_name(HERE, r) for r in residents]
    assert len(set(names)) == 300 and all(map(looks_given, names))
    assert names == [book_of(*(joined(r) for r in residents)).given_name(HERE, r) for r in residents]
    assert book.given_name(OTHER, residents[0]) == ""
    other = book_of(joined(residents[0]), hash_=BlindIndex(bytes(range(1, 33))).of)
    assert other.given_name(HERE, residents[0]) != names[0], "without the key nobody gets from the resident to the name"


def test_two_who_would_be_called_the_same_are_not():
    book = book_of(joined(ANN), joined(BEN), hash_=lambda community, scope, value: scope)
    assert looks_given(book.given_name(HERE, BEN)) and book.given_name(HERE, ANN) != book.given_name(HERE, BEN)


def test_names_stay_sealed():
    name, chosen = SealedField(HERE, ANN, "name", "box"), Sealed(HERE, ANN, "display_name", "box")
    book = book_of(ResidentRegistered(ANN, name), DisplayNameChosen(ANN, chosen, NOW))
    assert (book.registered_name(HERE, ANN), book.chosen_name(HERE, ANN)) == (name, chosen)
    dropped = DisplayNameDropped(ANN, "contains_own_name")
    assert book_of(DisplayNameChosen(ANN, chosen, NOW), dropped).chosen_name(HERE, ANN) is None
    assert book.registered_name(OTHER, ANN) is None and book.chosen_name(HERE, BEN) is None


def test_which_broadcasts_run_and_which_incidents_are_over():
    sent = BroadcastSent(CALL, HOUSE, "fire", "x", FIRE, None, "incident_verified", "fire_verified", (), ())
    book = book_of(*PLACES, sent)
    assert book.running(HERE, HOUSE) == [CALL] and book.running(OTHER, HOUSE) == book.running(HERE, OTHER) == []
    ended = BroadcastEnded(CALL, HOUSE, None, "incident_resolved")
    book.memory.apply(ended, recorded(ended, HERE))
    assert book.running(HERE, HOUSE) == []
    over = (
        IncidentResolved(FIRE, "fire", "critical", False, Place(), BEN, "put_out"),
        IncidentFoundFalse(OTHER, "gas", "critical", False, Place(), BEN, "cooking"))
    assert [book_of(*over).is_over(i) for i in (FIRE, OTHER, ANN)] == [True, True, False]


def test_where_something_cannot_be_read_nothing_is_claimed():
    book = book_of()
    book.understood(HERE)
    book.memory.unreadable.add(HERE)
    with pytest.raises(NotYet):
        book.understood(HERE)
