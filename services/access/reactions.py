"""What access does when others speak: residences and duties become rights, reports are judged, openings concluded."""

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts import devices, identity, parking
from libs.contracts.permissions import ON_DUTY
from libs.eventkit.decider import Refused
from libs.eventkit.privacy import Pending
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.access.book import DoorBook
from services.access.domain.admission import Means
from services.access.domain.credentials import normalised
from services.access.domain.openings import (
    OPENINGS,
    ConcludeOpening,
    DoorOpened,
    DoorOpeningOrdered,
    JudgeCredential,
    NoteAtDoor,
    SignalDuress,
)
from services.access.domain.pass_history import VisitorPassIssued, VisitorPassUsed
from services.access.domain.rights import EVERYWHERE, GrantRight, RevokeRight, right_id_of
from services.access.domain.visitor_passes import RecordArrival, ReturnUse, RevokePass
from services.access.lately import revoked_since
from services.access.releasing import fire_releases, relays_released
from services.access.visitors import Visitors

REPORTS = "device_reports"
MEANS: dict[str, Means] = {
    "card_read": "card", "pin_entered": "pin", "face_verified": "face", "fingerprint_verified": "fingerprint",
    "credential_verified": "unknown", "qr_verified": "qr", "bluetooth_verified": "unknown",
}
"""Reports that say somebody presented something and the device took it."""


def zones_of(building_id: UUID) -> tuple[str, str]:
    return f"building:{building_id}", "community"


async def residence_started(event: identity.ResidenceStarted, row: Recorded) -> list[Do]:
    found = []
    for zone in zones_of(event.building_id):
        right_id = right_id_of(event.residence_id, zone)
        found.append(Do(f"grant {zone}", right_id, GrantRight(right_id, event.resident_id, zone, "residence")))
    return found


async def residence_ended(event: identity.ResidenceEnded, row: Recorded) -> list[Do]:
    ids = [right_id_of(event.residence_id, zone) for zone in zones_of(event.building_id)]
    return [Do(f"revoke {i}", i, RevokeRight(i)) for i in ids]


async def account_opened(event: identity.AccountOpened, row: Recorded) -> list[Do]:
    if event.role not in ON_DUTY:
        return []
    right_id = right_id_of(event.account_id, EVERYWHERE)
    return [Do("grant", right_id, GrantRight(right_id, event.person_id, EVERYWHERE, "duty"))]


async def account_closed(event: identity.AccountClosed, row: Recorded) -> list[Do]:
    right_id = right_id_of(event.account_id, EVERYWHERE)
    return [Do("revoke", right_id, RevokeRight(right_id))] if event.role in ON_DUTY else []


def openings_concluded(app: App) -> Reaction:
    """What became of an order; where a visitor's pass was used for it, whether they came in or keep the use."""

    async def order_carried_out(event: devices.DoorOrderCarriedOut, row: Recorded) -> list[Do]:
        done = [Do("conclude", event.order_id, ConcludeOpening(event.order_id))]
        if found := await use_behind(app, event.order_id, row):
            use, because = found
            done.append(Do("arrive", use.pass_id, RecordArrival(use.pass_id, use.at, "door", use.report_id), (because,)))
        return done

    async def order_failed(event: devices.DoorOrderFailed, row: Recorded) -> list[Do]:
        done = [Do("conclude", event.order_id, ConcludeOpening(event.order_id, failed=event.reason))]
        if found := await use_behind(app, event.order_id, row, unless=DoorOpened):
            use, because = found
            done.append(Do("return use", use.pass_id, ReturnUse(use.pass_id, use.report_id, event.reason), (because,)))
        return done

    return Reaction("openings_concluded", {
        devices.DoorOrderCarriedOut: order_carried_out, devices.DoorOrderFailed: order_failed}, apart=True)


async def use_behind(
    app: App, opening_id: UUID, row: Recorded, unless: type[DoorOpened] | None = None,
) -> tuple[VisitorPassUsed, UUID] | None:
    """The use of a pass on which an opening of this community rests, and the event that said it. `unless`: not where this
    has come of it before."""
    rows = await app.log.stream(f"{OPENINGS.category}:{opening_id}")
    said = [app.catalogue.read(r) for r in rows if r.community_id == row.community_id]
    if unless is not None and any(isinstance(event, unless) for event in said):
        return None
    ordered = next((event for event in said if isinstance(event, DoorOpeningOrdered)), None)
    because = next((fact.event_id for fact in ordered.facts if fact.says == "use"), None) if ordered is not None else None
    used = await app.log.event(because) if because is not None else None
    use = app.catalogue.read(used) if used is not None else None
    return (use, used.event_id) if isinstance(use, VisitorPassUsed) and used is not None else None


