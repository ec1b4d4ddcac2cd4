"""A hold: a relay of a device is to stay in a state (door held open, lift called to the ground floor, normal again) until somebody
wants another.

Not a pulse as an order is (`orders.py`, architecture decision 13): telling a relay twice to be in a state harms nobody, telling it
never does (`docs/decisions/0014-a-release-is-a-state.md`).

1. Several releases may want one relay. It is normal again when none of them wants it held.
2. What is wanted is told after 1 s, then after twice as long each time, at most 60 s (`pause`), until the device confirms it or
   something else is wanted.
3. A newer wish takes the place of an older one that is not confirmed yet. A device that may have been told to hold is told `normal`.
4. What the device says of a wish that is replaced counts for what it is: done, it is so; not done, it is nobody's concern any more.
5. A device that was retired is told no more, and whoever waits for it hears that it will never do it.
"""

from datetime import datetime, timedelta
from typing import Literal, assert_never
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, Refused

Held = Literal["held_open", "recalled"]
RelayState = Literal["held_open", "recalled", "normal"]
FIRST, LONGEST = timedelta(seconds=1), timedelta(seconds=60)


# what happened


class HoldWanted(Struct, frozen=True, tag="hold_wanted"):
    """A release wants the relay in this state; `normal`: it wants it held no more. `because`: the event by which it said so."""

    release_id: UUID
    device_id: UUID
    door_no: int
    state: RelayState
    because: UUID
    at: datetime


class HoldCarriedOut(Struct, frozen=True, tag="hold_carried_out"):
    """The device said that the relay is in this state. `releases`: those that have waited for it."""

    releases: tuple[UUID, ...]
    device_id: UUID
    door_no: int
    state: RelayState


class HoldFailed(Struct, frozen=True, tag="hold_failed"):
    """`reason`: refused, unreachable, unknown. `code`: the device's own, where it gave one. `again_at`: not to be told before."""

    releases: tuple[UUID, ...]
    device_id: UUID
    door_no: int
    state: RelayState
    reason: str
    attempt: int
    again_at: datetime
    code: str = ""


class DeviceGone(Struct, frozen=True, tag="hold_device_gone"):
    """The device was retired before it had confirmed what is wanted, after so many attempts."""

    releases: tuple[UUID, ...]
    device_id: UUID
    door_no: int
    state: RelayState
    attempts: int


HoldEvent = HoldWanted | HoldCarriedOut | HoldFailed | DeviceGone


# what is


class Wish(Struct, frozen=True):
    release_id: UUID
    state: Held


class Relay(Struct, frozen=True):
    """Somebody wants, or has wanted, something of it. `wishes`: of the releases that want it held, the latest last. `unanswered`: the
    releases that wait to hear of it. `over`: those that want nothing any more."""

    device_id: UUID
    door_no: int
    because: UUID
    wishes: tuple[Wish, ...] = ()
    unanswered: tuple[UUID, ...] = ()
    over: tuple[UUID, ...] = ()

    @property
    def wanted(self) -> RelayState:
        return self.wishes[-1].state if self.wishes else "normal"

    @property
    def waiting(self) -> tuple[UUID, ...]:
        """Those that what is wanted now is an answer to: a release that has ended is answered by `normal` alone."""
        held = {wish.release_id for wish in self.wishes}
        return tuple(i for i in self.unanswered if (i in held) == bool(held))


class Untold(Relay, frozen=True, kw_only=True):
    """What is wanted is not confirmed. `attempts`: those that have failed since it has been wanted."""

    again_at: datetime
    attempts: int = 0


class Confirmed(Relay, frozen=True):
    """The device is as it is wanted."""


class Gone(Relay, frozen=True):
    """With its device. What is wanted anew is asked of it anew: it may be registered again."""


class NoHold(Struct, frozen=True):
    pass


Hold = NoHold | Untold | Confirmed | Gone


def evolve(hold: Hold, event: HoldEvent) -> Hold:
    match hold, event:
        case _, HoldWanted():
            return _wanted(hold, event)
        case Untold(), HoldCarriedOut(state=state) if state == hold.wanted:
            return Confirmed(hold.device_id, hold.door_no, hold.because, hold.wishes, _left(hold, event), hold.over)
        case Untold(), DeviceGone():
            return Gone(hold.device_id, hold.door_no, hold.because, hold.wishes, _left(hold, event), hold.over)
        case Untold(), HoldFailed(attempt=attempt, again_at=again_at):
            return replace(hold, attempts=attempt, again_at=again_at)
        case _:
            return hold


