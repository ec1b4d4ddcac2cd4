"""What has happened to a home that is cared for, and what it comes to. The rules: `care.py`."""

from datetime import date, datetime, timedelta
from typing import Literal, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.alarm.domain.rhythm import Absence, by_day, learnt, usual

Agreed = Literal["self", "in_writing", "in_person"]
Asked = Literal["home", "neighbours"]
Answer = Literal["well", "not_well", "not_reached"]
How = Literal["sign", "well", "not_well", "unanswered", "called_off"]
Why = Literal["resident", "staff", "moved_out"]


class Terms(Struct, frozen=True):
    """`least`, `most`: hours of silence before which nobody is asked, after which somebody always is. `answer`: minutes."""

    least: int
    most: int
    answer: int
    helpers: tuple[UUID, ...]


# what happened


class CareArranged(Struct, frozen=True, tag="care_arranged"):
    """Said again when that changes; `edition` counts how often. `residents`: for whom."""

    home_id: UUID
    residents: tuple[UUID, ...]
    terms: Terms
    zone: str
    agreed: Agreed
    by: UUID
    at: datetime
    edition: int = 1


class HelperAnswered(Struct, frozen=True, tag="care_helper_answered"):
    home_id: UUID
    helper_id: UUID
    agrees: bool


class AbsenceSet(Struct, frozen=True, tag="care_absence_set"):
    """`until` not after `since`: they are back."""

    home_id: UUID
    absence: Absence
    by: UUID


class SignsCounted(Struct, frozen=True, tag="care_signs_counted"):
    """`last`: the latest sign of life; `silences`: the longest in minutes by the day on which it ended."""

    home_id: UUID
    last: datetime
    silences: dict[date, int]


class CheckAsked(Struct, frozen=True, tag="wellness_check_asked"):
    """`began_by`: a person on duty; None: it was due."""

    home_id: UUID
    check_id: UUID
    of: Asked
    asked: tuple[UUID, ...]
    silent_since: datetime
    answer_by: datetime
    began_by: UUID | None = None


class NotReached(Struct, frozen=True, tag="wellness_check_not_reached"):
    """A neighbour has tried in vain."""

    home_id: UUID
    check_id: UUID
    by: UUID


class CheckEnded(Struct, frozen=True, tag="wellness_check_ended"):
    home_id: UUID
    check_id: UUID
    how: How
    by: UUID | None
    asked: tuple[UUID, ...]
    silent_since: datetime
    at: datetime


class CareResumed(Struct, frozen=True, tag="care_resumed"):
    """After a check that nobody could answer."""

    home_id: UUID
    because: Literal["sign", "incident_over"]
    at: datetime


class CareEnded(Struct, frozen=True, tag="care_ended"):
    home_id: UUID
    why: Why
    by: UUID | None


CareEvent = (
    CareArranged | HelperAnswered | AbsenceSet | SignsCounted | CheckAsked | NotReached | CheckEnded | CareResumed | CareEnded)


# what is


class NoCare(Struct, frozen=True):
    pass


class Check(Struct, frozen=True):
    """`everybody`: who was asked so far; `tried`: neighbours who did not reach anybody."""

    said: CheckAsked
    everybody: tuple[UUID, ...]
    tried: frozenset[UUID] = frozenset()


class Cared(Struct, frozen=True):
    """`since`: from when on silence counts; `last`: the latest sign of life known; `check`: under way; `worried`: the last one became an
    incident, which is not over."""

    said: CareArranged
    since: datetime
    last: datetime | None = None
    days: dict[date, int] = {}
    answers: dict[UUID, bool] = {}
    absences: tuple[Absence, ...] = ()
    check: Check | None = None
    worried: CheckEnded | None = None

    @property
    def helpers(self) -> tuple[UUID, ...]:
        """Those who have agreed."""
        return tuple(one for one in self.said.terms.helpers if self.answers.get(one))

    @property
    def silent_since(self) -> datetime:
        return max(self.since, self.last or self.since, *(one.until for one in self.absences))

    @property
    def usual(self) -> timedelta:
        terms = self.said.terms
        return usual(self.days, timedelta(hours=terms.least), timedelta(hours=terms.most))


CareState = NoCare | Cared


def evolve(state: CareState, event: CareEvent) -> CareState:
    match state, event:
        case NoCare(), CareArranged(at=at):
            return Cared(event, at)
        case Cared(answers=answers), CareArranged(terms=terms):
            return replace(state, said=event, answers={one: yes for one, yes in answers.items() if one in terms.helpers})
        case Cared(answers=answers), HelperAnswered(helper_id=helper_id, agrees=agrees):
            return replace(state, answers={**answers, helper_id: agrees})
        case Cared(absences=absences), AbsenceSet(absence=new):
            before = tuple(replace(one, until=min(one.until, new.since)) for one in absences if one.since < new.since)
            return replace(state, absences=(*before, new) if new.since < new.until else before)
        case Cared(days=days, absences=absences), SignsCounted(last=last, silences=new):
            return replace(state, last=last, days=learnt(days, new), absences=tuple(one for one in absences if last < one.until))
        case Cared(check=check), CheckAsked(asked=asked):
            return replace(state, check=Check(event, (*check.everybody, *asked) if check is not None else asked))
        case Cared(check=Check() as check), NotReached(by=by):
            return replace(state, check=replace(check, tried=check.tried | {by}))
        case Cared(), CheckEnded(how="unanswered" | "not_well"):
            return replace(state, check=None, worried=event)
        case Cared(), CheckEnded(how="well", at=at):
            return replace(state, check=None, since=at)
        case Cared(), CheckEnded():
            return replace(state, check=None)
        case Cared(), CareResumed(at=at):
            return replace(state, worried=None, since=at)
        case Cared(), CareEnded():
            return NoCare()
        case _:
            return state


def due(state: CareState) -> datetime | None:
    """When somebody has to look, or has to be asked next."""
    match state:
        case NoCare() | Cared(worried=CheckEnded()):
            return None
        case Cared(check=Check(said=said)):
            return said.answer_by
        case Cared(said=said):
            return by_day(state.silent_since + state.usual, said.zone)
        case _:
            assert_never(state)
