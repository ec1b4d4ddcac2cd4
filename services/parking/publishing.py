"""What others hear of parking: own event → public contracts; never a plate. Pure."""

from typing import Any
from uuid import UUID

from msgspec.structs import asdict

from libs.contracts import access
from libs.contracts import parking as public
from libs.eventkit.commands import Public
from libs.eventkit.erasing import ErasureConfirmed
from libs.eventkit.recorded import Recorded
from services.parking.domain import findings, lanes, lots, passages, plate_rights, stays
from services.parking.domain.billing import Bill
from services.parking.domain.judging import Judgement
from services.parking.domain.stays import Under


def publish(event: Any, row: Recorded) -> tuple[Public, ...]:
    match event:
        case ErasureConfirmed(person_id=resident_id, keys=keys):
            return (Public(public.ParkingErasureConfirmed(resident_id, keys)),)
        case lots.LotOpened(lot_id=lot_id, name=name, spaces=spaces):
            return (Public(public.LotOpened(lot_id, name, spaces)),)
        case lanes.LaneInstalled():
            return (Public(public.LaneInstalled(**asdict(event))),)
        case passages.PassageJudged(passage_id=passage_id, lane=lane, judgement=said, seen=seen):
            return (Public(public.PassageJudged(
                passage_id, lane.lane_id, said.admitted, said.rule, said.reason, _facts(said), said.session_id, seen.live)),)
        case passages.BarrierOrdered(order_id=order_id, lane=lane, answers=answers, judgement=said):
            return (Public(public.BarrierOrdered(
                order_id, lane.lane_id, lane.device_id, lane.lane_no, answers, said.rule, said.reason, _facts(said))),)
        case stays.SessionBegun():
            return (Public(_begun(event, event.under)),)
        case stays.RightAssigned(session_id=session_id, under=under):
            return (Public(public.SessionRecognised(session_id, under.person_id, *_sources(under))),)
        case stays.SessionQuarantined(session_id=session_id, lot_id=lot_id, zone=zone):
            return (Public(public.SessionQuarantined(session_id, lot_id, zone)),)
        case stays.StayCorrected(session_id=session_id, bill=corrected, until=until, paid=paid) if corrected is not None:
            return (Public(_billed(session_id, corrected, until, paid)),)
        case plate_rights.PlateRightGranted(kind="permit"):
            return (Public(public.PermitHeld(
                event.right_id, event.lot_id, event.person_id, event.source_id, event.valid_from, event.valid_until,
                event.monthly, ended=False)),)
        case plate_rights.PlateRightEnded(kind="permit", right_id=right_id, lot_id=of):
            return (Public(public.PermitHeld(right_id, of, None, None, None, None, None, ended=True)),)
        case stays.PaymentAsked(session_id=session_id, bill=bill, until=until, amount=amount):
            return (Public(_billed(session_id, bill, until, bill.total_fen - amount)),)
        case stays.PaymentReceived(session_id=session_id, payment_id=payment_id, amount=amount):
            return (Public(public.PaymentReceived(session_id, payment_id, amount)),)
        case stays.SessionEnded(session_id=session_id, bill=found, bill_until=until):
            ended = Public(public.SessionEnded(session_id, event.lot_id, event.zone, event.how, event.exited_at, event.total))
            return (Public(_billed(session_id, found, until, event.paid)), ended) if found is not None else (ended,)
        case findings.FindingRaised():
            return (Public(public.FindingRaised(**asdict(event))),)
        case findings.FindingSettled(finding_id=finding_id, how=how):
            return (Public(public.FindingSettled(finding_id, how)),)
        case _:
            return ()


def _facts(said: Judgement) -> tuple[access.Fact, ...]:
    return tuple(access.Fact(fact.event_id, fact.says) for fact in said.facts)


def _begun(event: stays.SessionBegun, under: Under | None) -> public.SessionBegun:
    person_id, (vehicle_id, pass_id) = (under.person_id, _sources(under)) if under is not None else (None, (None, None))
    return public.SessionBegun(event.session_id, event.lot_id, event.zone, person_id, vehicle_id, pass_id, event.entered_at)


def _sources(under: Under) -> tuple[UUID | None, UUID | None]:
    """The vehicle and the visitor's pass behind a right."""
    return (
        under.source_id if under.kind in ("vehicle", "permit") else None, under.source_id if under.kind == "visitor_pass" else None)


def _billed(session_id: UUID, bill: Bill, until: Any, paid: int) -> public.Billed:
    lines = tuple(
        public.BillLine(line.code, line.starts, line.ends, line.units, line.unit_fen, line.amount_fen, line.facts)
        for line in bill.lines)
    return public.Billed(session_id, bill.tariff, bill.version, until, bill.total_fen, paid, lines)
