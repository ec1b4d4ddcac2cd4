"""Whoever opens under threat: the door does what it always does, and somebody who is not there hears of it."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from msgspec import json
from msgspec.structs import asdict, replace

from libs.contracts import access as public
from libs.contracts import devices
from libs.eventkit.decider import Refused, Take
from libs.eventkit.sealed import Sealed
from services.access.book import DoorBook
from services.access.domain.admission import KnownCredential, KnownRight, Question, judge
from services.access.domain.credentials import CREDENTIALS, CredentialIssued, IssueCredential
from services.access.domain.doors import DoorInstalled
from services.access.domain.openings import (
    OPENINGS,
    CredentialJudged,
    DoorNoticed,
    DoorOpeningOrdered,
    DoorPassed,
    DuressSignalled,
    JudgeCredential,
    SignalDuress,
)
from services.access.notices import notice_of
from services.access.publishing import publish
from services.access.reactions import reports
from services.access.views.credentials import VIEW
from tests.kit import folded, recorded

ANN, DOOR, PIN, RIGHT, REPORT, DEVICE, HERE = (UUID(int=n) for n in range(1, 8))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
ORDINARY = KnownCredential(person_id=ANN, kind="pin", valid_until=None, because=PIN)
DURESS = replace(ORDINARY, duress=True)
ASKED = Question(
    zone="building:a", door_because=DOOR, means="pin", now=NOW, credential=ORDINARY, rights=(KnownRight("building:a", "residence", RIGHT),))
BOX = Sealed(key_id=ANN, event_id=PIN, slot="number", box="x")
ISSUE = IssueCredential(PIN, ANN, "pin", BOX, "blind", duress=True)


@pytest.mark.parametrize("change", [{}, {"rights": ()}, {"floor": 9, "floors": ()}, {"zone": "community"}])
def test_a_duress_pin_is_judged_exactly_as_the_ordinary_one(change: dict[str, Any]) -> None:
    ordinary, duress = (judge(replace(ASKED, credential=c, **change)) for c in (ORDINARY, DURESS))
    assert replace(duress, holder=None) == ordinary and ordinary.holder is None
    assert duress.holder == ANN, "also where the door stays shut: somebody stands there under threat"


def test_a_duress_pin_whose_time_is_over_opens_nothing_and_is_heard() -> None:
    expired = judge(replace(ASKED, credential=replace(DURESS, valid_until=NOW - timedelta(days=1))))
    assert (expired.allowed, expired.reason, expired.holder) == (False, "credential_expired", ANN)


def judged(credential: KnownCredential, **change: Any) -> list[Any]:
    command = JudgeCredential(
        opening_id=REPORT, door_id=DOOR, device_id=DEVICE, door_no=1, means="pin", judgement=judge(replace(ASKED, credential=credential)),
        live=True, verified=False, awaited=True, at=NOW)
    return OPENINGS.decide[JudgeCredential](replace(command, **change), OPENINGS.initial)


SIGNAL = DuressSignalled(REPORT, DOOR, ANN, True, NOW)


@pytest.mark.parametrize(("change", "kinds"), [
    ({}, [CredentialJudged, DoorOpeningOrdered]), ({"verified": True, "awaited": False}, [CredentialJudged, DoorPassed]),
    ({"live": False}, [CredentialJudged])])
def test_under_duress_the_door_does_the_same_and_the_signal_comes_last(change: dict[str, Any], kinds: list[type]) -> None:
    same = judged(ORDINARY, **change)
    assert [type(e) for e in same] == kinds
    assert judged(DURESS, **change) == [*same, replace(SIGNAL, live=change.get("live", True))]


def test_what_was_signalled_is_not_signalled_again() -> None:
    state = OPENINGS.fold(judged(DURESS))
    assert OPENINGS.decide[SignalDuress](SignalDuress(REPORT, DOOR, True, NOW), state) == []


@pytest.mark.parametrize("live", [True, False])
def test_what_a_device_calls_duress_is_signalled_once_and_nothing_else(live: bool) -> None:
    command = SignalDuress(REPORT, DOOR, live, NOW)
    signalled = OPENINGS.decide[SignalDuress](command, OPENINGS.initial)
    assert signalled == [DuressSignalled(REPORT, DOOR, None, live, NOW)]
    assert OPENINGS.decide[SignalDuress](command, OPENINGS.fold(signalled)) == []


async def test_a_device_that_reports_duress_is_heard_and_no_notice_stands_at_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    book = DoorBook()
    installed = DoorInstalled(DOOR, "gate", "community", DEVICE, 1)
    book._apply(installed, recorded(installed, HERE))

    async def nothing(*asked: object) -> None: ...

    monkeypatch.setattr(book, "ready", nothing)
    react = reports(SimpleNamespace(database=SimpleNamespace(pool=nothing)), book, None).on[devices.DeviceReported]  # type: ignore[arg-type]
    said = devices.DeviceReported(REPORT, DEVICE, "duress", "1/1034", None, 1, None, True, False, NOW, 0.0, ())
    (do,) = await react(said, recorded(said, HERE, source="devices"))
    assert do.command == SignalDuress(REPORT, DOOR, True, NOW)


def test_a_duress_pin_is_a_pin_issued_once_under_a_number_of_its_own() -> None:
    issued = CREDENTIALS.decide[IssueCredential](ISSUE, CREDENTIALS.initial)
    assert issued == [CredentialIssued(PIN, ANN, "pin", BOX, None, True)]
    assert list(CREDENTIALS.claims(ISSUE, issued[0])) == [Take("pin", "blind", "pin_already_in_use")], "as any other PIN"
    assert CREDENTIALS.decide[IssueCredential](ISSUE, CREDENTIALS.fold(issued)) == []
    with pytest.raises(Refused, match="duress_needs_a_pin"):
        CREDENTIALS.decide[IssueCredential](replace(ISSUE, kind="card"), CREDENTIALS.initial)


def test_what_was_issued_before_there_were_duress_pins_is_none() -> None:
    old = asdict(CredentialIssued(PIN, ANN, "pin", BOX))
    del old["duress"]
    assert json.decode(json.encode({"type": "credential_issued", **old}), type=CredentialIssued).duress is False


def test_others_hear_of_the_signal_and_of_nothing_else_that_would_tell() -> None:
    said = [p.body for event in judged(DURESS) for p in publish(event, recorded(event, HERE, stream=f"opening:{REPORT}"))]
    assert said[-1] == public.DuressSignalled(REPORT, DOOR, ANN, True, NOW)
    same = [p.body for event in judged(ORDINARY) for p in publish(event, recorded(event, HERE, stream=f"opening:{REPORT}"))]
    assert said[:-1] == same
    pins = [CredentialIssued(PIN, ANN, "pin", BOX, None, duress) for duress in (True, False)]
    assert publish(pins[0], recorded(pins[0])) == publish(pins[1], recorded(pins[1]))


def test_nobody_is_told_and_staff_see_which_pin_it_is() -> None:
    signal = recorded(SIGNAL, HERE, stream=f"opening:{REPORT}")
    assert notice_of(SIGNAL, signal) is None
    from libs.eventkit.recorded import Catalogue

    issued = recorded(CredentialIssued(PIN, ANN, "pin", BOX, None, True), HERE, stream=f"credential:{PIN}")
    rows = folded(VIEW, Catalogue((CredentialIssued, DuressSignalled, DoorNoticed)), [issued, issued, signal])
    assert [row["duress"] for row in rows[HERE]] == [True]
