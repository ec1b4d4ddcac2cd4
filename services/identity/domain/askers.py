"""How often one account may look at personal data, or ask for people who are none of its business: so much, and then a finding.

60 looks an hour: a counter clerk with a full office needs fewer. 20 misses a day: whoever asks for residents that are not theirs is
guessing. The first attempt beyond is a finding (`probing_found`), once in that time; all of them are refused. So is the first plate
beyond those that an account may declare (`declarations.py`).

A look asked for again under its key is the same look for a minute, while its answer may have been lost. Later it would be another one, at
what is there then, and on nobody's record.

A stream is one of a person in a community, for an account is of one; who works in two has a budget in each.
"""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused
from services.identity.domain.budgets import left
from services.identity.domain.declarations import TIMES, WITHIN

Kind = Literal["look", "miss", "declaration"]
LIMITS: dict[Kind, tuple[int, timedelta]] = {
    "look": (60, timedelta(hours=1)), "miss": (20, timedelta(days=1)), "declaration": (TIMES, WITHIN)}
RETRY = timedelta(minutes=1)
CODES: dict[Kind, str] = {"look": "too_many_looks", "miss": "too_many_misses", "declaration": "too_many_declarations"}


# what happened


class AttemptCounted(Struct, frozen=True, tag="attempt_counted"):
    kind: Kind
    at: datetime


class ProbingFound(Struct, frozen=True, tag="probing_found"):
    """`person_id` has used up what an account may do of this kind; `limit`: how often, in so many `seconds`."""

    person_id: UUID
    role: str
    kind: Kind
    limit: int
    seconds: int
    at: datetime


AskerEvent = AttemptCounted | ProbingFound


# what is


class Asker(Struct, frozen=True):
    """When, oldest first, as many as the limit can look back at; `found`: when the limit was last run into."""

    looks: tuple[datetime, ...] = ()
    misses: tuple[datetime, ...] = ()
    found: dict[Kind, datetime] = {}

    def counted(self, kind: Kind) -> tuple[datetime, ...]:
        return self.looks if kind == "look" else self.misses


def evolve(asker: Asker, event: AskerEvent) -> Asker:
    match event:
        case AttemptCounted(kind="look", at=at):
            return Asker((*asker.looks, at)[-LIMITS["look"][0]:], asker.misses, asker.found)
        case AttemptCounted(kind="miss", at=at):
            return Asker(asker.looks, (*asker.misses, at)[-LIMITS["miss"][0]:], asker.found)
        case ProbingFound(kind=kind, at=at):
            return Asker(asker.looks, asker.misses, {**asker.found, kind: at})
        case _:
            return asker


# what is asked


class CountAttempt(Struct, frozen=True):
    person_id: UUID
    role: str
    kind: Kind
    now: datetime


class NoteProbing(Struct, frozen=True):
    """A limit that is counted elsewhere was run into."""

    person_id: UUID
    role: str
    kind: Kind
    now: datetime


def _found(command: CountAttempt | NoteProbing, asker: Asker) -> list[AskerEvent]:
    """Silent where it was found not long ago."""
    (most, within), before = LIMITS[command.kind], asker.found.get(command.kind)
    if before is not None and abs(command.now - before) < within:
        return []
    return [ProbingFound(command.person_id, command.role, command.kind, most, int(within.total_seconds()), command.now)]


def decide_note_probing(command: NoteProbing, asker: Asker) -> list[AskerEvent]:
    return _found(command, asker)


def decide_count_attempt(command: CountAttempt, asker: Asker) -> list[AskerEvent]:
    wait = left(asker.counted(command.kind), *LIMITS[command.kind], command.now)
    if wait <= timedelta():
        return [AttemptCounted(command.kind, command.now)]
    if found := _found(command, asker):
        return found
    raise Refused(CODES[command.kind], retry_after_seconds=int(wait.total_seconds()) + 1)


def check_retry(looked_at: datetime, now: datetime) -> None:
    """Raises Refused for a look that is over."""
    if now - looked_at > RETRY:
        raise Refused("look_expired")


ASKERS = Decider[Asker, AskerEvent](
    category="asker", initial=Asker(), evolve=evolve, decide={
        CountAttempt: decide_count_attempt, NoteProbing: decide_note_probing})
