"""A fire release: begun once, joined, ended by people alone; each relay confirmed twice, in whatever order devices answer."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.contracts import access as public
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.recorded import Catalogue
from services.access.domain.admission import Fact
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
    RelayNotReleased,
    RelayReleased,
    ReleasedRelay,
)
from services.access.publishing import publish
from services.access.views.releases import VIEW
from tests.kit import folded, recorded

FIRE, FURTHER, BUILDING, DOOR, LIFT, DEVICE, GUARD, SAID, RELEASE = (UUID(int=n) for n in range(1, 10))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
RELAYS = (ReleasedRelay(DOOR, DEVICE, 1, "held_open"), ReleasedRelay(LIFT, DEVICE, 11, "recalled"))
BEGIN = BeginRelease(FIRE, BUILDING, FIRE, None, RELAYS, "fire_verified", (Fact(SAID, "fire_verified"),))
BEGUN = FireReleaseBegun(FIRE, BUILDING, FIRE, None, RELAYS, "fire_verified", "fire_is_real", (Fact(SAID, "fire_verified"),))
BY_HAND = BeginRelease(RELEASE, BUILDING, None, GUARD, RELAYS, "by_hand")
BEGUN_BY_HAND = FireReleaseBegun(RELEASE, BUILDING, None, GUARD, RELAYS, "by_hand", "person_decided", ())
JOINED = FireReleaseJoined(FIRE, BUILDING, FURTHER, RELAYS)
OVER, FURTHER_OVER = FireOver(FIRE, BUILDING, FIRE, "resolved"), FireOver(FIRE, BUILDING, FURTHER, "found_false")
END = EndRelease(FIRE, BUILDING, GUARD, despite_fire=False)
ENDED = FireReleaseEnded(FIRE, BUILDING, FIRE, GUARD, "fire_over", RELAYS, (FIRE,))
HELD = RecordRelay(FIRE, DEVICE, 1, released=True)
IS_HELD, IS_NORMAL = RelayReleased(FIRE, DOOR, True), RelayReleased(FIRE, DOOR, False)


def when(command: Any, *events: Any) -> list[Any]:
    return RELEASES.decide[type(command)](command, RELEASES.fold(events))


# begin


def test_a_verified_fire_releases_its_building_once() -> None:
    assert when(BEGIN) == [BEGUN]
    assert when(BEGIN, BEGUN) == when(BEGIN, BEGUN, OVER) == when(BEGIN, BEGUN, OVER, ENDED) == []


def test_a_person_releases_a_building_before_anybody_has_verified_anything_and_once() -> None:
    assert when(BY_HAND) == [BEGUN_BY_HAND]
    assert when(BY_HAND, BEGUN) == when(BY_HAND, BEGUN_BY_HAND) == []


def test_a_building_without_doors_is_released_all_the_same() -> None:
    assert when(replace(BEGIN, relays=())) == [replace(BEGUN, relays=())]


def test_a_further_fire_joins_the_release_that_runs_once() -> None:
    further = replace(BEGIN, release_id=FURTHER, incident_id=FURTHER)
    assert when(further, BEGUN) == [JOINED]
    assert when(further, BEGUN, JOINED) == []
    assert when(BEGIN, BEGUN_BY_HAND) == [FireReleaseJoined(RELEASE, BUILDING, FIRE, RELAYS)]


def test_a_fire_after_the_end_begins_a_new_release() -> None:
    further = replace(BEGIN, release_id=FURTHER, incident_id=FURTHER)
    assert when(further, BEGUN, OVER, ENDED) == [replace(BEGUN, release_id=FURTHER, incident_id=FURTHER)]
    assert when(BY_HAND, BEGUN, OVER, ENDED) == [BEGUN_BY_HAND]


# over


@pytest.mark.parametrize("how", ["resolved", "found_false"])
def test_a_fire_that_is_over_is_recorded_once_and_ends_nothing(how: Any) -> None:
    over = RecordFireOver(BUILDING, FIRE, how)
    assert when(over, BEGUN) == [FireOver(FIRE, BUILDING, FIRE, how)]
    assert when(over) == when(over, BEGUN, OVER) == when(over, BEGUN_BY_HAND) == when(over, BEGUN, ENDED) == []


# end


def test_a_person_ends_it_when_every_fire_is_over_and_once() -> None:
    assert when(END, BEGUN, OVER) == [ENDED]
    assert when(END, BEGUN, OVER, ENDED) == []
    assert when(END, BEGUN, JOINED, OVER, FURTHER_OVER) == [replace(ENDED, incidents=(FIRE, FURTHER))]


def test_what_was_begun_by_hand_without_a_fire_is_ended_by_hand() -> None:
    by_hand = EndRelease(RELEASE, BUILDING, GUARD, False)
    assert when(by_hand, BEGUN_BY_HAND) == [FireReleaseEnded(RELEASE, BUILDING, None, GUARD, "fire_over", RELAYS)]


@pytest.mark.parametrize(
    ("said", "fires"), [((BEGUN,), (FIRE,)), ((BEGUN, JOINED, OVER), (FIRE, FURTHER))], ids=["none is over", "one of two is over"])
def test_nobody_ends_it_while_a_fire_is_not_over_unless_they_say_so(said: tuple[Any, ...], fires: tuple[UUID, ...]) -> None:
    with pytest.raises(Refused, match="fire_not_over"):
        when(END, *said)
    assert when(replace(END, despite_fire=True), *said) == [replace(ENDED, reason="despite_fire", incidents=fires)]


def test_despite_a_fire_is_the_reason_only_where_there_is_one() -> None:
    assert when(replace(END, despite_fire=True), BEGUN, OVER) == [ENDED]


def test_the_end_of_an_earlier_release_does_not_end_the_one_that_runs() -> None:
    new = replace(BEGUN, release_id=FURTHER, incident_id=FURTHER)
    assert when(replace(END, despite_fire=True), BEGUN, OVER, ENDED, new) == []


def test_what_has_never_begun_cannot_be_ended() -> None:
    with pytest.raises(NotFound):
        when(END)


# relays


def test_each_relay_is_confirmed_once_held_and_once_normal() -> None:
    assert when(HELD, BEGUN) == [IS_HELD]
    assert when(replace(HELD, door_no=11), BEGUN) == [RelayReleased(FIRE, LIFT, True)]
    assert when(HELD, BEGUN, IS_HELD) == []
    normal = replace(HELD, released=False)
    assert when(normal, BEGUN, IS_HELD, OVER, ENDED) == [IS_NORMAL]
    assert when(normal, BEGUN, IS_HELD, OVER, ENDED, IS_NORMAL) == []


def test_a_relay_whose_device_is_gone_keeps_no_release_of_the_past_waiting() -> None:
    relay = (RELAYS[0],)
    begun, ended, anew = replace(BEGUN, relays=relay), replace(ENDED, relays=relay), replace(BEGUN_BY_HAND, relays=relay)
    gone = RelayNotReleased(FIRE, DOOR, False, "device_retired")
    assert when(replace(HELD, released=False, failed="device_retired"), begun, OVER, ended) == [gone]
    assert RELEASES.fold((begun, OVER, ended, gone, anew)).earlier == ()
    away = replace(gone, reason="unreachable")
    assert [r.release_id for r in RELEASES.fold((begun, OVER, ended, away, anew)).earlier] == [FIRE]


def test_a_failure_is_said_once_for_each_reason_and_never_after_it_was_done() -> None:
    failed, away = replace(HELD, failed="unreachable"), RelayNotReleased(FIRE, DOOR, True, "unreachable")
    assert when(failed, BEGUN) == [away]
    assert when(failed, BEGUN, away) == []
    assert when(replace(failed, failed="refused"), BEGUN, away) == [RelayNotReleased(FIRE, DOOR, True, "refused")]
    assert when(HELD, BEGUN, away) == [IS_HELD]
    assert when(failed, BEGUN, away, IS_HELD) == []


def test_what_a_device_says_of_another_release_or_another_relay_is_nothing_to_this_one() -> None:
    assert when(HELD) == when(replace(HELD, release_id=FURTHER), BEGUN) == when(replace(HELD, door_no=2), BEGUN) == []
    assert when(replace(HELD, device_id=DOOR), BEGUN) == []
    assert when(replace(HELD, released=False), BEGUN, IS_HELD) == [], "nobody has set it back"


# what others hear, what a screen shows


def test_others_hear_of_begin_further_fires_end_and_each_relay() -> None:
    relays = tuple(public.ReleasedRelay(r.id, r.device_id, r.door_no, r.state) for r in RELAYS)
    (begun,), (ended,) = publish(BEGUN, recorded(BEGUN)), publish(ENDED, recorded(ENDED))
    assert begun.body == public.FireReleaseBegun(
        FIRE, BUILDING, FIRE, None, relays, "fire_verified", "fire_is_real", (public.Fact(SAID, "fire_verified"),))
    assert ended.body == public.FireReleaseEnded(FIRE, BUILDING, FIRE, GUARD, "fire_over", relays, (FIRE,))
    (joined,) = publish(JOINED, recorded(JOINED))
    assert joined.body == public.FireReleaseJoined(FIRE, BUILDING, FURTHER, relays)
    assert [p.body for p in publish(IS_HELD, recorded(IS_HELD))] == [public.RelayReleased(FIRE, DOOR, True)]
    away = RelayNotReleased(FIRE, DOOR, True, "unreachable")
    assert [p.body for p in publish(away, recorded(away))] == [public.RelayNotReleased(FIRE, DOOR, True, "unreachable")]
    assert publish(OVER, recorded(OVER)) == ()


CATALOGUE = Catalogue((
    FireReleaseBegun, FireReleaseJoined, FireOver, FireReleaseEnded, RelayReleased, RelayNotReleased))


def shown(*events: Any) -> list[Any]:
    log = [recorded(e, BUILDING, position=n, stream=f"fire_release:{BUILDING}", version=n, at=NOW) for n, e in enumerate(events, 1)]
    once = folded(VIEW, CATALOGUE, log)
    assert once == folded(VIEW, CATALOGUE, [*log, *log])
    return once[BUILDING]


def test_the_list_says_of_each_relay_what_is_wanted_of_it_now() -> None:
    away = RelayNotReleased(FIRE, LIFT, True, "unreachable")
    (running,) = shown(BEGUN, JOINED, IS_HELD, away, OVER)
    assert [(r["state"], r["answer"], r["reason"]) for r in running["relays"]] == [
        ("held_open", "confirmed", None), ("recalled", "failed", "unreachable")]
    assert running["fires"] == [{"incident_id": str(FIRE), "over": True}, {"incident_id": str(FURTHER), "over": False}]
    assert (running["state"], running["ended_event_id"]) == ("begun", None)
    (over,) = shown(BEGUN, IS_HELD, away, OVER, ENDED, IS_NORMAL, RelayReleased(FIRE, LIFT, True))
    assert [r["answer"] for r in over["relays"]] == ["confirmed", "waiting"]
    assert (over["state"], over["end_reason"], over["ended_by"]) == ("ended", "fire_over", str(GUARD))
