"""Something that is due: an egg is to be taken out at its moment, which may be moved, or nobody wants it any more."""

from datetime import datetime

from msgspec import Struct

from libs.eventkit.decider import Decider


class Boiling(Struct, frozen=True, tag="boiling"):
    until: datetime


class TakenOut(Struct, frozen=True, tag="taken_out"):
    pass


class Boiled(Struct, frozen=True, tag="boiled"):
    until: datetime


class Egg(Struct, frozen=True):
    until: datetime | None = None


def evolve(egg: Egg, event: Struct) -> Egg:
    return Egg(event.until) if isinstance(event, Boiling) else Egg()


class Boil(Struct, frozen=True):
    until: datetime


class TakeOut(Struct, frozen=True):
    pass


class Ready(Struct, frozen=True):
    until: datetime


def decide_boil(command: Boil, egg: Egg) -> list[Struct]:
    return [Boiling(command.until)]


def decide_take_out(command: TakeOut, egg: Egg) -> list[Struct]:
    return [TakenOut()] if egg.until else []


def decide_ready(command: Ready, egg: Egg) -> list[Struct]:
    """Deliberately blind to whether it is boiled: only the mechanism keeps a rerun from saying it twice."""
    return [Boiled(command.until)]


EGGS: Decider[Egg, Struct] = Decider(
    category="egg", initial=Egg(), evolve=evolve, decide={Boil: decide_boil, TakeOut: decide_take_out, Ready: decide_ready})
