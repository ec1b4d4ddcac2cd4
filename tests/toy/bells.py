"""Orders to a device: a bell is to be rung once, in time or not at all."""

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider


class RingOrdered(Struct, frozen=True, tag="ring_ordered"):
    bell: str


class RingAttempted(Struct, frozen=True, tag="ring_attempted"):
    pass


class Rung(Struct, frozen=True, tag="rung"):
    pass


class RingExpired(Struct, frozen=True, tag="ring_expired"):
    pass


class RingUnknown(Struct, frozen=True, tag="ring_unknown"):
    pass


class Ring(Struct, frozen=True):
    ordered: bool = False
    attempted: bool = False
    over: bool = False


def evolve(state: Ring, event: Struct) -> Ring:
    match event:
        case RingOrdered():
            return replace(state, ordered=True)
        case RingAttempted():
            return replace(state, attempted=True)
    return replace(state, over=True)


class Order(Struct, frozen=True):
    bell: str


class Attempt(Struct, frozen=True):
    pass


class Done(Struct, frozen=True):
    pass


class Expire(Struct, frozen=True):
    pass


class GiveUp(Struct, frozen=True):
    pass


def decide_order(command: Order, state: Ring) -> list[Struct]:
    return [] if state.ordered else [RingOrdered(command.bell)]


def decide_attempt(command: Attempt, state: Ring) -> list[Struct]:
    return [] if state.attempted or state.over else [RingAttempted()]


def decide_done(command: Done, state: Ring) -> list[Struct]:
    return [] if state.over else [Rung()]


def decide_expire(command: Expire, state: Ring) -> list[Struct]:
    return [] if state.attempted or state.over else [RingExpired()]


def decide_give_up(command: GiveUp, state: Ring) -> list[Struct]:
    return [RingUnknown()] if state.attempted and not state.over else []


RINGS: Decider[Ring, Struct] = Decider(
    category="ring", initial=Ring(), evolve=evolve,
    decide={Order: decide_order, Attempt: decide_attempt, Done: decide_done, Expire: decide_expire, GiveUp: decide_give_up})
