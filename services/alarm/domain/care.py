"""Care for who lives alone: a home is silent for longer than is usual there, and a wellness check goes round until somebody answers.

1. A home is cared for because those who live there wish it: they say so themselves, or staff write down how they agreed. They end it at
   once, and it ends when the last of them has moved out. Whoever moves in later is not cared for by it.
2. Neighbours are asked who were named and have agreed; they may decline at any time.
3. Silent is a home without a sign of life for longer than `rhythm.usual`, or than the arrangement allows; not while they are away.
4. Those who live there are asked first, then all neighbours who agreed, for `answer` minutes each. Whoever says that all is well ends it;
   so does a sign of life. Where nobody answers, or somebody says that all is not well, it becomes an incident, whose ladder tells guards
   and staff, then the grid worker (`ladders.py`). Until that is over nobody is asked again; after an unanswered check also from a sign of
   life on, while of somebody who is not well a door tells nothing.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, NotFound, Refused, VersionMismatch
from services.alarm.domain.care_history import (
    AbsenceSet,
    Agreed,
    Answer,
    Asked,
    CareArranged,
    Cared,
    CareEnded,
    CareEvent,
    CareResumed,
    CareState,
    Check,
    CheckAsked,
    CheckEnded,
    HelperAnswered,
    How,
    NoCare,
    NotReached,
    SignsCounted,
    Terms,
    Why,
    due,
    evolve,
)
from services.alarm.domain.rhythm import Absence, silences

SHORTEST, LONGEST, MOST_HELPERS, LONGEST_AWAY = 6, 168, 10, timedelta(days=180)
"""Hours of silence that an arrangement may name; neighbours; how far ahead somebody may say that they are away."""


# what is asked


class ArrangeCare(Struct, frozen=True):
    """`residents`: who live there. `seen`: the edition that the caller knows, 0: none; None: whatever it is."""

    home_id: UUID
    residents: tuple[UUID, ...]
    terms: Terms
    zone: str
    agreed: Agreed
    by: UUID
    now: datetime
    seen: int | None = None


class EndCare(Struct, frozen=True):
    why: Why
    now: datetime
    by: UUID | None = None


class AnswerAsHelper(Struct, frozen=True):
    helper_id: UUID
    agrees: bool


class HelperLeft(Struct, frozen=True):
    """They are not there any more."""

    helper_id: UUID


class SetAbsence(Struct, frozen=True):
    """`until` None: they are back."""

    until: datetime | None
    by: UUID
    now: datetime


class LookAfter(Struct, frozen=True):
    """It is due. `signs`: those since the last one that was counted; `at_home`: those cared for who live there now."""

    signs: tuple[datetime, ...]
    at_home: tuple[UUID, ...]
    now: datetime


class BeginCheck(Struct, frozen=True):
    """Somebody on duty worries."""

    of: Asked
    at_home: tuple[UUID, ...]
    by: UUID
    now: datetime


class NoticeSign(Struct, frozen=True):
    at: datetime


class AnswerCheck(Struct, frozen=True):
    """`on_duty`, `lives_there`: in which right."""

    check_id: UUID
    answer: Answer
    by: UUID
    on_duty: bool
    lives_there: bool
    now: datetime


class ResumeCare(Struct, frozen=True):
    """The incident that came of a check was over then."""

    at: datetime


def decide_arrange(command: ArrangeCare, state: CareState) -> list[CareEvent]:
    terms, known = command.terms, state.said if isinstance(state, Cared) else None
    if not SHORTEST <= terms.least <= terms.most <= LONGEST:
        raise Refused("hours_out_of_order", shortest=SHORTEST, longest=LONGEST)
    if set(terms.helpers) & set(command.residents):
        raise Refused("helper_lives_there")
    if not command.residents:
        raise Refused("nobody_lives_there")
    edition = known.edition if known is not None else 0
    if command.seen not in (None, edition):
        raise VersionMismatch(f"care:{command.home_id}")
    if known is not None and (known.residents, known.terms, known.agreed) == (command.residents, terms, command.agreed):
        return []
    return [CareArranged(
        command.home_id, command.residents, terms, command.zone, command.agreed, command.by, command.now, edition + 1)]


def decide_end(command: EndCare, state: CareState) -> list[CareEvent]:
    if isinstance(state, NoCare):
        return []
    home_id = state.said.home_id
    called_off = [_ended(state, state.check, "called_off", command.by, command.now)] if state.check is not None else []
    return [*called_off, CareEnded(home_id, command.why, command.by)]


def decide_helper(command: AnswerAsHelper, state: CareState) -> list[CareEvent]:
    cared = _cared(state)
    if command.helper_id not in cared.said.terms.helpers:
        raise NotFound("care")
    if cared.answers.get(command.helper_id) == command.agrees:
        return []
    return [HelperAnswered(cared.said.home_id, command.helper_id, command.agrees)]


def decide_left(command: HelperLeft, state: CareState) -> list[CareEvent]:
    if isinstance(state, NoCare) or command.helper_id not in state.helpers:
        return []
    return [HelperAnswered(state.said.home_id, command.helper_id, False)]


def decide_absence(command: SetAbsence, state: CareState) -> list[CareEvent]:
    """Who is asked whether all is well, and says that they are away, has answered."""
    cared = _cared(state)
    until = command.until or command.now
    if until > command.now + LONGEST_AWAY:
        raise Refused("absence_too_long", days=LONGEST_AWAY.days)
    if command.until is not None and until <= command.now:
        raise Refused("absence_is_over")
    away = next((one for one in cared.absences if one.since <= command.now < one.until), None)
    if (away.until if away is not None else command.now) == until:
        return []
    said = AbsenceSet(cared.said.home_id, Absence(away.since if away is not None and command.until else command.now, until), command.by)
    well = [_ended(cared, cared.check, "well", command.by, command.now)] if cared.check is not None else []
    return [said, *well]


def decide_look(command: LookAfter, state: CareState) -> list[CareEvent]:
    at = due(state)
    if isinstance(state, NoCare) or at is None or command.now < at:
        return []
    if state.check is not None:
        return _unanswered(state, state.check, command.now)
    counted = _counted(state, command.signs)
    silent = _after(state, counted)
    if (at := due(silent)) is not None and command.now < at:
        return counted
    return [*counted, *_begun(silent, "home", command.at_home, None, command.now)]


def decide_begin(command: BeginCheck, state: CareState) -> list[CareEvent]:
    cared = _cared(state)
    if cared.check is not None or cared.worried is not None:
        raise Refused("check_under_way")
    begun = _begun(cared, command.of, command.at_home, command.by, command.now)
    if len(begun) > 1:
        raise Refused("nobody_to_ask")
    return begun


def decide_notice(command: NoticeSign, state: CareState) -> list[CareEvent]:
    match state:
        case Cared(check=Check(said=said) as check) if command.at > said.silent_since:
            return [_ended(state, check, "sign", None, command.at)]
        case Cared(worried=CheckEnded(how="unanswered", silent_since=silent_since)) if command.at > silent_since:
            return [CareResumed(state.said.home_id, "sign", command.at)]
        case _:
            return []


def decide_answer(command: AnswerCheck, state: CareState) -> list[CareEvent]:
    """Of two who say different things the first counts. To whom it is none of their business nobody is cared for there."""
    cared, theirs = _cared(state), command.on_duty or command.lives_there
    if not theirs and command.by not in cared.said.terms.helpers:
        raise NotFound("care")
    check = cared.check
    if check is None or check.said.check_id != command.check_id:
        raise Refused("check_over")
    if not theirs and command.by not in check.everybody:
        raise Refused("not_yours_to_say")
    if command.answer != "not_reached":
        return [_ended(cared, check, command.answer, command.by, command.now)]
    if check.said.of == "home" or command.by not in check.said.asked:
        raise Refused("not_yours_to_say")
    if command.by in check.tried:
        return []
    said = NotReached(cared.said.home_id, check.said.check_id, command.by)
    tried = {*check.tried, command.by}
    return [said, *(_unanswered(cared, check, command.now) if tried >= set(check.said.asked) else [])]


def decide_resume(command: ResumeCare, state: CareState) -> list[CareEvent]:
    if not isinstance(state, Cared) or state.worried is None or command.at < state.worried.at:
        return []
    return [CareResumed(state.said.home_id, "incident_over", command.at)]


def _cared(state: CareState) -> Cared:
    if isinstance(state, NoCare):
        raise NotFound("care")
    return state


def _counted(state: Cared, signs: tuple[datetime, ...]) -> list[CareEvent]:
    """What signs say of the home's rhythm, where there is a new one."""
    new = [sign for sign in signs if state.last is None or sign > state.last]
    if not new:
        return []
    return [SignsCounted(state.said.home_id, max(new), silences(state.last, new, state.absences, state.said.zone))]


