"""Whatever is asked of a building's releases, and however devices answer: people alone end one, and never unknowingly."""

from itertools import permutations
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from libs.eventkit.decider import NotFound, Refused
from services.access.domain.releases import (
    RELEASES,
    BeginRelease,
    EndRelease,
    FireOver,
    FireReleaseBegun,
    FireReleaseEnded,
    FireReleaseJoined,
    RecordFireOver,
    RecordRelay,
    RelayReleased,
    Released,
    ReleasedRelay,
)

BUILDING, DEVICE, GUARD = (UUID(int=n) for n in range(1, 4))
FIRES = [UUID(int=10 + n) for n in range(3)]
BY_HAND = [UUID(int=20 + n) for n in range(2)]
RELAYS = tuple(ReleasedRelay(UUID(int=30 + n), DEVICE, n, "held_open") for n in (1, 2))

fires, releases = st.sampled_from(FIRES), st.sampled_from([*FIRES, *BY_HAND])
commands = st.one_of(
    fires.map(lambda i: BeginRelease(i, BUILDING, i, None, RELAYS, "fire_verified")),
    st.sampled_from(BY_HAND).map(lambda i: BeginRelease(i, BUILDING, None, GUARD, RELAYS, "by_hand")),
    st.builds(RecordFireOver, st.just(BUILDING), fires, st.sampled_from(["resolved", "found_false"])),
    st.builds(EndRelease, releases, st.just(BUILDING), st.just(GUARD), st.booleans()),
    st.builds(RecordRelay, releases, st.just(DEVICE), st.sampled_from([1, 2, 3]), st.booleans(), st.sampled_from(["", "refused"])))


def said(command: Any, state: Any) -> list[Any]:
    try:
        return RELEASES.decide[type(command)](command, state)
    except (Refused, NotFound):
        return []


@settings(max_examples=400)
@given(st.lists(commands, max_size=30))
def test_a_release_ends_by_a_person_who_knew_of_every_fire_that_burns(asked: list[Any]) -> None:
    state, running, burning, known = RELEASES.initial, None, set[UUID](), set[UUID]()
    for command in asked:
        for event in said(command, state):
            state = RELEASES.evolve(state, event)
            match event:
                case FireReleaseBegun(release_id=release_id, incident_id=incident_id):
                    assert running is None, "two releases of one building"
                    running, burning = release_id, {incident_id} - {None}
                    known |= burning
                case FireReleaseJoined(release_id=release_id, incident_id=incident_id):
                    assert release_id == running and incident_id not in burning
                    burning.add(incident_id)
                case FireOver(release_id=release_id, incident_id=incident_id):
                    assert release_id == running
                    burning.remove(incident_id)
                case FireReleaseEnded(release_id=release_id, reason=reason):
                    assert isinstance(command, EndRelease) and release_id == running == command.release_id
                    assert not burning or (command.despite_fire and reason == "despite_fire")
                    assert burning or reason == "fire_over"
                    running = None
        assert isinstance(state, Released) == (running is not None)
        assert said(command, state) == [], "said twice"


ANSWERS = st.lists(
    st.builds(RecordRelay, st.just(FIRES[0]), st.just(DEVICE), st.sampled_from([1, 2]), st.booleans(),
              st.sampled_from(["", "refused", "unreachable"])), max_size=4)


@settings(max_examples=200)
@given(ANSWERS)
def test_the_order_in_which_devices_answer_does_not_matter(answers: list[RecordRelay]) -> None:
    """All of them come after the end: late ones of the hold among them."""
    begin = BeginRelease(FIRES[0], BUILDING, FIRES[0], None, RELAYS, "fire_verified")
    begun = RELEASES.fold(said(begin, RELEASES.initial))
    ended = RELEASES.fold([*said(begin, RELEASES.initial), *said(EndRelease(FIRES[0], BUILDING, GUARD, True), begun)])
    outcomes = set()
    for order in permutations(answers):
        state = ended
        for answer in order:
            for event in said(answer, state):
                state = RELEASES.evolve(state, event)
        outcomes.add(frozenset((a.door_id, a.released) for a in state.answers if not a.failed))
    assert len(outcomes) == 1
    done = {(RELAYS[a.door_no - 1].id, a.released) for a in answers if not a.failed}
    assert outcomes == {frozenset(done)}


FIRST = BeginRelease(FIRES[0], BUILDING, FIRES[0], None, RELAYS, "fire_verified")
SECOND = replace(FIRST, release_id=FIRES[1], incident_id=FIRES[1])


def told(*commands: Any) -> list[Any]:
    """All that is said, one command after the other."""
    events: list[Any] = []
    for command in commands:
        events += said(command, RELEASES.fold(events))
    return events


def normal(release_id: UUID, *doors: int) -> list[RecordRelay]:
    return [RecordRelay(release_id, DEVICE, n, False) for n in doors]


def test_a_relay_is_set_back_for_each_release_that_has_waited_for_it_also_when_the_building_was_released_anew() -> None:
    ends = [EndRelease(fire, BUILDING, GUARD, True) for fire in FIRES[:2]]
    before = told(FIRST, ends[0], SECOND)
    late = told(FIRST, ends[0], SECOND, *normal(FIRES[0], 1))
    assert late[len(before):] == [RelayReleased(FIRES[0], RELAYS[0].id, False)]
    running = RELEASES.fold(late)
    assert isinstance(running, Released) and running.release_id == FIRES[1] and running.answers == (), "nothing of it changes"
    both = told(FIRST, ends[0], SECOND, ends[1], *normal(FIRES[1], 1, 2), *normal(FIRES[0], 1, 2), *normal(FIRES[0], 1, 2))
    assert [e for e in both if isinstance(e, RelayReleased)] == [
        RelayReleased(fire, relay.id, False) for fire in (FIRES[1], FIRES[0]) for relay in RELAYS]


def test_releases_that_are_set_back_are_forgotten_and_others_are_not_however_often_the_building_is_released() -> None:
    ends = [EndRelease(fire, BUILDING, GUARD, True) for fire in FIRES]
    third = replace(FIRST, release_id=FIRES[2], incident_id=FIRES[2])
    log = [FIRST, ends[0], *normal(FIRES[0], 1), SECOND, *normal(FIRES[0], 2), ends[1], third]
    state = RELEASES.fold(told(*log))
    assert isinstance(state, Released) and [r.release_id for r in state.earlier] == [FIRES[1]]
    assert RELEASES.fold(told(*log, *normal(FIRES[1], 1, 2))).earlier == ()
    assert told(*log, *normal(FIRES[0], 1, 2)) == told(*log), "said twice"
