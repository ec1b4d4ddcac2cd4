from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.eventkit.recorded import NOWHERE, Meta, Recorded
from libs.eventkit.sealed import Sealed
from libs.eventkit.views import Row, Rows, View
from services.devices.domain.lines import LineBack, LineSilent
from services.devices.domain.orders import OrderCarriedOut
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
from services.devices.domain.reports import BodyUnreadable, DeviceReported, SerialGapClosed, SerialGapFound
from services.devices.domain.told import Told
from services.devices.domain.unplaced import FrameUnplaced
from services.devices.views import devices, findings

DEVICE, BODY, COMMUNITY = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)


def reported(skew: float | None = None, *found: str) -> DeviceReported:
    told = Told(report_id=UUID(int=9), kind="card_read", code="5/1", history=False)
    return DeviceReported(DEVICE, BODY, told, NOW, live=True, skew=skew, findings=found)


REGISTRY = (
    DeviceRegistered(DEVICE, Description("hikvision-terminal", "South gate", "K1", "http://10.0.0.9")),
    EnrolmentCodeIssued(DEVICE, "code", TOMORROW), DeviceEnrolled(DEVICE, "credential"))
STORY: tuple[Any, ...] = (
    *REGISTRY, reported(2.5), reported(None, "code_unknown"), DeviceMoved(DEVICE, "http://10.0.0.10"),
    SerialGapFound(DEVICE, 7, 10), BodyUnreadable(DEVICE, BODY, Sealed(BODY, BODY, "body", "x"), "", 0, "empty"),
    SerialGapFound(DEVICE, 12, 20), SerialGapClosed(DEVICE, 7, 10), reported(90.0, "clock_skew", "code_unknown"),
    LineSilent(DEVICE, 60), LineBack(DEVICE), FrameUnplaced("4A21", "not_encrypted", Sealed(BODY, BODY, "body", "x"), 9, DEVICE),
    FrameUnplaced("9999", "account_unknown", Sealed(BODY, BODY, "body", "x"), 9),
    FrameUnplaced("9999", "account_unknown", Sealed(BODY, BODY, "body", "x"), 9), OrderCarriedOut(UUID(int=8), DEVICE, 1))
PANEL = (DeviceRegistered(DEVICE, Description("dc09-panel", "Panel", "", account="4A21", supervise=60)),)


def folded(view: View, events: tuple[Struct, ...], rows: Rows | None = None) -> Rows:
    rows = rows or Rows(view.key)
    for n, event in enumerate(events, 1):
        row = Recorded(
            position=n, generation=1, community_id=COMMUNITY, stream=f"device:{DEVICE}", version=n, event_id=UUID(int=n),
            type=str(event.__struct_config__.tag), schema=1, data="", meta=Meta(), source=None, number=None,
            recorded_at=NOW + timedelta(seconds=n))
        assert all(set(where) <= set(view.columns) for where in view.reads(event, row))
        view.project(rows, event, row)
    return rows


def all_of(rows: Rows) -> list[Row]:
    return sorted(rows.where(), key=str)


def test_folding_the_same_events_afresh_gives_the_same_rows() -> None:
    for view in (devices.VIEW, findings.VIEW):
        assert all_of(folded(view, STORY)) == all_of(folded(view, STORY)) != []


def test_a_projection_reads_every_row_that_it_changes() -> None:
    for view in (devices.VIEW, findings.VIEW):
        for n, event in enumerate(STORY):
            before, row = folded(view, STORY[:n]), folded(view, STORY[: n + 1])
            changed = [r for r in all_of(row) if r not in all_of(before)]
            wheres = list(view.reads(event, None))  # type: ignore[arg-type]
            assert all(any(all(r[c] == str(v) for c, v in w.items()) for w in wheres) for r in changed)


def test_a_device_is_listed_with_when_it_was_last_seen_and_its_skew() -> None:
    (row,) = all_of(folded(devices.VIEW, STORY))
    assert row == {
        "device_id": str(DEVICE), "kind": "hikvision-terminal", "name": "South gate", "hardware_serial": "K1",
        "address": "http://10.0.0.10", "enrolled": True, "code_expires": None, "reports": 3, "skew": 90.0,
        "last_seen": "2026-03-01T12:00:17Z", "version": 6, "account": "", "supervise": 0, "silent_since": None}


def test_a_supervised_panel_is_online_until_its_line_falls_silent() -> None:
    def said(*events: Any) -> tuple[object, ...]:
        (row,) = all_of(folded(devices.VIEW, (*PANEL, *events)))
        shown = devices.shown(row, NOW + timedelta(days=1))
        return shown["account"], shown["line"], shown["online"], shown["silent_since"]

    assert said() == said(LineSilent(DEVICE, 60), LineBack(DEVICE)) == ("4A21", "speaking", True, None)
    assert said(LineSilent(DEVICE, 60)) == ("4A21", "silent", False, "2026-03-01T12:00:02Z")
    (terminal,) = all_of(folded(devices.VIEW, REGISTRY))
    assert devices.shown(terminal, NOW)["line"] is None


def test_a_device_whose_credential_was_revoked_is_not_enrolled() -> None:
    (row,) = all_of(folded(devices.VIEW, (*REGISTRY, CredentialRevoked(DEVICE))))
    assert (row["enrolled"], row["version"]) == (False, 4)


def test_a_device_is_listed_as_it_was_corrected_and_no_more_when_it_is_retired() -> None:
    corrected = DeviceDescribed(DEVICE, Description("dc09-panel", "North", "", account="77F0", supervise=0))
    (row,) = all_of(folded(devices.VIEW, (*PANEL, corrected)))
    assert (row["name"], row["account"], row["supervise"], row["version"]) == ("North", "77F0", 0, 2)
    assert all_of(folded(devices.VIEW, (*PANEL, corrected, DeviceRetired(DEVICE)))) == []


def test_a_device_is_online_for_a_quarter_of_an_hour() -> None:
    (row,) = all_of(folded(devices.VIEW, REGISTRY))
    assert devices.shown(row, NOW)["online"] is False
    seen = {**row, "last_seen": NOW}
    assert devices.shown(seen, NOW + devices.ONLINE)["online"] is True
    assert devices.shown(seen, NOW + devices.ONLINE + timedelta(seconds=1))["online"] is False


def test_oddities_are_counted_and_gaps_stand_alone() -> None:
    found = {(r["finding"], r["mark"]): (r["times"], r["closed_at"] is not None) for r in all_of(folded(findings.VIEW, STORY))}
    assert found == {
        ("clock_skew", ""): (1, False), ("code_unknown", ""): (2, False), ("body_unreadable", "empty"): (1, False),
        ("serial_gap", "7..10"): (1, True), ("serial_gap", "12..20"): (1, False),
        ("not_encrypted", "4A21"): (1, False), ("account_unknown", "9999"): (2, False)}
    assert {r["device_id"] for r in all_of(folded(findings.VIEW, STORY)) if r["finding"] == "account_unknown"} == {str(NOWHERE)}
