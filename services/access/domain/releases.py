"""A fire release: the evacuation doors of a building stand open and its lifts go to the ground floor until people end it.

1. It begins with a verified fire in the building (rule `fire_verified`), or because a person says so (`by_hand`), and what is
   released is fixed then. A further fire of the building joins the release that runs: there is never a second one.
2. People alone end it. While a fire of it is not over, only whoever says so (`despite_fire`) may. That a fire is over, or was
   none, ends nothing.
3. A fire after the end begins a new release.
4. Devices confirm each relay twice, held and normal again, in whatever order their answers come; what is confirmed stays so. That a relay
   is normal again may be confirmed when the building has been released anew: it then counts for each release that has waited for it.
5. Of a device that was retired nothing more comes (`device_retired`): its relay keeps no release waiting, and stands in the list as failed.

It is a state and no pulse: `docs/decisions/0014-a-release-is-a-state.md`. Domain notes: "confirmed fire opens the evacuation doors of
the building and sends lifts to the ground floor; the release is recorded and ended by people".
"""

from typing import Literal, Self, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, NotFound, Refused
from services.access.domain.admission import Fact

Rule = Literal["fire_verified", "by_hand"]
End = Literal["fire_over", "despite_fire"]
How = Literal["resolved", "found_false"]
FIRE_VERIFIED: Rule = "fire_verified"
BY_HAND: Rule = "by_hand"
FOR_GOOD = "device_retired"
"""Why a relay does not do it and will not be told again."""
REASONS: dict[Rule, str] = {"fire_verified": "fire_is_real", "by_hand": "person_decided"}


class ReleasedRelay(Struct, frozen=True):
    """`id`: the door or lift. `state`: what its relay is to stay in."""

    id: UUID
    device_id: UUID
    door_no: int
    state: Literal["held_open", "recalled"]


# what happened


class FireReleaseBegun(Struct, frozen=True, tag="fire_release_begun"):
    """`by`: the person who began it, None where the rule did."""

    release_id: UUID
    building_id: UUID
    incident_id: UUID | None
    by: UUID | None
    relays: tuple[ReleasedRelay, ...]
    rule: Rule
    reason: str
    facts: tuple[Fact, ...]


class FireReleaseJoined(Struct, frozen=True, tag="fire_release_joined"):
    """Another fire of the building has been verified while it is released."""

    release_id: UUID
    building_id: UUID
    incident_id: UUID
    relays: tuple[ReleasedRelay, ...] = ()


class FireOver(Struct, frozen=True, tag="fire_over"):
    """A person said of one of its fires that it is over, or was none."""

    release_id: UUID
    building_id: UUID
    incident_id: UUID
    how: How


class FireReleaseEnded(Struct, frozen=True, tag="fire_release_ended"):
    """`incidents`: all of its fires."""

    release_id: UUID
    building_id: UUID
    incident_id: UUID | None
    by: UUID
    reason: End
    relays: tuple[ReleasedRelay, ...]
    incidents: tuple[UUID, ...] = ()


class RelayReleased(Struct, frozen=True, tag="relay_released"):
    """The device confirmed that the relay is held (`released`), or normal again. `door_id`: the door or lift."""

    release_id: UUID
    door_id: UUID
    released: bool


class RelayNotReleased(Struct, frozen=True, tag="relay_not_released"):
    """The device has not done it so far; devices tries it again, but one that was retired. Said once for each reason, not each attempt."""

    release_id: UUID
    door_id: UUID
    released: bool
    reason: str


ReleaseEvent = FireReleaseBegun | FireReleaseJoined | FireOver | FireReleaseEnded | RelayReleased | RelayNotReleased


# what is


class Answer(Struct, frozen=True):
    """What became of a door or lift so far. `failed`: why not yet; empty where the device has confirmed it."""

    door_id: UUID
    released: bool
    failed: str = ""


class _Known(Struct, frozen=True):
    """`incidents`: its fires, the first of which may have begun it. `earlier`: releases of the building before it that are not set back."""

    release_id: UUID
    incident_id: UUID | None
    relays: tuple[ReleasedRelay, ...]
    incidents: tuple[UUID, ...]
    answers: tuple[Answer, ...] = ()
    earlier: tuple["Ended", ...] = ()

    def answer(self, door_id: UUID, released: bool) -> Answer | None:
        return next((a for a in self.answers if (a.door_id, a.released) == (door_id, released)), None)

    def told(self, answer: Answer) -> Self:
        others = (a for a in self.answers if (a.door_id, a.released) != (answer.door_id, answer.released))
        return replace(self, answers=(*others, answer))


class NotReleased(Struct, frozen=True):
    pass


class Released(_Known, frozen=True):
    """`over`: those of its fires that are over."""

    over: tuple[UUID, ...] = ()

    @property
    def burning(self) -> tuple[UUID, ...]:
        return tuple(i for i in self.incidents if i not in self.over)


class Ended(_Known, frozen=True):
    """The relays go back to normal."""

    @property
    def set_back(self) -> bool:
        """Or will never be, since its device is gone: either way nothing more comes."""
        return all((a := self.answer(relay.id, False)) is not None and a.failed in ("", FOR_GOOD) for relay in self.relays)


