"""How a resident counts in the population (实有人口): registered here (户籍), floating (流动), or from abroad (境外).

Each source's word is kept, as it said it last. What holds is the word of the police, else of the grid worker, else of staff,
else of the resident; that others say otherwise is a finding and changes nothing.
"""

from typing import Literal
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused

PopulationKind = Literal["registered", "floating", "foreign"]
Source = Literal["self", "staff", "grid", "police"]
ORDER: tuple[Source, ...] = ("police", "grid", "staff", "self")
"""Whose word counts before whose."""
CONTRADICTION = "sources_contradict"


# what happened


class PopulationDeclared(Struct, frozen=True, tag="population_declared"):
    """A source has said it. `by`: the person."""

    resident_id: UUID
    source: Source
    kind: PopulationKind
    by: UUID


class PopulationSettled(Struct, frozen=True, tag="population_settled"):
    """What holds from now on, and whose word it is."""

    resident_id: UUID
    source: Source
    kind: PopulationKind


PopulationEvent = PopulationDeclared | PopulationSettled


# what is


class Declared(Struct, frozen=True):
    """What each source said last; nothing where nobody has said anything."""

    said: dict[Source, PopulationKind] = {}


def evolve(declared: Declared, event: PopulationEvent) -> Declared:
    match event:
        case PopulationDeclared(source=source, kind=kind):
            return Declared({**declared.said, source: kind})
        case _:
            return declared


# what is asked


class DeclarePopulation(Struct, frozen=True):
    resident_id: UUID
    source: Source
    kind: PopulationKind
    by: UUID


def holds(said: dict[Source, PopulationKind]) -> tuple[Source, PopulationKind] | None:
    """None where nobody has said anything."""
    return next(((source, said[source]) for source in ORDER if source in said), None)


def findings(said: dict[Source, PopulationKind]) -> list[str]:
    return [CONTRADICTION] if len(set(said.values())) > 1 else []


def decide_declare_population(command: DeclarePopulation, declared: Declared) -> list[PopulationEvent]:
    if command.source not in ORDER:
        raise Refused("not_a_source")
    if declared.said.get(command.source) == command.kind:
        return []
    event = PopulationDeclared(command.resident_id, command.source, command.kind, command.by)
    before, after = holds(declared.said), holds(evolve(declared, event).said)
    if after is None or after == before:
        return [event]
    return [event, PopulationSettled(command.resident_id, *after)]


POPULATION = Decider[Declared, PopulationEvent](
    category="population", initial=Declared(), evolve=evolve, decide={DeclarePopulation: decide_declare_population})
