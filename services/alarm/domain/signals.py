"""What a signal of a panel means: it raises something, restores something, or is history. And which source says it.

Whatever no table knows raises an incident of the kind `other`: a person looks at it, nothing is dropped.
"""

from typing import Literal
from uuid import UUID, uuid5

from msgspec import Struct

from services.alarm.domain import contact_id, sia_codes
from services.alarm.domain.kinds import SEVERITY, SILENT, IncidentKind, Severity

Protocol = Literal["contact_id", "sia", "other"]
EVENT, RESTORE, STILL = QUALIFIERS = ("1", "3", "6")
"""Of Contact ID. What is still so is taken as an event: it folds into the incident that it raised, or raises one that was missed."""
HEX = frozenset("0123456789ABCDEFabcdef")
UNKNOWN = ("Unknown", "未知代码")


class Alarm(Struct, frozen=True):
    """`condition`: one of several of the kind that a zone may have at once. `untyped`: the code does not say what kind of alarm."""

    kind: IncidentKind
    condition: str
    severity: Severity
    silent: bool
    untyped: bool = False


class Meaning(Struct, frozen=True):
    """`raises` or `restores`, or neither: history."""

    english: str
    chinese: str
    raises: Alarm | None = None
    restores: tuple[tuple[IncidentKind, str], ...] = ()
    known: bool = True


def alarm_of(kind: IncidentKind) -> Alarm:
    """Where nothing but the kind is known."""
    return Alarm(kind, "", SEVERITY[kind], kind in SILENT)


def meaning_of(protocol: Protocol, code: str) -> Meaning:
    match protocol:
        case "contact_id":
            return _contact_id(code)
        case "sia":
            return _sia(code)
        case "other":
            return _unknown(code)


def _contact_id(code: str) -> Meaning:
    qualifier, number = code[:1], code[1:]
    if qualifier not in QUALIFIERS or len(number) != 3 or not HEX.issuperset(number):
        return _unknown(code)
    known = contact_id.CODES.get(int(number)) if number.isdigit() else None
    if known is None:
        return _unknown(number) if qualifier != RESTORE else Meaning(*UNKNOWN, restores=(("other", number),), known=False)
    if known.kind is None:
        return Meaning(known.english, known.chinese)
    if qualifier == RESTORE:
        return Meaning(known.english, known.chinese, restores=((known.kind, known.condition),))
    untyped = known.kind == "other"
    return Meaning(known.english, known.chinese, Alarm(known.kind, known.condition, known.severity, known.silent, untyped))


def _sia(code: str) -> Meaning:
    known = sia_codes.CODES.get(code)
    if known is None:
        return _unknown(code)
    alarm = None
    if known.raises is not None:
        kind, condition = known.raises
        alarm = Alarm(kind, condition, known.severity, known.silent, untyped=kind == "other")
    return Meaning(known.english, known.chinese, alarm, known.restores)


def _unknown(code: str) -> Meaning:
    return Meaning(*UNKNOWN, raises=Alarm("other", code, SEVERITY["other"], False), known=False)


def source_of_zone(
    device_id: UUID, partition: int | None, zone: int | None, user: bool, kind: IncidentKind, condition: str,
) -> UUID:
    """Of what a panel says: a zone (or user) and what is wrong with it."""
    return uuid5(device_id, f"{partition}/{'user ' if user else ''}{zone}/{kind}{f'/{condition}' if condition else ''}")


def source_of_line(device_id: UUID) -> UUID:
    return uuid5(device_id, "line")


def source_of_sos(home_id: UUID) -> UUID:
    return uuid5(home_id, "sos")


def source_of_duress(door_id: UUID) -> UUID:
    return uuid5(door_id, "duress")