def passes_of_residents(app: App, book: DoorBook) -> Reaction:
    """With the residence end the passes that rested on it and are not over."""

    async def residence_ended(event: identity.ResidenceEnded, row: Recorded) -> list[Do]:
        await book.ready(await app.database.pool(), row.position)
        book.understood(row.community_id)
        if book.residence(row.community_id, event.resident_id, event.home_id):
            return []
        passes = book.open_passes_of(row.community_id, event.resident_id, row.recorded_at, event.home_id)
        return [Do(f"revoke {i}", i, RevokePass(i, "residence_ended", row.recorded_at)) for i in passes]

    async def invited(event: VisitorPassIssued, row: Recorded) -> list[Do]:
        """Decided while the host lived there, stored when they had just moved out."""
        await book.ready(await app.database.pool(), row.position)
        book.understood(row.community_id)
        if book.residence(row.community_id, event.host_id, event.home_id):
            return []
        return [Do("revoke", event.pass_id, RevokePass(event.pass_id, "residence_ended", row.recorded_at))]

    return Reaction("passes_of_residents", {identity.ResidenceEnded: residence_ended, VisitorPassIssued: invited})


def reports(app: App, book: DoorBook, visitors: Visitors) -> Reaction:
    """Judges what devices report of doors that access knows. Waits where the key of a sealed number is still on its
    way; a number whose key was erased is nobody's."""

    async def device_reported(event: devices.DeviceReported, row: Recorded) -> list[Do]:
        if event.kind == "heartbeat":
            return []
        await book.ready(await app.database.pool(), row.position)
        door = book.door_at(row.community_id, event.device_id, event.door_no or 1)
        if door is None:
            return []
        at = told_for(event, row)
        if event.kind == "duress":
            signal = SignalDuress(report_id=event.report_id, door_id=door.door_id, live=event.live, at=at)
            return [Do("duress", event.report_id, signal, (door.because,), new=True)]
        means = MEANS.get(event.kind)
        if means is None:
            note = NoteAtDoor(door_id=door.door_id, kind=event.kind, code=event.code, live=event.live, at=at)
            return [Do("note", event.report_id, note, (door.because,), new=True)]
        visitor = None
        if means == "qr":
            if event.card_number is None:  # the device's own codes: it does not say which
                means = "unknown"
            else:
                visitor = await visitors.presented(event, row, door, as_of(event, row), REPORTS)
        index, let_in = await blind_index(app, event, row.community_id, means), not event.awaits_decision
        ended = await revoked_since(app, book.lately, row.community_id, means, index, as_of(event, row)) if let_in else None
        judgement = book.judge(door, means, as_of(event, row), index=index, visitor=visitor, let_in=let_in, ended=ended)
        command = JudgeCredential(
            opening_id=event.report_id, door_id=door.door_id, device_id=door.device_id, door_no=door.door_no,
            means=means, judgement=judgement, live=event.live, verified=not event.awaits_decision,
            awaited=event.awaits_decision, at=at)
        return [Do("judge", event.report_id, command, tuple(f.event_id for f in judgement.facts), new=True)]

    return Reaction(REPORTS, {devices.DeviceReported: device_reported}, key=_device, apart=True)


async def session_begun(event: parking.SessionBegun, row: Recorded) -> list[Do]:
    """The barrier has let a visitor's car in."""
    if event.pass_id is None:
        return []
    return [Do("arrive", event.pass_id, RecordArrival(event.pass_id, event.entered_at, "plate"))]


async def session_recognised(event: parking.SessionRecognised, row: Recorded) -> list[Do]:
    """A person found out that a car that is inside is a visitor's."""
    if event.pass_id is None:
        return []
    return [Do("arrive", event.pass_id, RecordArrival(event.pass_id, row.meta.source_time or row.recorded_at, "plate"))]


def told_for(event: devices.DeviceReported, row: Recorded) -> datetime:
    return event.device_time or row.meta.source_time or row.recorded_at


def as_of(event: devices.DeviceReported, row: Recorded) -> datetime:
    """When it is to be judged for: now, where the reader waits for our order; else when it was, by the reader's clock only where it
    had kept it."""
    if not event.live:
        return told_for(event, row)
    return row.recorded_at if event.awaits_decision else row.meta.source_time or row.recorded_at


def _device(event: Any, row: Recorded) -> str:
    return f"device:{event.device_id}"


async def blind_index(app: App, event: devices.DeviceReported, community_id: UUID, means: Means) -> str:
    """Empty where the report names no number of this kind. Raises as `App.key_missing` says while its key has not arrived."""
    field = event.employee_number if means == "face" else event.card_number
    if field is None or means not in ("card", "pin", "face"):
        return ""
    opened = await app.keyring.open(Sealed(field.key_id, field.event_id, field.slot, field.box))
    if isinstance(opened, Pending):
        raise app.key_missing("the key of a card number")
    if not isinstance(opened, bytes):
        return ""
    try:
        return app.blind.of(community_id, means, normalised(means, opened.decode()))
    except Refused:
        return ""


def reactions(app: App, book: DoorBook, visitors: Visitors) -> tuple[Reaction, ...]:
    return (
        Reaction("rights_of_residents", {
            identity.ResidenceStarted: residence_started, identity.ResidenceEnded: residence_ended}),
        Reaction("rights_on_duty", {
            identity.AccountOpened: account_opened, identity.AccountClosed: account_closed}),
        passes_of_residents(app, book),
        reports(app, book, visitors),
        openings_concluded(app),
        fire_releases(app, book),
        relays_released(app, book),
        Reaction("visitors_by_car", {parking.SessionBegun: session_begun, parking.SessionRecognised: session_recognised}),
    )
