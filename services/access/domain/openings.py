"""An opening: what was asked at a door, what was decided, what was ordered, and how it ended.

A remote opening is ordered once and concluded once. What a device reports is judged, and ordered only where the
device waits for it and only live: history never actuates.

Whoever opens under threat has a duress PIN, or a key that their terminal knows. The door does exactly what it would do for the
ordinary PIN: same rule, same reason, same order, same answer. That somebody is in danger is an event of its own, stored with the
judgement, and nothing that anybody at the door could see follows from it.
"""

from datetime import datetime
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused
from services.access.domain.admission import Fact, Judgement, Means

# what happened


class CredentialJudged(Struct, frozen=True, tag="credential_judged"):
    door_id: UUID
    means: Means
    allowed: bool
    rule: str
    reason: str
    facts: tuple[Fact, ...]
    person_id: UUID | None
    live: bool


class DoorPassed(Struct, frozen=True, tag="door_passed"):
    door_id: UUID
    means: Means
    person_id: UUID | None
    entitled: bool | None
    live: bool
    at: datetime


class DoorNoticed(Struct, frozen=True, tag="door_noticed"):
    door_id: UUID
    kind: str
    code: str
    live: bool
    at: datetime


class DoorOpeningOrdered(Struct, frozen=True, tag="door_opening_ordered"):
    opening_id: UUID
    door_id: UUID
    device_id: UUID
    door_no: int
    means: Means
    person_id: UUID | None
    rule: str
    reason: str
    facts: tuple[Fact, ...]


class DoorOpened(Struct, frozen=True, tag="door_opened"):
    opening_id: UUID
    door_id: UUID
    person_id: UUID | None


class DoorOpeningFailed(Struct, frozen=True, tag="door_opening_failed"):
    opening_id: UUID
    door_id: UUID
    person_id: UUID | None
    reason: str


class DuressSignalled(Struct, frozen=True, tag="duress_signalled"):
    """`holder_id`: whose PIN it was; None where a device said it, which does not know."""

    report_id: UUID
    door_id: UUID
    holder_id: UUID | None
    live: bool
    at: datetime


OpeningEvent = CredentialJudged | DoorPassed | DoorNoticed | DoorOpeningOrdered | DoorOpened | DoorOpeningFailed | DuressSignalled


# what is


class Nothing(Struct, frozen=True):
    pass


class Told(Struct, frozen=True):
    """Judged or noticed; nothing was ordered."""


class Ordered(Struct, frozen=True):
    door_id: UUID
    person_id: UUID | None


class Unclear(Struct, frozen=True):
    """The device may have been told; its late answer still says how it ended."""

    door_id: UUID
    person_id: UUID | None


class Concluded(Struct, frozen=True):
    pass


Opening = Nothing | Told | Ordered | Unclear | Concluded


def evolve(opening: Opening, event: OpeningEvent) -> Opening:
    match event:
        case DoorOpeningOrdered(door_id=door_id, person_id=person_id):
            return Ordered(door_id=door_id, person_id=person_id)
        case DoorOpened():
            return Concluded()
        case DoorOpeningFailed(door_id=door_id, person_id=person_id, reason="unknown"):
            return Unclear(door_id=door_id, person_id=person_id)
        case DoorOpeningFailed():
            return Concluded()
        case CredentialJudged() | DoorPassed() | DoorNoticed() | DuressSignalled():
            return opening if isinstance(opening, Ordered | Unclear | Concluded) else Told()
        case _:
            return opening


# what is asked


class OpenRemotely(Struct, frozen=True):
    opening_id: UUID
    door_id: UUID
    device_id: UUID
    door_no: int
    judgement: Judgement


class JudgeCredential(Struct, frozen=True):
    """`verified`: the device let the person through by itself; `awaited`: it waits for our order."""

    opening_id: UUID
    door_id: UUID
    device_id: UUID
    door_no: int
    means: Means
    judgement: Judgement
    live: bool
    verified: bool
    awaited: bool
    at: datetime


class NoteAtDoor(Struct, frozen=True):
    door_id: UUID
    kind: str
    code: str
    live: bool
    at: datetime


class SignalDuress(Struct, frozen=True):
    """A device says by itself that somebody at one of its doors is under threat."""

    report_id: UUID
    door_id: UUID
    live: bool
    at: datetime


class ConcludeOpening(Struct, frozen=True):
    """`failed` is empty when the device did it, else refused, unreachable, expired or unknown."""

    opening_id: UUID
    failed: str = ""


def decide_open_remotely(command: OpenRemotely, opening: Opening) -> list[OpeningEvent]:
    if not isinstance(opening, Nothing):
        return []
    if not command.judgement.allowed:
        raise Refused(command.judgement.reason, rule=command.judgement.rule)
    return [_ordered(command, "remote")]


def decide_judge_credential(command: JudgeCredential, opening: Opening) -> list[OpeningEvent]:
    if not isinstance(opening, Nothing):
        return []
    j = command.judgement
    events: list[OpeningEvent] = [CredentialJudged(
        door_id=command.door_id, means=command.means, allowed=j.allowed, rule=j.rule, reason=j.reason, facts=j.facts,
        person_id=j.person_id, live=command.live)]
    if command.verified:
        events.append(DoorPassed(
            door_id=command.door_id, means=command.means, person_id=j.person_id,
            entitled=None if command.means in ("face", "fingerprint", "unknown") else j.allowed,
            live=command.live, at=command.at))
    if command.awaited and command.live and j.allowed:
        events.append(_ordered(command, command.means))
    if j.holder is not None:
        events.append(DuressSignalled(command.opening_id, command.door_id, j.holder, command.live, command.at))
    return events


def decide_note_at_door(command: NoteAtDoor, opening: Opening) -> list[OpeningEvent]:
    if not isinstance(opening, Nothing):
        return []
    return [DoorNoticed(
        door_id=command.door_id, kind=command.kind, code=command.code, live=command.live, at=command.at)]


def decide_signal_duress(command: SignalDuress, opening: Opening) -> list[OpeningEvent]:
    if not isinstance(opening, Nothing):
        return []
    return [DuressSignalled(command.report_id, command.door_id, None, command.live, command.at)]


def decide_conclude_opening(command: ConcludeOpening, opening: Opening) -> list[OpeningEvent]:
    match opening:
        case Unclear() if command.failed == "unknown":
            return []
        case Ordered(door_id=door_id, person_id=person_id) | Unclear(door_id=door_id, person_id=person_id):
            if command.failed:
                return [DoorOpeningFailed(
                    opening_id=command.opening_id, door_id=door_id, person_id=person_id, reason=command.failed)]
            return [DoorOpened(opening_id=command.opening_id, door_id=door_id, person_id=person_id)]
        case Nothing() | Told() | Concluded():
            return []
        case _:
            assert_never(opening)


def _ordered(command: OpenRemotely | JudgeCredential, means: Means) -> DoorOpeningOrdered:
    j = command.judgement
    return DoorOpeningOrdered(
        opening_id=command.opening_id, door_id=command.door_id, device_id=command.device_id, door_no=command.door_no,
        means=means, person_id=j.person_id, rule=j.rule, reason=j.reason, facts=j.facts)


OPENINGS = Decider[Opening, OpeningEvent](
    category="opening", initial=Nothing(), evolve=evolve,
    decide={
        OpenRemotely: decide_open_remotely, JudgeCredential: decide_judge_credential, NoteAtDoor: decide_note_at_door,
        ConcludeOpening: decide_conclude_opening, SignalDuress: decide_signal_duress,
    })
