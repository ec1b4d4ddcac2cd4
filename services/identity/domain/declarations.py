"""How often one account may declare a plate: 10 times a day, whatever comes of it, since each may be a probe.

A stream is one of a person in a community (`askers.py`); each declaration stands there with its moment.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused
from services.identity.domain.budgets import left

TIMES, WITHIN = 10, timedelta(days=1)


# what happened


class DeclarationCounted(Struct, frozen=True, tag="declaration_counted"):
    at: datetime


# what is


class Declarer(Struct, frozen=True):
    """When plates were declared, oldest first, as many as the limit can look back at."""

    declared: tuple[datetime, ...] = ()


def evolve(declarer: Declarer, event: DeclarationCounted) -> Declarer:
    match event:
        case DeclarationCounted(at=at):
            return Declarer(declared=(*declarer.declared, at)[-TIMES:])
        case _:
            return declarer


# what is asked


class CountDeclaration(Struct, frozen=True):
    now: datetime


def decide_count_declaration(command: CountDeclaration, declarer: Declarer) -> list[DeclarationCounted]:
    if (wait := left(declarer.declared, TIMES, WITHIN, command.now)) > timedelta():
        raise Refused("too_many_declarations", retry_after_seconds=int(wait.total_seconds()) + 1)
    return [DeclarationCounted(at=command.now)]


DECLARATIONS = Decider[Declarer, DeclarationCounted](
    category="declarer",
    initial=Declarer(),
    evolve=evolve,
    decide={CountDeclaration: decide_count_declaration},
)
