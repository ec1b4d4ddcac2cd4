"""A passage: what was decided about the vehicle at a lane, whether its barrier was lifted, whether it went through.

The passage has the id of the camera's report. It is judged once, on what was known then; only a live one lifts a barrier.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, NotFound, Refused, Release, Take
from libs.eventkit.sealed import Sealed
from services.parking.domain.judging import Judgement
from services.parking.domain.lanes import LaneInstalled

LATE = timedelta(hours=72)
"""An entry that was told so long afterwards is a person's to settle before it is billed."""
STILL_PASSING = timedelta(seconds=30)
"""Ours: longer than a barrier rises and a car drives under it, shorter than any car needs to get out unseen and in again."""

# what happened


class Seen(Struct, frozen=True, kw_only=True):
    """What the camera saw; the plate in its stored form, sealed. `at`: the camera's clock where it can be believed. `dated` False: it
    was told from memory without a time to believe, and `at` is when we heard of it."""

    plate: Sealed | None = None
    colour: str = ""
    vehicle_kind: str = ""
    new_energy: bool = False
    at: datetime
    live: bool = True
    dated: bool = True

    def told_late(self, at: datetime) -> bool:
        return not self.live and at - self.at > LATE


class PassageJudged(Struct, frozen=True, tag="passage_judged"):
    """`displaced`: the session of this plate whose exit nobody saw. `lets_through`: the passage held back before, by hand."""

    passage_id: UUID
    lane: LaneInstalled
    seen: Seen
    judgement: Judgement
    displaced: UUID | None = None
    lets_through: UUID | None = None


class BarrierOrdered(Struct, frozen=True, tag="barrier_ordered"):
    """`answers`: the camera waits in the response to this report."""

    order_id: UUID
    lane: LaneInstalled
    answers: UUID | None
    judgement: Judgement


class PassageCompleted(Struct, frozen=True, tag="passage_completed"):
    """The vehicle went through. `by`: barrier (we lifted it), fallback (the camera did, undecided), device (while we were away)."""

    passage_id: UUID
    by: str


class PassageFailed(Struct, frozen=True, tag="passage_failed"):
    """The barrier was not lifted, or nobody knows: `reason` as devices said it."""

    passage_id: UUID
    reason: str


PassageEvent = PassageJudged | BarrierOrdered | PassageCompleted | PassageFailed


# what is


class NoPassage(Struct, frozen=True):
    pass


class Judged(Struct, frozen=True):
    said: PassageJudged


class Completed(Struct, frozen=True):
    said: PassageJudged


class Failed(Struct, frozen=True):
    said: PassageJudged
    reason: str


Passage = NoPassage | Judged | Completed | Failed


def evolve(passage: Passage, event: PassageEvent) -> Passage:
    match passage, event:
        case _, PassageJudged():
            return Judged(event)
        case (Judged() | Failed()), PassageCompleted():
            return Completed(passage.said)
        case Judged(), PassageFailed(reason=reason):
            return Failed(passage.said, reason)
        case _:
            return passage


def held_back(passage: Passage) -> PassageJudged:
    """Whom a person may let through by hand: who was refused, or whose barrier did not rise. Raises NotFound, Refused
    `passage_under_way`, `passage_completed`."""
    match passage:
        case Judged(said=said) if said.judgement.admitted:
            raise Refused("passage_under_way")
        case Judged(said=said) | Failed(said=said):
            return said
        case Completed():
            raise Refused("passage_completed")
        case NoPassage():
            raise NotFound("passage")
        case _:
            assert_never(passage)


def read_again(passage: Passage, session_id: UUID, lane_id: UUID, at: datetime) -> Judgement | None:
    """A camera may read a car again that stands under its barrier. That is no other passage: it is answered as before, for the
    same stay, and there is nothing to find. None where it has to be judged."""
    if not isinstance(passage, Completed) or passage.said.lane.lane_id != lane_id or abs(at - passage.said.seen.at) > STILL_PASSING:
        return None
    return replace(passage.said.judgement, session_id=session_id, finding=None, candidates=())


# what is asked


class JudgePassage(Struct, frozen=True):
    """`waits`: the camera waits for its answer in the response. `doubted`: it tells what is old as if it were new, so that either its
    clock or its memory is wrong, and nobody knows whether the vehicle has passed. The rest as `PassageJudged` has it."""

    passage_id: UUID
    lane: LaneInstalled
    seen: Seen
    judgement: Judgement
    displaced: UUID | None = None
    waits: bool = False
    doubted: bool = False
    lets_through: UUID | None = None


class CompletePassage(Struct, frozen=True):
    passage_id: UUID
    by: str


class FailPassage(Struct, frozen=True):
    passage_id: UUID
    reason: str


def decide_judge(command: JudgePassage, passage: Passage) -> list[PassageEvent]:
    if not isinstance(passage, NoPassage):
        return []
    judged = PassageJudged(
        command.passage_id, command.lane, command.seen, command.judgement, command.displaced, command.lets_through)
    if command.doubted:
        return [replace(judged, judgement=replace(command.judgement, finding="unclear_passage"))]
    if not command.seen.live:
        return [judged, PassageCompleted(command.passage_id, "device")]
    if not command.judgement.admitted:
        return [judged]
    answers = command.passage_id if command.waits else None
    return [judged, BarrierOrdered(command.passage_id, command.lane, answers, command.judgement)]


def decide_complete(command: CompletePassage, passage: Passage) -> list[PassageEvent]:
    """Nothing of a passage that this log does not know: somebody decided it by hand, and a restore has lost that (decision 21). What
    cameras saw is judged before its outcome comes, the second time as well."""
    match passage:
        case Judged() | Failed():
            return [PassageCompleted(command.passage_id, command.by)]
        case NoPassage() | Completed():
            return []
        case _:
            assert_never(passage)


def decide_fail(command: FailPassage, passage: Passage) -> list[PassageEvent]:
    """As for one that was carried out."""
    match passage:
        case Judged():
            return [PassageFailed(command.passage_id, command.reason)]
        case NoPassage() | Completed() | Failed():
            return []
        case _:
            assert_never(passage)


def claims(command: Any, event: PassageEvent) -> Iterable[Take | Release]:
    """Of two guards one lets the car through, unless the barrier did not rise."""
    match event:
        case PassageJudged(lets_through=UUID() as passage_id):
            yield Take("let_through", str(passage_id), "let_through_already")
        case PassageFailed():
            yield Release("let_through")
        case _:
            pass


PASSAGES = Decider[Passage, PassageEvent](
    category="passage", initial=NoPassage(), evolve=evolve,
    decide={JudgePassage: decide_judge, CompletePassage: decide_complete, FailPassage: decide_fail}, claims=claims)
