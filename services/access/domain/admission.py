"""THE RULE: may this person, or who holds this credential, open this door now?

1. A credential that nobody holds, or whose time is over, opens nothing.
2. A resident opens the doors of the buildings they live in and the community's gates (rule `residence`).
3. Whoever is on duty opens every door of the community (rule `duty`).
4. A lift goes only to the floors of the resident's homes in its building and to the ground floor (rule `floor`); on duty to every floor.
5. A visitor's code opens what their pass admits to when it is presented (rule `visitor_pass`, `visitor_passes.py`).
6. Everything else stays shut: deny by default.
7. Who is erased opens nothing by a token of before: it runs out, but not at once.
8. A duress PIN is judged as any other; the judgement knows it, and no answer tells it.
9. A door whose device was retired is not opened from afar: nobody would carry that out (rule `device`). Who has no right is told that.
10. Whom a reader has let in by itself is judged as of then, though their credential or right has ended since. What waits for our
    order is not: once it has ended, nothing opens.

Pure: what is known (rights, credentials) comes with the question, each with the event that said it.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.access.domain.visitor_passes import GROUND, RULE

Means = Literal["card", "pin", "face", "fingerprint", "qr", "remote", "unknown"]
EVERYWHERE = "everywhere"


class Fact(Struct, frozen=True):
    event_id: UUID
    says: str


class KnownRight(Struct, frozen=True):
    """`until`: when it ended, None: it has not."""

    zone: str
    rule: str
    because: UUID
    until: datetime | None = None


class KnownCredential(Struct, frozen=True):
    """`until`: when it was revoked."""

    person_id: UUID
    kind: str
    valid_until: datetime | None
    because: UUID
    duress: bool = False
    until: datetime | None = None


class KnownFloor(Struct, frozen=True):
    floor: int
    because: UUID


class PresentedPass(Struct, frozen=True):
    """What came of a visitor's code: `refused` is empty where the pass was used."""

    refused: str
    facts: tuple[Fact, ...] = ()


class Question(Struct, frozen=True):
    """`now`: the moment for which it is judged. `person_id` is known at once for a remote opening; at a door the credential says who it
    is. `floor`: where the door is a lift; `floors`: those of the person's homes in its building. `erased`: who asks. `retired`: the event
    by which the door's device was. `let_in`: by the reader itself."""

    zone: str
    door_because: UUID
    means: Means
    now: datetime
    person_id: UUID | None = None
    credential: KnownCredential | None = None
    rights: tuple[KnownRight, ...] = ()
    floor: int | None = None
    floors: tuple[KnownFloor, ...] = ()
    visitor: PresentedPass | None = None
    erased: bool = False
    retired: UUID | None = None
    let_in: bool = False

    def counts(self, until: datetime | None) -> bool:
        """Whether what ended then counts for this question."""
        return until is None or (self.let_in and self.now < until)


class Judgement(Struct, frozen=True):
    """`rule`: which rule decided; `reason`: a stable code; `facts`: the events it rested on. `holder`: of the duress PIN that was
    presented, whatever was decided."""

    allowed: bool
    rule: str
    reason: str
    facts: tuple[Fact, ...]
    person_id: UUID | None
    holder: UUID | None = None


def judge(question: Question) -> Judgement:
    if question.credential is not None and not question.counts(question.credential.until):
        question = replace(question, credential=None)
    judgement, credential = _judged(question), question.credential
    return replace(judgement, holder=credential.person_id) if credential is not None and credential.duress else judgement


def _judged(question: Question) -> Judgement:
    facts = [Fact(question.door_because, "door")]
    person_id = question.person_id
    if question.visitor is not None:
        refused, known = question.visitor.refused, (*facts, *question.visitor.facts)
        return Judgement(not refused, RULE, refused or f"allowed_by_{RULE}", known, None)
    if question.erased:
        return Judgement(False, "erasure", "resident_erased", tuple(facts), person_id)
    if question.means != "remote":
        if question.credential is None:
            return Judgement(False, "credential", "credential_unknown", tuple(facts), None)
        person_id = question.credential.person_id
        facts.append(Fact(question.credential.because, "credential"))
        if question.credential.valid_until is not None and question.credential.valid_until <= question.now:
            return Judgement(False, "credential", "credential_expired", tuple(facts), person_id)
    before = len(facts)
    for right in question.rights:
        if right.zone in (question.zone, EVERYWHERE) and question.counts(right.until):
            facts.append(Fact(right.because, "right"))
            if question.floor is not None and right.zone != EVERYWHERE and question.floor != GROUND:
                home = next((f for f in question.floors if f.floor == question.floor), None)
                if home is None:
                    continue
                facts.append(Fact(home.because, "floor"))
            if question.means == "remote" and question.retired is not None:
                return Judgement(False, "device", "device_retired", (*facts, Fact(question.retired, "device_retired")), person_id)
            return Judgement(True, right.rule, f"allowed_by_{right.rule}", tuple(facts), person_id)
    if len(facts) > before:
        return Judgement(False, "floor", "floor_not_permitted", tuple(facts), person_id)
    return Judgement(False, "default", "no_right_for_this_door", tuple(facts), person_id)
