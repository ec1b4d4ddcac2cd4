from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import asdict, replace

from libs.contracts import devices as contracts
from libs.contracts.fields import SealedField
from libs.eventkit.recorded import Meta, Recorded
from libs.eventkit.sealed import Sealed
from services.devices.domain.fallbacks import FallbackGiven
from services.devices.domain.heard import Heard
from services.devices.domain.holds import DeviceGone, HoldCarriedOut, HoldFailed, HoldWanted
from services.devices.domain.lines import LineBack, LineSilent
from services.devices.domain.orders import OrderAttempted, OrderCarriedOut, OrderFailed
from services.devices.domain.refusals import RefusalAttempted, RefusalFailed, RefusalTold
from services.devices.domain.registry import (
    CredentialRevoked,
    Description,
    DeviceDescribed,
    DeviceEnrolled,
    DeviceMoved,
    DeviceRegistered,
    DeviceRetired,
    EnrolmentCodeIssued,
)
from services.devices.domain.reports import (
    BodyReceived,
    BodyUnreadable,
    DayBegun,
    DayClosed,
    DeviceReported,
    KnowledgeCarried,
    SerialGapClosed,
    SerialGapFound,
)
from services.devices.domain.signals import Signal
from services.devices.domain.templates import ReaderGone, TemplateNotRemoved, TemplateRemovalWanted, TemplateRemoved
from services.devices.domain.told import Told
from services.devices.domain.unplaced import FrameUnplaced
from services.devices.main import SERVICE
from services.devices.publishing import publish

DEVICE, BODY, REPORT, ORDER, KEY = (UUID(int=n) for n in range(1, 6))
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CARD, RAW = Sealed(KEY, REPORT, "card_number", "box"), Sealed(KEY, BODY, "body", "raw")
ROW = Recorded(1, 1, UUID(int=9), f"reports:{DEVICE}", 1, UUID(int=8), "", 1, "", Meta(), None, None, NOW)
TOLD = Told(report_id=REPORT, kind="card_read", code="5/1", history=True, serial=7, awaits_decision=True, card_number=CARD)

SAID: list[tuple[Any, Any]] = [
    (DeviceRegistered(DEVICE, Description("hikvision-terminal", "South gate", "K1", "http://10.0.0.9")),
     contracts.DeviceRegistered(DEVICE, "hikvision-terminal", "South gate")),
    (DeviceDescribed(DEVICE, Description("hikvision-terminal", "North gate", "K1")),
     contracts.DeviceRegistered(DEVICE, "hikvision-terminal", "North gate")),
    (DeviceEnrolled(DEVICE, "hash"), contracts.DeviceEnrolled(DEVICE)), (DeviceRetired(DEVICE), contracts.DeviceRetired(DEVICE)),
    (SerialGapFound(DEVICE, 1, 3), contracts.SerialGapFound(DEVICE, 1, 3)),
    (SerialGapClosed(DEVICE, 1, 3), contracts.SerialGapClosed(DEVICE, 1, 3)),
    (OrderAttempted(ORDER, DEVICE, 1), contracts.DoorOrderAttempted(ORDER, DEVICE, 1)),
    (OrderCarriedOut(ORDER, DEVICE, 1), contracts.DoorOrderCarriedOut(ORDER, DEVICE, 1)),
    (FallbackGiven(REPORT, DEVICE, True, 400), contracts.FallbackGiven(REPORT, DEVICE, True)),
    (OrderCarriedOut(ORDER, DEVICE, 1, "barrier", "answer"), contracts.BarrierOrderCarriedOut(ORDER, DEVICE, 1, "answer")),
    (OrderFailed(ORDER, DEVICE, 1, "expired", "", "barrier"), contracts.BarrierOrderFailed(ORDER, DEVICE, 1, "expired")),
    (OrderFailed(ORDER, DEVICE, 1, "refused", "4"), contracts.DoorOrderFailed(ORDER, DEVICE, 1, "refused")),
    (HoldCarriedOut((ORDER,), DEVICE, 1, "held_open"), contracts.HoldCarriedOut(ORDER, DEVICE, 1, "held_open")),
    (HoldFailed((ORDER,), DEVICE, 1, "normal", "refused", 2, NOW, "4"),
     contracts.HoldFailed(ORDER, DEVICE, 1, "normal", "refused", 2, NOW)),
    (DeviceGone((ORDER,), DEVICE, 1, "normal", 2), contracts.HoldFailed(ORDER, DEVICE, 1, "normal", "device_retired", 2, None)),
    (LineSilent(DEVICE, 60, NOW), contracts.LineSilent(DEVICE, 60, NOW)),
    (LineBack(DEVICE), contracts.LineBack(DEVICE)),
    (TemplateRemovalWanted(REPORT, DEVICE, NOW), contracts.TemplateRemovalWanted(REPORT, DEVICE)),
    (TemplateRemoved(REPORT, DEVICE), contracts.TemplateRemoved(REPORT, DEVICE)),
    (TemplateNotRemoved(REPORT, DEVICE, "refused", "4", 1, NOW), contracts.TemplateNotRemoved(REPORT, DEVICE, "refused", 1, NOW)),
    (ReaderGone(REPORT, DEVICE, 7, NOW), contracts.TemplateNotRemoved(REPORT, DEVICE, "reader_gone", 7, NOW)),
    (DeviceReported(DEVICE, BODY, Told(
        report_id=REPORT, kind="panel_signal", code="3400", history=False, signal=Signal("contact_id", 1, 12, user=True),
        device_time=NOW), NOW, live=True, skew=0.5, findings=("length",)),
     contracts.PanelSignalled(
         report_id=REPORT, device_id=DEVICE, protocol="contact_id", code="3400", partition=1, zone=12, user=True, live=True,
         device_time=NOW, findings=("length",))),
    (DeviceReported(DEVICE, BODY, TOLD, NOW, live=False, skew=None, findings=("code_unknown",)),
     contracts.DeviceReported(
         report_id=REPORT, device_id=DEVICE, kind="card_read", code="5/1", state=None, serial=7, door_no=None, live=False,
         awaits_decision=False, device_time=None, skew=None, findings=("code_unknown",),
         card_number=SealedField(KEY, REPORT, "card_number", "box"))),
]
PRESSED = Told(report_id=REPORT, kind="panic", code="1/1052", history=False, state="active", door_no=2, device_time=NOW, card_number=CARD,
    employee_number=CARD)
