"""The deadlines of one severity, as a community has set them. Incidents that are open already keep those they were raised with."""

from uuid import UUID, uuid5

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused
from services.alarm.domain.kinds import Severity
from services.alarm.domain.ladders import LADDERS, Ladder

LONGEST = 7 * 86_400


def ladder_id_of(community_id: UUID, severity: Severity) -> UUID:
    return uuid5(community_id, f"ladder {severity}")


# what happened


class LadderSet(Struct, frozen=True, tag="ladder_set"):
    severity: Severity
    ladder: Ladder


# what is


class Usual(Struct, frozen=True):
    pass


class Own(Struct, frozen=True):
    ladder: Ladder


LadderState = Usual | Own


def evolve(state: LadderState, event: LadderSet) -> LadderState:
    match event:
        case LadderSet(ladder=ladder):
            return Own(ladder)
        case _:
            return state


# what is asked


class SetLadder(Struct, frozen=True):
    severity: Severity
    ladder: Ladder


def decide_set_ladder(command: SetLadder, state: LadderState) -> list[LadderSet]:
    asked = command.ladder
    seconds = (asked.acknowledge, asked.verify, asked.dispatch, asked.resolve, asked.again)
    if not all(1 <= s <= LONGEST for s in seconds):
        raise Refused("deadline_out_of_range", longest=LONGEST)
    now = state.ladder if isinstance(state, Own) else LADDERS[command.severity]
    return [] if asked == now else [LadderSet(command.severity, asked)]


LADDER_SETTINGS = Decider[LadderState, LadderSet](
    category="ladder", initial=Usual(), evolve=evolve, decide={SetLadder: decide_set_ladder})
