"""Whatever a source says and whoever does what in whatever order: nothing is lost, nothing is reset by itself, the count is right.

A book-keeper who knows the rules but not the code follows it all, several sources of one building side by side."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import Struct, json

from libs.eventkit.decider import NotFound, Refused
from services.alarm.domain.incident_history import (
    REMEMBERED,
    About,
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEscalated,
    IncidentFoundFalse,
    IncidentRaised,
    IncidentRepeated,
    IncidentResolved,
    IncidentRestored,
    IncidentVerified,
    Quiet,
)
from services.alarm.domain.incidents import (
    INCIDENTS,
    AcknowledgeIncident,
    DispatchIncident,
    EscalateIncident,
    FindFalse,
    RaiseIncident,
    ResolveIncident,
    RestoreSource,
    VerifyIncident,
    due,
)
from services.alarm.domain.kinds import Place
from services.alarm.domain.ladders import LADDERS
from services.alarm.domain.signals import source_of_zone
from tests.unit.alarm.samples import ANN, BEN, DEVICE, NOW

ZONES = (1, 2)
SOURCES = [(zone, kind, source_of_zone(DEVICE, 1, zone, False, kind, "")) for zone in ZONES for kind in ("fire", "trouble")]
BY_PERSON = (AcknowledgeIncident, VerifyIncident, FindFalse, DispatchIncident, ResolveIncident)


class Books(Struct):
    """What is known of one source from outside: who said what, and who ended it."""

    open: UUID | None = None
    said: set[UUID] = set()
    """Reports since the open incident was raised."""
    active: bool = False
    step: str = ""
    incidents: list[UUID] = []
    ended: set[UUID] = set()


class Community(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        self.number = 0
        self.events: dict[UUID, list[Any]] = {source: [] for _, _, source in SOURCES}
        self.books: dict[UUID, Books] = {source: Books(said=set(), incidents=[], ended=set()) for _, _, source in SOURCES}
        self.reported: dict[UUID, list[tuple[UUID, bool]]] = {source: [] for _, _, source in SOURCES}

    def state(self, source: UUID) -> Any:
        return INCIDENTS.fold(self.events[source])

    def give(self, source: UUID, command: Any) -> list[Any] | str:
        """What is said, as it is read back from storage; or the code of the refusal."""
        try:
            said = INCIDENTS.decide[type(command)](command, self.state(source))
        except Refused as refused:
            return refused.code
        except NotFound:
            return "not_found"
        said = [json.decode(json.encode(event), type=type(event)) for event in said]
        self.events[source] += said
        return said

    @initialize()
    def nothing_happened(self) -> None:
        assert all(isinstance(self.state(source), Quiet) for _, _, source in SOURCES)

    @rule(which=st.sampled_from(SOURCES), live=st.booleans(), again=st.booleans(), restores=st.booleans(),
          at=st.sampled_from([None, NOW, NOW + timedelta(seconds=1)]))
    def says(self, which: tuple[int, Any, UUID], live: bool, again: bool, restores: bool, at: datetime | None) -> None:
        """`again`: a report that came before."""
        zone, kind, source = which
        known = [report for report, restored in self.reported[source] if restored == restores][-REMEMBERED // 4:]
        repeated = again and bool(known)
        self.number += 1
        report = known[0] if repeated else uuid5(source, str(self.number))
        if restores:
            self.restored(source, report, repeated, at)
        else:
            about = About(report, source, kind, "critical" if kind == "fire" else "low", False, Place(None, None, zone), None, DEVICE)
            self.raised(source, RaiseIncident(about, report, "1", live, LADDERS[about.severity], self.now, None, at), repeated)
        if not repeated:
            self.reported[source].append((report, restores))

    def raised(self, source: UUID, command: RaiseIncident, repeated: bool) -> None:
        books, said = self.books[source], self.give(source, command)
        if repeated:
            assert said == [], "the same report is one"
            return
        assert isinstance(said, list) and said
        if books.open is None:
            assert isinstance(said[0], IncidentRaised) and said[0].about == command.about, "its own place, its own kind"
            books.open, books.said, books.active = command.report_id, {command.report_id}, len(said) == 1
            books.step, books.incidents = "raised", [*books.incidents, command.report_id]
            assert books.active or (not command.live and isinstance(said[1], IncidentRestored))
        else:
            books.said, books.active = books.said | {command.report_id}, True
            (event,) = said
            assert isinstance(event, IncidentRepeated) and event.about.incident_id == books.open
            assert event.count == len(books.said), "each report counts once"
            assert event.about.place.floor == command.about.place.floor, "folding hides no other place"

    def restored(self, source: UUID, report: UUID, repeated: bool, at: datetime | None) -> None:
        books, said = self.books[source], self.give(source, RestoreSource(source, report, device_time=at))
        assert isinstance(said, list) and len(said) <= 1 and not (repeated and said)
        if books.open is not None and not repeated:
            assert bool(said) == books.active and all(isinstance(event, IncidentRestored) for event in said)
            books.active = False

    @rule(which=st.sampled_from(SOURCES), kind=st.sampled_from(BY_PERSON), by=st.sampled_from([ANN, BEN]),
          role=st.sampled_from(["guard", "guard", "staff", "resident", "operator"]), older=st.booleans(), take_over=st.booleans())
    def does(self, which: Any, kind: Any, by: UUID, role: str, older: bool, take_over: bool) -> None:
        source, books = which[2], self.books[which[2]]
        if not books.incidents:
            return
        incident = books.incidents[0] if older else books.incidents[-1]
        before = len(self.events[source])
        said = self.give(source, self.command(kind, incident, by, role, take_over))
        if role not in ("guard", "staff") or incident != books.open:
            assert said == [] or isinstance(said, str), "only who is on duty, only what is open"
            assert len(self.events[source]) == before
        for event in said if isinstance(said, list) else ():
            self.followed(books, event, by)

    def command(self, kind: Any, incident: UUID, by: UUID, role: str, take_over: bool) -> Any:
        match kind.__name__:
            case "AcknowledgeIncident":
                return kind(incident, by, role, self.now, take_over)
            case "VerifyIncident":
                return kind(incident, by, role, "on_site", self.now)
            case "FindFalse":
                return kind(incident, by, role, "dust")
            case "DispatchIncident":
                return kind(incident, by, role, "guard", by, self.now)
            case _:
                return kind(incident, by, role, "helped")

    def followed(self, books: Books, event: Any, by: UUID) -> None:
        """Every step names its person and comes after the one before."""
        assert event.by == by and event.about.incident_id == books.open
        taken = "acknowledged" if books.step == "raised" else books.step  # whoever takes it over later moves no step
        before, after = {
            IncidentAcknowledged: ((books.step,), taken), IncidentVerified: (("acknowledged",), "verified"),
            IncidentFoundFalse: (("acknowledged",), "over"), IncidentDispatched: (("verified", "dispatched"), "dispatched"),
            IncidentResolved: (("verified", "dispatched"), "over")}[type(event)]
        assert books.step in before
        books.step = after
        if after == "over":
            assert books.open is not None
            books.ended, books.open = books.ended | {books.open}, None

    @rule(seconds=st.sampled_from([1, 59, 60, 200, 4000, 300_000]))
    def time_passes(self, seconds: int) -> None:
        """Every timer that is due fires, as often as it says that it is."""
        self.now += timedelta(seconds=seconds)
        for _, _, source in SOURCES:
            fired = 0
            while (at := due(self.state(source))) is not None and at <= self.now:
                said = self.give(source, EscalateIncident(self.now))
                assert isinstance(said, list) and len(said) == 1 and isinstance(said[0], IncidentEscalated)
                assert said[0].due <= self.now and (said[0].next_by is None or said[0].next_by > self.now)
                fired += 1
            assert fired <= 1, "one level at a time"
            assert self.give(source, EscalateIncident(self.now)) == []

    @invariant()
    def what_was_raised_is_open_until_a_person_ended_it(self) -> None:
        for _, _, source in SOURCES:
            books, state = self.books[source], self.state(source)
            if books.open is None:
                assert isinstance(state, Quiet)
            else:
                assert not isinstance(state, Quiet)
                assert state.incident.about.incident_id == books.open and state.incident.about.source_id == source
                assert (state.incident.count, state.incident.active) == (len(books.said), books.active)
                assert type(state).__name__.lower() == books.step
            assert set(books.incidents) - books.ended == ({books.open} if books.open else set())

    @invariant()
    def every_deadline_stands_while_it_is_open(self) -> None:
        for _, _, source in SOURCES:
            state = self.state(source)
            at_the_top = not isinstance(state, Quiet) and state.incident.level == 3
            assert (due(state) is not None) == (not isinstance(state, Quiet) and not at_the_top)


TestWhateverHappens = Community.TestCase
TestWhateverHappens.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, derandomize=True, database=None)