def _left(hold: Untold, event: HoldCarriedOut | DeviceGone) -> tuple[UUID, ...]:
    return tuple(i for i in hold.unanswered if i not in event.releases)


def _wanted(hold: Hold, event: HoldWanted) -> Hold:
    known = Relay(event.device_id, event.door_no, event.because) if isinstance(hold, NoHold) else hold
    wishes = tuple(wish for wish in known.wishes if wish.release_id != event.release_id)
    unanswered = (*(i for i in known.unanswered if i != event.release_id), event.release_id)
    if event.state != "normal":
        wishes = (*wishes, Wish(event.release_id, event.state))
        return Untold(
            event.device_id, event.door_no, event.because, wishes, unanswered, known.over, again_at=event.at)
    over = (*known.over, event.release_id)
    if isinstance(hold, Confirmed) and wishes and wishes[-1].state == hold.wanted:  # others want it as it is
        return Confirmed(hold.device_id, hold.door_no, hold.because, wishes, unanswered, over)
    return Untold(event.device_id, event.door_no, event.because, wishes, unanswered, over, again_at=event.at)


def due(hold: Hold) -> datetime | None:
    """When the device is to be told what is wanted, None where it has confirmed it."""
    return hold.again_at if isinstance(hold, Untold) else None


# what is asked


class WantHold(Struct, frozen=True):
    release_id: UUID
    device_id: UUID
    door_no: int
    state: RelayState
    because: UUID
    at: datetime


class RecordHeld(Struct, frozen=True):
    """The device said that its relay is in this state."""

    state: RelayState


class RecordNotHeld(Struct, frozen=True):
    """`attempt`: which one it was; one that is on record is not recorded again."""

    state: RelayState
    reason: str
    code: str
    attempt: int
    now: datetime


class EndWithDevice(Struct, frozen=True):
    """The device was retired."""


def hold_id_of(community_id: UUID, device_id: UUID, door_no: int) -> UUID:
    """One for each relay; of the community, so that nobody else's can stand in its way."""
    return uuid5(device_id, f"{community_id} {door_no}")


def pause(attempts: int) -> timedelta:
    """After so many attempts that failed."""
    return min(FIRST * (1 << min(attempts - 1, 20)), LONGEST)


def decide_want_hold(command: WantHold, hold: Hold) -> list[HoldEvent]:
    """Silent where the release wants it so already, is over, or has never wanted anything here."""
    known = () if isinstance(hold, NoHold) else hold.wishes
    wished = next((wish.state for wish in known if wish.release_id == command.release_id), "normal")
    if wished == command.state or (not isinstance(hold, NoHold) and command.release_id in hold.over):
        return []
    return [HoldWanted(
        command.release_id, command.device_id, command.door_no, command.state, command.because, command.at)]


def decide_record_held(command: RecordHeld, hold: Hold) -> list[HoldEvent]:
    match hold:
        case NoHold():
            raise Refused("hold_not_wanted")
        case Untold() if command.state != hold.wanted:
            return []
        case Untold():
            return [HoldCarriedOut(hold.waiting, hold.device_id, hold.door_no, command.state)]
        case Confirmed() | Gone():
            return []
        case _:
            assert_never(hold)


def decide_record_not_held(command: RecordNotHeld, hold: Hold) -> list[HoldEvent]:
    match hold:
        case NoHold():
            raise Refused("hold_not_wanted")
        case Untold() if command.state != hold.wanted or command.attempt != hold.attempts + 1:
            return []
        case Untold():
            return [HoldFailed(
                hold.waiting, hold.device_id, hold.door_no, command.state, command.reason, command.attempt,
                command.now + pause(command.attempt), command.code)]
        case Confirmed() | Gone():
            return []
        case _:
            assert_never(hold)


def decide_end_with_device(command: EndWithDevice, hold: Hold) -> list[HoldEvent]:
    match hold:
        case NoHold():
            raise Refused("hold_not_wanted")
        case Untold():
            return [DeviceGone(hold.waiting, hold.device_id, hold.door_no, hold.wanted, hold.attempts)]
        case Confirmed() | Gone():
            return []
        case _:
            assert_never(hold)


HOLDS = Decider[Hold, HoldEvent](
    category="hold", initial=NoHold(), evolve=evolve,
    decide={
        WantHold: decide_want_hold, RecordHeld: decide_record_held, RecordNotHeld: decide_record_not_held,
        EndWithDevice: decide_end_with_device})