def _begun(state: Cared, of: Asked, at_home: tuple[UUID, ...], by: UUID | None, now: datetime) -> list[CareEvent]:
    """Those who are asked first; where they are nobody those who come next, and where nobody can be asked it is unanswered at once."""
    said = state.said
    asked = CheckAsked(
        said.home_id, uuid5(said.home_id, f"check of {now.isoformat()}"), "home", at_home, min(state.silent_since, now),
        now + timedelta(minutes=said.terms.answer), by)
    if of == "neighbours" or not at_home:
        asked = replace(asked, of="neighbours", asked=state.helpers)
    if asked.asked:
        return [asked]
    return [asked, *_unanswered(_after(state, [asked]), Check(asked, ()), now)]


def _unanswered(state: Cared, check: Check, now: datetime) -> list[CareEvent]:
    """Those who come next are asked; after the last of them nobody could answer."""
    if check.said.of == "home" and state.helpers:
        by = now + timedelta(minutes=state.said.terms.answer)
        return [replace(check.said, of="neighbours", asked=state.helpers, answer_by=by)]
    return [_ended(state, check, "unanswered", None, now)]


def _ended(state: Cared, check: Check, how: How, by: UUID | None, at: datetime) -> CheckEnded:
    return CheckEnded(state.said.home_id, check.said.check_id, how, by, check.everybody, check.said.silent_since, at)


def _after(state: Cared, events: list[CareEvent]) -> Cared:
    for event in events:
        after = evolve(state, event)
        assert isinstance(after, Cared)
        state = after
    return state


CARE = Decider[CareState, CareEvent](
    category="care", initial=NoCare(), evolve=evolve,
    decide={
        ArrangeCare: decide_arrange, EndCare: decide_end, AnswerAsHelper: decide_helper, HelperLeft: decide_left,
        SetAbsence: decide_absence, LookAfter: decide_look, BeginCheck: decide_begin, NoticeSign: decide_notice,
        AnswerCheck: decide_answer, ResumeCare: decide_resume,
    })
