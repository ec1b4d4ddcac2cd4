"""What authorities are told: each thing once, in order, whatever topic is heard first, and nobody's id."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace, UnionType
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from libs.contracts import government as public
from libs.contracts.access import FireReleaseBegun, FireReleaseEnded, FireReleaseJoined
from libs.contracts.fields import SealedField
from libs.contracts.identity import CommunityFounded
from libs.contracts.topics import PUBLISHES
from libs.eventkit.decider import NotYet
from libs.eventkit.recorded import tag_of
from services.gateway.domain.government import (
    EVENTS,
    GOVERNMENT,
    RANK,
    FireReleased,
    IncidentOpened,
    IncidentOverdue,
    IncidentProgressed,
    IncidentRecurred,
    NotOpened,
    OpenIncident,
    ProgressIncident,
    ReleaseHeard,
    TellOverdue,
    TellRecurred,
    TellRelease,
)
from services.gateway.main import SERVICE
from services.gateway.publishing import SAID, publish
from services.gateway.reactions import Divisions, incident_of, telling
from tests.unit.gateway.fire import (
    ACKNOWLEDGED,
    BEGUN,
    BUILDING,
    DISPATCHED,
    ENDED,
    ESCALATED,
    FALSE,
    INCIDENT,
    JOINED,
    LATER,
    RAISED,
    RELEASE,
    REPEATED,
    RESOLVED,
    VERIFIED,
    story,
)
from tests.unit.gateway.heard import COMMUNITY, ELSEWHERE, NOON, heard

OPEN = OpenIncident(INCIDENT, "310101", "fire", "critical", False, BUILDING, "contact_id:1110", NOON, LATER)
OPENED = IncidentOpened(*msgspec.structs.astuple(OPEN))
OF = msgspec.structs.astuple(OPEN)[:6]
VERIFY = ProgressIncident("verified", NOON, "on_site", LATER)
OVERDUE = TellOverdue(1, "acknowledgement", LATER, ("guard",), None)
BEGIN = TellRelease(INCIDENT, RELEASE, True, 2, 1, NOON, UUID(int=5))
END = replace(BEGIN, released=False, because=UUID(int=6))
RELEASED = FireReleased(*OF, True, 2, 1, NOON, RELEASE)


def decided(command: Any, *happened: Any) -> list[Any]:
    return GOVERNMENT.decide[type(command)](command, GOVERNMENT.fold(happened))


def test_an_incident_is_opened_once() -> None:
    assert decided(OPEN) == [OPENED]
    assert decided(OPEN, OPENED) == []


def test_a_later_state_is_told_once_and_no_earlier_one_after_it() -> None:
    told = IncidentProgressed(*OF, "verified", NOON, "on_site", LATER)
    assert decided(VERIFY, OPENED) == [told]
    assert decided(VERIFY, OPENED, told) == []
    assert decided(replace(VERIFY, state="acknowledged"), OPENED, told) == []
    assert decided(replace(VERIFY, state="found_false"), OPENED, IncidentProgressed(*OF, "resolved", NOON, "", None)) == []


@pytest.mark.parametrize("command", [VERIFY, OVERDUE, TellRecurred(2, NOON)], ids=lambda command: type(command).__name__)
def test_nothing_is_told_of_an_incident_that_has_not_begun(command: Any) -> None:
    with pytest.raises(NotYet):
        decided(command)


def test_each_level_of_each_step_is_told_once_and_none_after_the_end() -> None:
    told = IncidentOverdue(*OF, *msgspec.structs.astuple(OVERDUE))
    assert decided(OVERDUE, OPENED) == [told]
    assert decided(OVERDUE, OPENED, told) == []
    for other in (replace(OVERDUE, level=2), replace(OVERDUE, waiting_for="verification")):
        assert decided(other, OPENED, told) == [IncidentOverdue(*OF, *msgspec.structs.astuple(other))]
    assert decided(OVERDUE, OPENED, IncidentProgressed(*OF, "resolved", NOON, "", None)) == []


def counts(*heard_: int) -> list[int]:
    happened: list[Any] = [OPENED]
    for count in heard_:
        happened += decided(TellRecurred(count, NOON), *happened)
    return [event.count for event in happened if isinstance(event, IncidentRecurred)]


def test_repeats_are_told_at_powers_of_two() -> None:
    assert counts(*range(2, 1001)) == [2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert counts(2, 2, 3, 2) == [2]
    assert counts(5, 7, 9) == [5, 9], "those before were lost: the next one stands for them"


def test_a_release_is_told_when_it_begins_and_when_it_ends_once_each() -> None:
    assert decided(BEGIN, OPENED) == [RELEASED]
    assert decided(BEGIN, OPENED, RELEASED) == []
    assert decided(END, OPENED, RELEASED) == [replace(RELEASED, released=False)]
    assert decided(END, OPENED) == [], "nobody was told that it had begun"
    assert decided(END, OPENED, RELEASED, replace(RELEASED, released=False)) == []


def test_a_release_that_is_heard_first_waits_for_its_incident() -> None:
    (waits,) = decided(BEGIN)
    assert isinstance(waits, ReleaseHeard) and publish(waits, story()[0][1]) == ()
    assert decided(BEGIN, waits) == [] and decided(END) == []
    (ends,) = decided(END, waits)
    assert decided(OPEN, waits, ends) == [OPENED, RELEASED, replace(RELEASED, released=False)]


COMMANDS = [
    OPEN, VERIFY, OVERDUE, BEGIN, END, *(TellRecurred(n, NOON) for n in (2, 3, 4, 5)),
    *(ProgressIncident(state, NOON, "", None) for state in ("acknowledged", "dispatched", "resolved", "found_false"))]  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(COMMANDS), max_size=30))
def test_whatever_the_order_each_thing_is_told_once_and_states_only_go_on(given_: list[Any]) -> None:
    happened: list[Any] = []
    for command in given_:
        try:
            happened += decided(command, *happened)
        except NotYet:
            continue
    told = [body for event in happened for said in publish(event, story()[0][1]) for body in (said.body,)]
    assert not told or isinstance(told[0], public.IncidentOpened)
    assert sum(isinstance(body, public.IncidentOpened) for body in told) == int(OPEN in given_)
    ranks = [RANK[body.state] for body in told if isinstance(body, public.IncidentProgressed)]
    assert ranks == sorted(set(ranks))
    recurred = [body.count for body in told if isinstance(body, public.IncidentRecurred)]
    assert recurred == sorted(set(recurred)) and [n.bit_length() for n in recurred] == sorted({n.bit_length() for n in recurred})
    assert len([body for body in told if isinstance(body, public.IncidentOverdue)]) <= 1
    assert [body.released for body in told if isinstance(body, public.FireReleased)] in ([], [True], [True, False])


class App:
    """Answers what is known of an incident in the own log."""

    def __init__(self, state: Any = NotOpened()) -> None:  # noqa: B008
        self.known = state
        self.commands = SimpleNamespace(state=self.state)

    async def state(self, decider: Any, subject_id: UUID, community_id: UUID) -> tuple[Any, int]:
        assert (decider, subject_id, community_id) == (GOVERNMENT, INCIDENT, COMMUNITY)
        return self.known, 0


def divisions(*founded: UUID) -> Divisions:
    found = Divisions()
    for community_id in founded:
        found.memory.apply(*heard(CommunityFounded(community_id, "里坊", "310101", "Asia/Shanghai"), 1, community_id))

    async def nothing() -> None: ...

    found.memory.catch_up = nothing  # type: ignore[method-assign]
    return found


async def done(event: Any, app: Any = None, knows: Divisions | None = None) -> list[Any]:
    reaction = telling(app or App(), knows or divisions(COMMUNITY))
    assert reaction.key(*heard(event)) == f"incident:{INCIDENT}" or event.incident_id is None
    return await reaction.on[type(event)](*heard(event))


@pytest.mark.parametrize(("event", "command"), [
    (RAISED, OpenIncident(INCIDENT, "310101", "fire", "critical", False, BUILDING, "contact_id:1110", NOON + timedelta(seconds=1), LATER)),
    (REPEATED, TellRecurred(2, NOON + timedelta(seconds=1))),
    (ACKNOWLEDGED, ProgressIncident("acknowledged", NOON + timedelta(seconds=1), "person", LATER)),
    (VERIFIED, ProgressIncident("verified", NOON + timedelta(seconds=1), "on_site", LATER)),
    (FALSE, ProgressIncident("found_false", NOON + timedelta(seconds=1), "cooking", None)),
    (DISPATCHED, ProgressIncident("dispatched", NOON + timedelta(seconds=1), "fire_brigade", LATER)),
    (RESOLVED, ProgressIncident("resolved", NOON + timedelta(seconds=1), "put_out", None)),
    (ESCALATED, TellOverdue(1, "acknowledgement", LATER, ("guard", "staff"), LATER + timedelta(minutes=1))),
    (BEGUN, TellRelease(INCIDENT, RELEASE, True, 1, 1, NOON + timedelta(seconds=1), UUID(int=1))),
    (JOINED, TellRelease(INCIDENT, RELEASE, True, 1, 1, NOON + timedelta(seconds=1), UUID(int=1))),
    (ENDED, TellRelease(INCIDENT, RELEASE, False, 1, 1, NOON + timedelta(seconds=1), UUID(int=1))),
], ids=lambda value: type(value).__name__)
async def test_what_is_heard_becomes_a_command(event: Any, command: Any) -> None:
    (do,) = await done(event)
    assert (do.subject_id, do.command) == (INCIDENT, command)


async def test_a_release_by_hand_is_no_step_of_an_incident() -> None:
    assert await done(replace(BEGUN, incident_id=None)) == [] == await done(replace(ENDED, incident_id=None))


async def test_the_end_of_a_release_is_told_of_every_fire_of_it_whatever_has_been_told_of_its_beginning() -> None:
    ended, further = replace(ENDED, incident_id=None, incidents=(INCIDENT, UUID(int=9))), UUID(int=9)
    dos = await done(ended)
    assert len({do.name for do in dos}) == 4 and {do.subject_id for do in dos} == {INCIDENT, further}
    mine = [do.command for do in dos if do.subject_id == INCIDENT]
    over = replace(RELEASED, released=False, doors=1, lifts=1, at=NOON + timedelta(seconds=1))
    for happened in ([OPENED, RELEASED], [OPENED]):
        for command in mine:
            happened += decided(command, *happened)
        assert [event.released for event in happened[1:]] == [True, False] and happened[-1] == over
    assert [do.subject_id for do in await done(replace(ENDED, incidents=(INCIDENT, further)))] == [INCIDENT, further, further]


async def test_without_a_division_code_nothing_is_told_yet() -> None:
    with pytest.raises(NotYet):
        await done(RAISED, knows=divisions(ELSEWHERE))


async def test_what_a_release_waited_for_is_caused_by_it_too() -> None:
    (do,) = await done(RAISED, App(GOVERNMENT.fold(decided(BEGIN))))
    assert do.caused_by == (UUID(int=5),)


def test_every_own_event_but_the_one_that_waits_is_told_one_for_one() -> None:
    assert set(SAID) == set(EVENTS) - {ReleaseHeard} and set(SAID.values()) == set(PUBLISHES["gateway"])
    for private, contract in SAID.items():
        assert set(contract.__struct_fields__) <= set(private.__struct_fields__)
        assert tag_of(private) != tag_of(contract) and tag_of(private) not in {tag_of(c) for c in SERVICE.contracts}
    (said,) = publish(RELEASED, story()[0][1])
    assert (said.subject, said.body) == (f"incident:{INCIDENT}", public.FireReleased(*OF, True, 2, 1, NOON))


def test_the_order_is_kept_by_incident() -> None:
    assert {incident_of(event, row) for event, row in story() if getattr(event, "incident_id", None)} == {f"incident:{INCIDENT}"}
    assert {FireReleaseBegun, FireReleaseJoined, FireReleaseEnded} < set(telling(App(), divisions()).on)  # type: ignore[arg-type]


def kinds_in(kind: Any) -> set[Any]:
    return {kind, *(one for arg in get_args(kind) for one in kinds_in(arg))}


@pytest.mark.parametrize("contract", PUBLISHES["gateway"], ids=lambda contract: contract.__name__)
def test_no_person_home_or_sealed_field_is_in_what_authorities_hear(contract: Any) -> None:
    forbidden = {
        "by", "person_id", "resident_id", "holder_id", "host_id", "keeper_id", "raised_by", "assignee", "owner", "name", "home_id", "unit",
        "floor", "place", "plate", "phone", "source_id", "sensor_id", "device_id"}
    found = {field.name: field.type for field in fields(contract)}
    assert not forbidden & set(found)
    assert {name for name, kind in found.items() if UUID in kinds_in(kind)} == {"incident_id", "building_id"}
    for kind in found.values():
        inside = {k for k in kinds_in(kind) if isinstance(k, type) and not isinstance(k, UnionType)}
        assert SealedField not in inside and not any(issubclass(k, msgspec.Struct) for k in inside)


def test_the_stream_is_published_under_its_own_name() -> None:
    assert SERVICE.topic == "gov.incidents" and SERVICE.publish is publish and asyncio.iscoroutinefunction(Divisions().code)
