"""What a person has to settle before it costs anybody anything: a missing exit, a look-alike, a car without plate or entry."""

from typing import Literal, assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, NotFound, Refused
from services.parking.domain.judging import FindingKind

How = Literal["let_through", "turned_away", "chosen", "waived", "left_earlier", "paid", "refunded", "other"]


class FindingRaised(Struct, frozen=True, tag="finding_raised"):
    """`candidates`: sessions or rights that might be meant."""

    finding_id: UUID
    kind: FindingKind
    lane_id: UUID | None = None
    session_id: UUID | None = None
    passage_id: UUID | None = None
    candidates: tuple[UUID, ...] = ()


class FindingSettled(Struct, frozen=True, tag="finding_settled"):
    """`chosen`: which of the candidates it is. `by`: who settled it, none for what followed from something else."""

    finding_id: UUID
    how: How
    chosen: UUID | None = None
    by: UUID | None = None
    note: str = ""


FindingEvent = FindingRaised | FindingSettled


class NoFinding(Struct, frozen=True):
    pass


class Raised(Struct, frozen=True):
    said: FindingRaised


class Settled(Struct, frozen=True):
    said: FindingRaised
    how: How
    chosen: UUID | None


Finding = NoFinding | Raised | Settled


def evolve(finding: Finding, event: FindingEvent) -> Finding:
    match finding, event:
        case NoFinding(), FindingRaised():
            return Raised(event)
        case Raised(said=said), FindingSettled(how=how, chosen=chosen):
            return Settled(said, how, chosen)
        case _:
            return finding


class RaiseFinding(Struct, frozen=True):
    raised: FindingRaised


class SettleFinding(Struct, frozen=True):
    finding_id: UUID
    how: How
    chosen: UUID | None = None
    by: UUID | None = None
    note: str = ""


def decide_raise(command: RaiseFinding, finding: Finding) -> list[FindingEvent]:
    return [command.raised] if isinstance(finding, NoFinding) else []


def decide_settle(command: SettleFinding, finding: Finding) -> list[FindingEvent]:
    match finding:
        case NoFinding():
            raise NotFound("finding")
        case Raised(said=said):
            if said.kind == "missing_exit" and command.how == "left_earlier" and command.by is not None:
                raise Refused("left_when", session_id=said.session_id)  # a stay is settled with the moment
            choosing = command.how == "chosen"
            if choosing != (command.chosen is not None) or (choosing and command.chosen not in said.candidates):
                raise Refused("not_a_candidate")
            return [FindingSettled(command.finding_id, command.how, command.chosen, command.by, command.note)]
        case Settled(how=how, chosen=chosen):
            if (how, chosen) != (command.how, command.chosen):
                raise Refused("finding_already_settled", how=how)
            return []
        case _:
            assert_never(finding)


FINDINGS = Decider[Finding, FindingEvent](
    category="finding", initial=NoFinding(), evolve=evolve, decide={RaiseFinding: decide_raise, SettleFinding: decide_settle})