Release = NotReleased | Released | Ended


def evolve(release: Release, event: ReleaseEvent) -> Release:
    match release, event:
        case NotReleased() | Ended(), FireReleaseBegun(release_id=release_id, incident_id=incident_id, relays=relays):
            before = (*release.earlier, replace(release, earlier=())) if isinstance(release, Ended) else ()
            return Released(
                release_id, incident_id, relays, (incident_id,) if incident_id else (), earlier=tuple(r for r in before if not r.set_back))
        case Released(), FireReleaseJoined(incident_id=joined):
            return replace(release, incidents=(*release.incidents, joined))
        case Released(), FireOver(incident_id=over):
            return replace(release, over=(*release.over, over))
        case Released(), FireReleaseEnded():
            return Ended(release.release_id, release.incident_id, release.relays, release.incidents, release.answers, release.earlier)
        case Released() | Ended(), RelayReleased(release_id=release_id, door_id=door_id, released=released):
            return _answered(release, release_id, Answer(door_id, released))
        case Released() | Ended(), RelayNotReleased(release_id=release_id, door_id=door_id, released=released, reason=reason):
            return _answered(release, release_id, Answer(door_id, released, reason))
        case _:
            return release


def _answered(release: Released | Ended, release_id: UUID, answer: Answer) -> Released | Ended:
    if release.release_id == release_id:
        return release.told(answer)
    earlier = (r.told(answer) if r.release_id == release_id else r for r in release.earlier)
    return replace(release, earlier=tuple(r for r in earlier if not r.set_back))


# what is asked


class BeginRelease(Struct, frozen=True):
    """`release_id`: that of a new one; where one runs already, the fire joins it."""

    release_id: UUID
    building_id: UUID
    incident_id: UUID | None
    by: UUID | None
    relays: tuple[ReleasedRelay, ...]
    rule: Rule
    facts: tuple[Fact, ...] = ()


class RecordFireOver(Struct, frozen=True):
    building_id: UUID
    incident_id: UUID
    how: How


class EndRelease(Struct, frozen=True):
    release_id: UUID
    building_id: UUID
    by: UUID
    despite_fire: bool


class RecordRelay(Struct, frozen=True):
    """What a device said of one relay. `failed`: why not; empty where it has done it."""

    release_id: UUID
    device_id: UUID
    door_no: int
    released: bool
    failed: str = ""


def decide_begin_release(command: BeginRelease, release: Release) -> list[ReleaseEvent]:
    incident_id = command.incident_id
    match release:
        case Released() | Ended() if incident_id is not None and incident_id in release.incidents:
            return []
        case Released():
            if incident_id is None:
                return []
            return [FireReleaseJoined(release.release_id, command.building_id, incident_id, release.relays)]
        case NotReleased() | Ended():
            return [FireReleaseBegun(
                release_id=command.release_id, building_id=command.building_id, incident_id=incident_id, by=command.by,
                relays=command.relays, rule=command.rule, reason=REASONS[command.rule], facts=command.facts)]
        case _:
            assert_never(release)


def decide_record_fire_over(command: RecordFireOver, release: Release) -> list[ReleaseEvent]:
    match release:
        case Released() if command.incident_id in release.burning:
            return [FireOver(release.release_id, command.building_id, command.incident_id, command.how)]
        case NotReleased() | Released() | Ended():
            return []
        case _:
            assert_never(release)


def decide_end_release(command: EndRelease, release: Release) -> list[ReleaseEvent]:
    """An earlier release of the building than the one that runs has ended."""
    match release:
        case NotReleased():
            raise NotFound("fire_release")
        case Released(release_id=release_id) if release_id == command.release_id:
            if release.burning and not command.despite_fire:
                raise Refused("fire_not_over", incidents=[str(i) for i in release.burning])
            return [FireReleaseEnded(
                release_id=release_id, building_id=command.building_id, incident_id=release.incident_id, by=command.by,
                reason="despite_fire" if release.burning else "fire_over", relays=release.relays, incidents=release.incidents)]
        case Released() | Ended():
            return []
        case _:
            assert_never(release)


def decide_record_relay(command: RecordRelay, release: Release) -> list[ReleaseEvent]:
    there = () if isinstance(release, NotReleased) else (release, *release.earlier)
    asked = next((r for r in there if r.release_id == command.release_id), None)
    if asked is None or (isinstance(asked, Released) and not command.released):
        return []
    where = (command.device_id, command.door_no)
    relay = next((r for r in asked.relays if (r.device_id, r.door_no) == where), None)
    if relay is None:
        return []
    known = asked.answer(relay.id, command.released)
    if known is not None and known.failed in ("", command.failed):
        return []
    if command.failed:
        return [RelayNotReleased(command.release_id, relay.id, command.released, command.failed)]
    return [RelayReleased(command.release_id, relay.id, command.released)]


RELEASES = Decider[Release, ReleaseEvent](
    category="fire_release", initial=NotReleased(), evolve=evolve,
    decide={
        BeginRelease: decide_begin_release, RecordFireOver: decide_record_fire_over, EndRelease: decide_end_release,
        RecordRelay: decide_record_relay,
    })
