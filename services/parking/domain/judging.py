"""MAY THIS VEHICLE PASS? The rule, on facts that the book has put together; first match decides.

In: the black list; a guest, a permit, the white list or a home's own vehicle; else whoever may come in where there is
room. Out: whoever owes nothing. A reading that only looks like a known plate admits nobody to anything that the exact
one would have: a person settles which it is, and both readings are kept. Of a car cameras name the kind and the colour of
its plate, and nearly all are blue: that they agree says nothing. And where the camera takes a plate for a picture of one,
a person looks before it opens anything.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from services.parking.domain.plate_rights import Kind

FindingKind = Literal[
    "missing_exit", "look_alike", "no_entry", "no_plate", "fake_plate", "unclear_passage", "unpaid_exit", "overpaid"]


class Fact(Struct, frozen=True):
    """An event that the decision rested on, and what it said in one word."""

    event_id: UUID
    says: str


class KnownRight(Struct, frozen=True):
    right_id: UUID
    kind: Kind
    because: UUID
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    uses_left: int | None = None
    person_id: UUID | None = None
    source_id: UUID | None = None
    taken: bool = False
    """Another car stands on its space."""
    zone: str = ""
    """Where its space is; empty without one."""

    def counts(self, now: datetime) -> bool:
        """Half-open, in time, not used up, its space free."""
        begun = self.valid_from is None or self.valid_from <= now
        return begun and (self.valid_until is None or now < self.valid_until) and self.uses_left != 0 and not self.taken


class KnownSession(Struct, frozen=True):
    """A stay that is open."""

    session_id: UUID
    because: UUID
    due: int = 0


class Entry(Struct, frozen=True):
    """`room`: spaces in the lane's zone that are neither taken nor kept for a permit.
    `inside`: this very plate's open session, whose exit nobody saw. `fake`: the camera takes the plate for a picture."""

    now: datetime
    lane_because: UUID
    plate: bool
    public: bool
    room: int
    rights: tuple[KnownRight, ...] = ()
    alike: tuple[KnownRight, ...] = ()
    inside: KnownSession | None = None
    fake: bool = False


class Exit(Struct, frozen=True):
    now: datetime
    lane_because: UUID
    plate: bool
    rights: tuple[KnownRight, ...] = ()
    inside: KnownSession | None = None
    alike: tuple[KnownSession, ...] = ()
    fake: bool = False


class Judgement(Struct, frozen=True):
    admitted: bool
    rule: str
    reason: str
    facts: tuple[Fact, ...]
    right: KnownRight | None = None
    session_id: UUID | None = None
    finding: FindingKind | None = None
    candidates: tuple[UUID, ...] = ()


ENTITLED: tuple[Kind, ...] = ("white", "permit", "visitor_pass", "vehicle")
"""In the order in which they count."""


def judge_entry(ask: Entry) -> Judgement:
    lane = Fact(ask.lane_because, "lane")
    if not ask.plate:
        return Judgement(False, "no_plate", "no_plate_read", (lane,), finding="no_plate")
    if ask.fake:
        return Judgement(False, "fake_plate", "plate_is_a_picture", (lane,), finding="fake_plate")
    for right in ask.rights:
        if right.kind == "black" and right.counts(ask.now):
            return Judgement(False, "black_list", "on_the_black_list", (lane, Fact(right.because, "black_listed")))
    for kind in ENTITLED:
        for right in ask.rights:
            if right.kind == kind and right.counts(ask.now):
                return _let_in(ask, kind, right, lane)
    alike = tuple(right for right in ask.alike if right.counts(ask.now))
    doubt: FindingKind | None = "look_alike" if alike else None
    lapsed = tuple(Fact(right.because, _why_not(right, ask.now)) for right in ask.rights if right.kind in ENTITLED)
    facts = (lane, *lapsed, *(Fact(right.because, "looks_like") for right in alike))
    candidates = tuple(right.right_id for right in alike)
    if any(right.kind == "black" for right in alike):
        return Judgement(False, "look_alike", "resembles_a_plate_on_the_black_list", facts, finding=doubt, candidates=candidates)
    if not ask.public:
        reason = "resembles_a_known_plate" if alike else lapsed[0].says if lapsed else "not_known_here"
        return Judgement(False, "residents_only", reason, facts, finding=doubt, candidates=candidates)
    if ask.room <= 0 and ask.inside is None:
        return Judgement(False, "room", "lot_full", facts, finding=doubt, candidates=candidates)
    return Judgement(True, "tariff", "pays_by_tariff", facts, finding=doubt, candidates=candidates)


def _let_in(ask: Entry, kind: Kind, right: KnownRight, lane: Fact) -> Judgement:
    facts = (lane, Fact(right.because, kind))
    if kind == "vehicle" and ask.room <= 0 and ask.inside is None:
        return Judgement(False, "room", "lot_full", facts)
    return Judgement(True, kind, f"{kind}_counts", facts, right)


def _why_not(right: KnownRight, now: datetime) -> str:
    """Why a right that is there does not count."""
    if right.taken:
        return "space_taken"
    name = "pass" if right.kind == "visitor_pass" else "permit"
    if right.uses_left == 0:
        return f"{name}_used_up"
    return f"{name}_not_yet_valid" if right.valid_from and now < right.valid_from else f"{name}_expired"


def judge_exit(ask: Exit) -> Judgement:
    lane = Fact(ask.lane_because, "lane")
    if ask.fake:
        return Judgement(False, "fake_plate", "plate_is_a_picture", (lane,), finding="fake_plate")
    if ask.inside is not None:
        return _let_out(ask.inside, lane)
    if not ask.plate:
        return Judgement(False, "no_plate", "no_plate_read", (lane,), finding="no_plate")
    candidates = tuple(s.session_id for s in ask.alike)
    for right in ask.rights:
        if right.kind in ("white", "permit") and right.counts(ask.now):
            held = (lane, Fact(right.because, right.kind))
            return Judgement(True, right.kind, f"{right.kind}_counts", held, right, finding="no_entry", candidates=candidates)
    if ask.alike:
        facts = (lane, *(Fact(s.because, "looks_like") for s in ask.alike))
        return Judgement(False, "look_alike", "resembles_a_car_inside", facts, finding="look_alike", candidates=candidates)
    return Judgement(False, "no_entry", "no_entry_known", (lane,), finding="no_entry")


def _let_out(session: KnownSession, lane: Fact) -> Judgement:
    facts = (lane, Fact(session.because, "entered"))
    if session.due > 0:
        return Judgement(False, "payment", "not_paid", facts, session_id=session.session_id)
    return Judgement(True, "payment", "nothing_due", facts, session_id=session.session_id)