SILENT = [
    EnrolmentCodeIssued(DEVICE, "hash", NOW), CredentialRevoked(DEVICE), DeviceMoved(DEVICE, "http://10.0.0.9"),
    DayBegun(DEVICE, NOW.date()), KnowledgeCarried(Heard()), DayClosed(DEVICE, NOW.date()),
    BodyReceived(BODY, RAW, "", 1, 1), BodyUnreadable(DEVICE, BODY, RAW, "", 1, "empty"),
    RefusalAttempted(REPORT, DEVICE, 7), RefusalTold(REPORT, DEVICE), RefusalFailed(REPORT, DEVICE, "unknown"),
    HoldWanted(ORDER, DEVICE, 1, "held_open", REPORT, NOW), FrameUnplaced("4A21", "account_unknown", RAW, 60)]


@pytest.mark.parametrize(("event", "said"), SAID, ids=lambda e: type(e).__name__)
def test_what_others_hear(event: Any, said: Any) -> None:
    assert [public.body for public in publish(event, ROW)] == [said]


@pytest.mark.parametrize(("told", "channel"), [
    (PRESSED, 2), (replace(PRESSED, kind="camera_alarm", channel=4), 4), (replace(PRESSED, kind="io_alarm", door_no=None), None)])
def test_what_may_be_an_alarm_is_said_once_more_to_who_hears_alarms(told: Told, channel: int | None) -> None:
    report, detection = publish(DeviceReported(DEVICE, BODY, told, NOW, live=True, skew=0.0, findings=()), ROW)
    assert type(report.body) is contracts.DeviceReported
    assert report.body.card_number == report.body.employee_number == SealedField(KEY, REPORT, "card_number", "box")
    bare = replace(report.body, card_number=None, employee_number=None)
    assert detection.body == contracts.DetectionReported(**asdict(bare), channel=channel)
    assert report.subject == detection.subject == f"device:{DEVICE}"


@pytest.mark.parametrize("event", SILENT, ids=lambda e: type(e).__name__)
def test_bodies_codes_and_addresses_stay_here(event: Any) -> None:
    assert publish(event, ROW) == ()


def test_every_own_event_has_been_thought_of() -> None:
    assert {type(event) for event, _ in SAID} | {type(event) for event in SILENT} == set(SERVICE.events)
