"""A relay that is to stay in a state: told until the device confirms it, normal when nobody wants it held."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from libs.contracts import devices as said
from libs.contracts.access import FireReleaseBegun, FireReleaseEnded, ReleasedRelay
from libs.eventkit.decider import Refused
from services.devices.domain.holds import (
    FIRST,
    HOLDS,
    LONGEST,
    Confirmed,
    DeviceGone,
    EndWithDevice,
    Hold,
    HoldCarriedOut,
    HoldFailed,
    HoldWanted,
    RecordHeld,
    RecordNotHeld,
    Untold,
    WantHold,
    due,
    hold_id_of,
    pause,
)
from services.devices.holding import holds_wanted
from services.devices.publishing import publish
from tests.kit import recorded

DEVICE, FIRE, OTHER, BEGAN, ENDED, BUILDING, DOOR = (UUID(int=n) for n in range(1, 8))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
WANT, OVER = WantHold(FIRE, DEVICE, 1, "held_open", BEGAN, NOW), WantHold(FIRE, DEVICE, 1, "normal", ENDED, LATER)
WANTED, NOT_WANTED = HoldWanted(FIRE, DEVICE, 1, "held_open", BEGAN, NOW), HoldWanted(FIRE, DEVICE, 1, "normal", ENDED, LATER)
OTHER_WANTED = replace(WANTED, release_id=OTHER, at=LATER)
HELD, NORMAL = HoldCarriedOut((FIRE,), DEVICE, 1, "held_open"), HoldCarriedOut((FIRE,), DEVICE, 1, "normal")
AWAY = RecordNotHeld("held_open", "unreachable", "ConnectError", 1, NOW)
FAILED = HoldFailed((FIRE,), DEVICE, 1, "held_open", "unreachable", 1, NOW + FIRST, "ConnectError")


GONE = DeviceGone((FIRE,), DEVICE, 1, "held_open", 1)


def is_(*events: Any) -> Any:
    return HOLDS.fold(events)


def when(command: Any, *events: Any) -> list[Any]:
    return HOLDS.decide[type(command)](command, is_(*events))


# want


def test_what_a_release_wants_is_wanted_once_and_due_at_once() -> None:
    assert when(WANT) == [WANTED]
    assert when(WANT, WANTED) == when(WANT, WANTED, HELD) == []
    assert due(is_(WANTED)) == NOW and due(is_()) is None


def test_a_release_that_is_over_wants_nothing_held_again() -> None:
    assert when(OVER, WANTED, HELD) == [NOT_WANTED]
    assert when(OVER, WANTED, HELD, NOT_WANTED) == when(WANT, WANTED, HELD, NOT_WANTED) == []
    assert when(OVER) == [], "it has never wanted anything of this relay"


def test_a_release_that_ends_before_the_door_ever_opened_is_told_normal_all_the_same_and_once() -> None:
    for before in ((WANTED,), (WANTED, FAILED)):
        ended = is_(*before, NOT_WANTED)
        assert (due(ended), ended.wanted, ended.attempts) == (LATER, "normal", 0)
    done = is_(WANTED, FAILED, NOT_WANTED, NORMAL)
    assert isinstance(done, Confirmed) and due(done) is None


def test_a_relay_that_two_releases_want_is_normal_when_neither_does() -> None:
    both = (WANTED, HELD, OTHER_WANTED, replace(HELD, releases=(OTHER,)))
    assert is_(*both).wanted == is_(*both, NOT_WANTED).wanted == "held_open"
    assert due(is_(*both, NOT_WANTED)) is None, "it stays as it is"
    last = is_(*both, NOT_WANTED, replace(NOT_WANTED, release_id=OTHER))
    assert last.wanted == "normal" and due(last) == LATER
    assert when(RecordHeld("normal"), *both, NOT_WANTED, replace(NOT_WANTED, release_id=OTHER)) == [
        HoldCarriedOut((FIRE, OTHER), DEVICE, 1, "normal")], "both wait to hear it"


def test_a_second_release_hears_of_a_relay_that_is_held_already() -> None:
    assert due(is_(WANTED, HELD, OTHER_WANTED)) == LATER
    assert when(RecordHeld("held_open"), WANTED, HELD, OTHER_WANTED) == [replace(HELD, releases=(OTHER,))]
    assert when(RecordHeld("held_open"), WANTED, OTHER_WANTED, NOT_WANTED) == [replace(HELD, releases=(OTHER,))], (
        "the one that is over waits for normal")


# what devices say


def test_what_the_device_confirms_is_said_once_and_told_no_more() -> None:
    assert when(RecordHeld("held_open"), WANTED) == [HELD]
    assert when(RecordHeld("held_open"), WANTED, HELD) == []
    assert due(is_(WANTED, HELD)) is None


def test_an_attempt_that_came_to_nothing_is_said_once_and_made_again_after_a_growing_pause() -> None:
    assert when(AWAY, WANTED) == [FAILED]
    assert when(AWAY, WANTED, FAILED) == when(AWAY, WANTED, HELD) == []
    assert due(is_(WANTED, FAILED)) == NOW + FIRST
    assert when(replace(AWAY, attempt=2, now=LATER), WANTED, FAILED) == [replace(FAILED, attempt=2, again_at=LATER + 2 * FIRST)]
    assert [pause(n).seconds for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pause(10_000) == LONGEST


def test_what_a_device_says_of_a_wish_that_was_replaced_says_nothing_of_the_newer_one() -> None:
    assert when(RecordHeld("held_open"), WANTED, NOT_WANTED) == when(AWAY, WANTED, NOT_WANTED) == []
    assert is_(WANTED, NOT_WANTED, HELD).wanted == "normal" and due(is_(WANTED, NOT_WANTED, HELD)) == LATER


def test_a_device_that_was_retired_is_told_no_more_and_its_release_hears_so_of_both_states() -> None:
    assert when(EndWithDevice(), WANTED, FAILED) == [GONE] and due(is_(WANTED, FAILED, GONE)) is None
    for late in (EndWithDevice(), RecordHeld("held_open"), AWAY):
        assert when(late, WANTED, FAILED, GONE) == []
    assert when(EndWithDevice(), WANTED, HELD) == [], "it stands open; that it can never be set back is said when that is wanted"
    for before in ((WANTED, FAILED, GONE), (WANTED, HELD)):
        assert when(EndWithDevice(), *before, NOT_WANTED) == [DeviceGone((FIRE,), DEVICE, 1, "normal", 0)]


def test_a_release_that_begins_later_hears_of_a_device_that_is_gone_too_and_one_that_came_back_is_told() -> None:
    again = (WANTED, FAILED, GONE, OTHER_WANTED)
    assert due(is_(*again)) == LATER
    assert when(EndWithDevice(), *again) == [DeviceGone((OTHER,), DEVICE, 1, "held_open", 0)]
    assert when(RecordHeld("held_open"), *again) == [replace(HELD, releases=(OTHER,))], "it was registered again"


@pytest.mark.parametrize("command", [RecordHeld("held_open"), AWAY, EndWithDevice()])
def test_nothing_can_come_of_what_nobody_wanted(command: Any) -> None:
    with pytest.raises(Refused, match="hold_not_wanted"):
        when(command)


def test_a_relay_is_of_its_community_device_and_number() -> None:
    assert len({hold_id_of(c, d, n) for c in (FIRE, OTHER) for d in (DEVICE, DOOR) for n in (1, 2)}) == 8


# whatever happens

RELEASES = [UUID(int=n) for n in range(20, 23)]
steps = st.one_of(
    st.builds(WantHold, st.sampled_from(RELEASES), st.just(DEVICE), st.just(1), st.sampled_from(["held_open", "normal"]),
              st.just(BEGAN), st.just(NOW)),
    st.sampled_from(["told", "deaf"]))


class Site:
    """The relay as it really is, and who is told what. The device answers, or it did it and its answer is lost."""

    def __init__(self) -> None:
        self.hold: Hold = HOLDS.initial
        self.really = "normal"
        self.wanting: dict[UUID, bool] = {}
        self.answers: dict[UUID, str] = {}

    def do(self, command: Any) -> list[Any]:
        events = HOLDS.decide[type(command)](command, self.hold)
        for event in events:
            self.hold = HOLDS.evolve(self.hold, event)
            if isinstance(event, HoldCarriedOut):
                self.answers |= dict.fromkeys(event.releases, event.state)
        return events

    def tell(self, answers: bool) -> None:
        if isinstance(self.hold, Untold):
            self.really = self.hold.wanted
            self.do(RecordHeld(self.hold.wanted) if answers else RecordNotHeld(
                self.hold.wanted, "unknown", "", self.hold.attempts + 1, NOW))

    def want(self, wish: WantHold) -> None:
        if wish.state == "held_open":
            self.wanting.setdefault(wish.release_id, True)
        elif wish.release_id in self.wanting:
            self.wanting[wish.release_id] = False
        self.do(wish)


@settings(max_examples=300)
@given(st.lists(steps, max_size=25))
def test_in_the_end_a_relay_is_held_for_those_that_want_it_and_for_nobody_who_is_over(happens: list[Any]) -> None:
    site = Site()
    for step in happens:
        if isinstance(step, WantHold):
            site.want(step)
        else:
            site.tell(answers=step == "told")
        if isinstance(site.hold, Confirmed):
            assert site.really == site.hold.wanted, "confirmed, and it is not so"
        wanted = "held_open" if any(site.wanting.values()) else "normal"
        assert not site.wanting or (not isinstance(site.hold, Untold | Confirmed)) or site.hold.wanted == wanted
    site.tell(answers=True)
    assert due(site.hold) is None
    assert site.really == ("held_open" if any(site.wanting.values()) else "normal")
    for release_id, wants in site.wanting.items():
        assert site.answers.get(release_id) == ("held_open" if wants else "normal") or (not wants and any(site.wanting.values()))


# who wants it, who hears of it


async def test_each_relay_of_a_release_is_wanted_held_and_then_normal() -> None:
    relays = (ReleasedRelay(DOOR, DEVICE, 1, "held_open"), ReleasedRelay(OTHER, DEVICE, 11, "recalled"))
    begun = FireReleaseBegun(FIRE, BUILDING, FIRE, None, relays, "fire_verified", "fire_is_real", ())
    ended = FireReleaseEnded(FIRE, BUILDING, FIRE, DOOR, "fire_over", relays)
    for event, states in ((begun, ["held_open", "recalled"]), (ended, ["normal", "normal"])):
        row = recorded(event, BUILDING, source="access", at=NOW)
        done = await holds_wanted().on[type(event)](event, row)
        assert [(do.subject_id, do.command) for do in done] == [
            (hold_id_of(BUILDING, DEVICE, no), WantHold(FIRE, DEVICE, no, state, row.event_id, NOW))
            for no, state in zip((1, 11), states, strict=True)]
        assert len({do.name for do in done}) == 2


def test_each_release_that_waits_hears_of_it_and_nobody_of_a_wish() -> None:
    both = replace(HELD, releases=(FIRE, OTHER))
    assert [p.body for p in publish(both, recorded(both))] == [said.HoldCarriedOut(i, DEVICE, 1, "held_open") for i in (FIRE, OTHER)]
    assert [p.body for p in publish(FAILED, recorded(FAILED))] == [
        said.HoldFailed(FIRE, DEVICE, 1, "held_open", "unreachable", 1, NOW + FIRST)]
    assert publish(WANTED, recorded(WANTED)) == ()
    assert [p.body for p in publish(GONE, recorded(GONE))] == [said.HoldFailed(FIRE, DEVICE, 1, "held_open", "device_retired", 1, None)]
