"""Homes that are cared for are looked after on time; what is seen there counts as a sign of life; a check that nobody can answer becomes an
incident. It ends with the incident, with a sign of life, or when those cared for have moved out."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from msgspec.structs import replace

from libs.contracts.access import CredentialJudged, DoorOpened, DoorPassed
from libs.contracts.identity import PersonLeft, ResidenceEnded, ResidentErased
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from libs.eventkit.subscriptions import checkpoint
from libs.eventkit.timers import Due, Timer
from services.alarm.book import AlarmBook
from services.alarm.care_book import CareBook
from services.alarm.domain.care import CARE, EndCare, HelperLeft, LookAfter, NoticeSign, ResumeCare
from services.alarm.domain.care_history import Cared, CareResumed, CheckEnded, due
from services.alarm.domain.incident_history import IncidentFoundFalse, IncidentResolved
from services.alarm.domain.incidents import RestoreSource
from services.alarm.domain.kinds import Severity
from services.alarm.domain.signals import alarm_of
from services.alarm.domain.signs import SIGNS, TakeSign, day_of
from services.alarm.reactions import raising, ready

READER = "signs_of_life"
FEW, TRIES, PAUSE = 50, 50, 0.1
"""Records that may be on their way; looks, and seconds between them, until signs have been taken."""
KEPT = timedelta(days=30)
"""Signs are (`retention.py`)."""
SEVERITY: dict[str, Severity] = {"unanswered": "high", "not_well": "critical"}


def source_of_care(home_id: UUID) -> UUID:
    return uuid5(home_id, "care")


def care_timer(app: App, book: CareBook) -> Timer:
    async def look(found: Due) -> None:
        if not isinstance(found.state, Cared) or not await _all_told(app):
            return
        community_id, home_id, now = found.community_id, found.subject_id, datetime.now(UTC)
        await book.memory.catch_up()
        signs = await signs_since(app, community_id, home_id, found.state.last or found.state.since, now)
        command = LookAfter(signs, book.at_home(community_id, home_id), now)
        await app.commands.handle(home_id, command, found.context(f"look after {found.at.isoformat()}"))

    return Timer("homes_to_look_after", CARE, due, look)


async def _all_told(app: App) -> bool:
    """Whether what others have said is heard, and every sign of life in it taken: else the silence is ours, and nobody is asked for it."""
    if app.hearing is not None and not 0 <= app.hearing.lag() <= FEW:
        return False
    end = await app.log.last()
    for _ in range(TRIES):
        if await checkpoint(app.database, READER) >= end:
            return True
        await asyncio.sleep(PAUSE)
    return False


async def signs_since(app: App, community_id: UUID, home_id: UUID, since: datetime, now: datetime) -> tuple[datetime, ...]:
    day, found = max(since, now - KEPT).astimezone(UTC).date(), list[datetime]()
    while day <= now.date():
        state, _ = await app.commands.state(SIGNS, day_of(home_id, day), community_id)
        found += [sign for sign in state.signs if sign > since]
        day += timedelta(days=1)
    return tuple(found)


def signs_of_life(book: CareBook) -> Reaction:
    async def seen(event: Any, row: Recorded) -> list[Do]:
        """Asked of every door that opens, so of memory as it is; what was arranged a moment ago counts silence from then anyway."""
        at = event.at if isinstance(event, DoorPassed) else row.meta.source_time or row.recorded_at
        if event.person_id is None or (isinstance(event, CredentialJudged) and not (event.allowed and event.live)):
            return []
        await book.memory.fresh()
        book.understood(row.community_id)
        done = []
        for home_id in book.homes_of(row.community_id, event.person_id):
            sign = TakeSign(home_id, min(at, row.recorded_at))
            done.append(Do(f"sign {home_id}", day_of(home_id, sign.at.astimezone(UTC).date()), sign))
            done.append(Do(f"notice {home_id}", home_id, NoticeSign(sign.at)))
        return done

    return Reaction(
        READER, {CredentialJudged: seen, DoorPassed: seen, DoorOpened: seen}, key=lambda event, row: f"person:{event.person_id}",
        apart=True)


def care(alarms: AlarmBook, book: CareBook) -> Reaction:
    """What comes of a check, and of its incident; and of those who move out."""

    async def ended(event: CheckEnded, row: Recorded) -> list[Do]:
        if event.how not in SEVERITY:
            return []
        await ready(alarms, row.position)
        source, spot = source_of_care(event.home_id), alarms.home(row.community_id, event.home_id)
        alarm = replace(alarm_of("medical"), severity=SEVERITY[event.how])
        command = raising(
            alarms, row.community_id, source, event.check_id, alarm, spot, f"care:{event.how}", True, row.recorded_at, raised_by=event.by)
        return [Do("raise", source, command, spot.because)]

    async def resumed(event: CareResumed, row: Recorded) -> list[Do]:
        if event.because != "sign":
            return []
        source = source_of_care(event.home_id)
        return [Do("restore", source, RestoreSource(source, row.event_id, kept=False))]

    async def over(event: IncidentFoundFalse | IncidentResolved, row: Recorded) -> list[Do]:
        home_id = event.about.place.home_id
        if home_id is None or event.about.source_id != source_of_care(home_id):
            return []
        return [Do("resume", home_id, ResumeCare(row.recorded_at))]

    async def moved(event: ResidenceEnded | ResidentErased, row: Recorded) -> list[Do]:
        """Care ends with the last of those for whom it was arranged."""
        await book.memory.fresh(row.position)
        book.understood(row.community_id)
        homes = book.arranged_for(row.community_id, event.resident_id)
        left = [home_id for home_id in homes if not book.at_home(row.community_id, home_id)]
        ends = [Do(f"end {home_id}", home_id, EndCare("moved_out", row.recorded_at)) for home_id in left]
        return [*ends, *(declined(event.resident_id, row) if isinstance(event, ResidentErased) else ())]

    async def person_left(event: PersonLeft, row: Recorded) -> list[Do]:
        """Who is back by now, for this may be heard late, still helps."""
        await book.memory.fresh(row.position)
        await alarms.memory.fresh(row.position)
        book.understood(row.community_id)
        return [] if alarms.lives_here(row.community_id, event.person_id) else declined(event.person_id, row)

    def declined(person_id: UUID, row: Recorded) -> list[Do]:
        homes = book.helped_by(row.community_id, person_id)
        return [Do(f"decline {home_id}", home_id, HelperLeft(person_id)) for home_id in homes]

    return Reaction("care_of_homes", {
        CheckEnded: ended, CareResumed: resumed, IncidentFoundFalse: over, IncidentResolved: over, ResidenceEnded: moved,
        ResidentErased: moved, PersonLeft: person_left}, apart=True)
