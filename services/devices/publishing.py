"""What others hear of devices: what they said and what became of orders; never bodies, codes or credentials."""

from datetime import datetime
from typing import Any

from msgspec.structs import asdict, astuple, replace

from libs.contracts import devices as said
from libs.contracts.fields import SealedField
from libs.eventkit.commands import Public
from libs.eventkit.erasing import ErasureConfirmed
from libs.eventkit.recorded import Recorded
from libs.eventkit.sealed import Sealed
from services.devices.domain import fallbacks, holds, lines, orders, registry, reports, templates
from services.devices.domain.dating import dated
from services.devices.domain.signals import Signal
from services.devices.domain.told import Told, Vehicle

DETECTIONS = frozenset({"camera_alarm", "door_forced", "fire_input", "io_alarm", "panic", "pir", "tamper"})
"""Kinds of reports that may be an alarm."""


def publish(event: Any, row: Recorded) -> tuple[Public, ...]:
    match event:
        case ErasureConfirmed(person_id=resident_id, keys=keys):
            return (Public(said.DevicesErasureConfirmed(resident_id, keys)),)
        case registry.DeviceRegistered(device_id=device_id, description=description) | registry.DeviceDescribed(
                device_id=device_id, description=description):
            return (Public(said.DeviceRegistered(device_id, description.kind, description.name)),)
        case registry.DeviceEnrolled(device_id=device_id):
            return (Public(said.DeviceEnrolled(device_id)),)
        case registry.DeviceRetired(device_id=device_id):
            return (Public(said.DeviceRetired(device_id)),)
        case reports.DeviceReported(told=Told(vehicle=Vehicle())):
            return (Public(_seen(event), f"device:{event.device_id}"),)
        case reports.DeviceReported(told=Told(signal=Signal())):
            return (Public(_signalled(event), f"device:{event.device_id}"),)
        case lines.LineSilent(device_id=device_id, limit=limit, last_heard=last_heard):
            return (Public(said.LineSilent(device_id, limit, last_heard), f"device:{device_id}"),)
        case lines.LineBack(device_id=device_id):
            return (Public(said.LineBack(device_id), f"device:{device_id}"),)
        case reports.DeviceReported(told=Told(kind=kind)) if kind in DETECTIONS:
            return tuple(Public(body, f"device:{event.device_id}") for body in (_reported(event), _detected(event)))
        case reports.DeviceReported():
            return (Public(_reported(event), f"device:{event.device_id}"),)
        case reports.SerialGapFound(device_id=device_id, after=after, before=before):
            return (Public(said.SerialGapFound(device_id, after, before), f"device:{device_id}"),)
        case reports.SerialGapClosed(device_id=device_id, after=after, before=before):
            return (Public(said.SerialGapClosed(device_id, after, before), f"device:{device_id}"),)
        case orders.OrderAttempted(order_id=order_id, device_id=device_id, door_no=door_no, actuator="door"):
            return (Public(said.DoorOrderAttempted(order_id, device_id, door_no)),)
        case orders.OrderCarriedOut(order_id=order_id, device_id=device_id, door_no=no, actuator=actuator, by=by):
            barrier = said.BarrierOrderCarriedOut(order_id, device_id, no, by)
            return (Public(said.DoorOrderCarriedOut(order_id, device_id, no) if actuator == "door" else barrier),)
        case orders.OrderFailed(order_id=order_id, device_id=device_id, door_no=no, reason=reason, actuator=actuator):
            failed = said.DoorOrderFailed if actuator == "door" else said.BarrierOrderFailed
            return (Public(failed(order_id, device_id, no, reason)),)
        case fallbacks.FallbackGiven(report_id=report_id, device_id=device_id, admitted=admitted):
            return (Public(said.FallbackGiven(report_id, device_id, admitted), f"device:{device_id}"),)
        case holds.HoldCarriedOut(device_id=device_id, door_no=no, state=state):
            return tuple(Public(said.HoldCarriedOut(i, device_id, no, state)) for i in event.releases)
        case holds.HoldFailed(device_id=device_id, door_no=no, state=state, reason=reason, attempt=attempt, again_at=again):
            return tuple(Public(said.HoldFailed(i, device_id, no, state, reason, attempt, again)) for i in event.releases)
        case holds.DeviceGone(device_id=device_id, door_no=no, state=state, attempts=attempts):
            return tuple(Public(said.HoldFailed(i, device_id, no, state, "device_retired", attempts, None)) for i in event.releases)
        case templates.TemplateRemovalWanted(credential_id=credential_id, device_id=device_id):
            return (Public(said.TemplateRemovalWanted(credential_id, device_id)),)
        case templates.TemplateRemoved(credential_id=credential_id, device_id=device_id):
            return (Public(said.TemplateRemoved(credential_id, device_id)),)
        case templates.TemplateNotRemoved(credential_id=credential_id, device_id=device_id):
            return (Public(said.TemplateNotRemoved(credential_id, device_id, event.reason, event.attempt, event.again_at)),)
        case templates.ReaderGone(credential_id=credential_id, device_id=device_id, attempts=attempts, at=at):
            return (Public(said.TemplateNotRemoved(credential_id, device_id, "reader_gone", attempts, at)),)
        case _:
            return ()


def _when(event: reports.DeviceReported) -> datetime | None:
    return dated(event.told, event.live, event.known_skew, event.received_at).at


def _detected(event: reports.DeviceReported) -> said.DetectionReported:
    """Whoever hears alarms has no use for the numbers of cards and people."""
    report, told = replace(_reported(event), card_number=None, employee_number=None), event.told
    return said.DetectionReported(**asdict(report), channel=told.door_no if told.channel is None else told.channel)


def _reported(event: reports.DeviceReported) -> said.DeviceReported:
    told = event.told
    return said.DeviceReported(
        report_id=told.report_id, device_id=event.device_id, kind=told.kind, code=told.code, state=told.state,
        serial=told.serial, door_no=told.door_no, live=event.live,
        awaits_decision=told.awaits_decision and event.live, device_time=_when(event), skew=event.skew,
        findings=event.findings, card_number=_sealed(told.card_number),
        employee_number=_sealed(told.employee_number))


def _seen(event: reports.DeviceReported) -> said.PlateSeen:
    told, vehicle = event.told, event.told.vehicle or Vehicle()
    return said.PlateSeen(
        report_id=told.report_id, device_id=event.device_id, lane_no=vehicle.lane_no, plate=_sealed(vehicle.plate),
        plate_colour=vehicle.plate_colour, vehicle_kind=vehicle.vehicle_kind, confidence=vehicle.confidence,
        direction=vehicle.direction, live=event.live, awaits_decision=told.awaits_decision and event.live,
        device_time=_when(event), findings=event.findings)


def _signalled(event: reports.DeviceReported) -> said.PanelSignalled:
    told, signal = event.told, event.told.signal or Signal("other")
    return said.PanelSignalled(
        report_id=told.report_id, device_id=event.device_id, protocol=signal.protocol, code=told.code,
        partition=signal.partition, zone=signal.zone, user=signal.user, live=event.live, device_time=_when(event),
        findings=event.findings)


def _sealed(value: Sealed | None) -> SealedField | None:
    return SealedField(*astuple(value)) if value is not None else None
