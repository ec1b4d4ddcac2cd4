from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import Refused, Release, Take
from services.devices.domain.registry import (
    REGISTRY,
    CredentialRevoked,
    DescribeDevice,
    Description,
    DeviceDescribed,
    DeviceEnrolled,
    DeviceEvent,
    DeviceMoved,
    DeviceRegistered,
    DeviceRetired,
    EnrolDevice,
    EnrolmentCodeIssued,
    MoveDevice,
    RegisterDevice,
    ReissueCredential,
    RetireDevice,
)

ID = UUID(int=1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)
TERMINAL = Description(kind="hikvision-terminal", name="South gate", hardware_serial="K1", base_url="http://10.0.0.9")
REGISTERED = DeviceRegistered(ID, TERMINAL)
CODE, NEW_CODE = EnrolmentCodeIssued(ID, "code", TOMORROW), EnrolmentCodeIssued(ID, "new code", TOMORROW)
ENROLLED = DeviceEnrolled(ID, "credential")

register = RegisterDevice(ID, TERMINAL, "code", TOMORROW)
enrol = EnrolDevice(ID, "code", "credential", NOW)
reissue = ReissueCredential(ID, "new code", TOMORROW)
move = MoveDevice(ID, "http://10.0.0.10")


def when(command: Any, *events: DeviceEvent) -> list[DeviceEvent]:
    return REGISTRY.decide[type(command)](command, REGISTRY.fold(events))


def test_a_device_is_registered_with_a_code() -> None:
    assert when(register) == [REGISTERED, CODE]


def test_a_device_of_which_nobody_said_more_stays_shut_and_answers_before_its_camera_gives_up() -> None:
    """A plate push waits for half a second."""
    plain = Description("vzenith-camera", "Gate", "V1")
    assert (plain.fallback, plain.stream, plain.base_url) == ("closed", False, "") and plain.answer_ms < 500


def test_another_device_is_not_registered_in_its_place() -> None:
    with pytest.raises(Refused, match="device_already_registered"):
        when(RegisterDevice(ID, Description("hikvision-camera", "Hall", "K2"), "code", TOMORROW), REGISTERED, CODE)


def test_registering_it_again_says_nothing_new() -> None:
    assert when(register, REGISTERED, CODE) == []


def test_hardware_is_registered_once() -> None:
    assert list(REGISTRY.claims(register, REGISTERED)) == [
        Take("hardware_serial", "hikvision-terminal K1", "hardware_already_registered")]
    assert list(REGISTRY.claims(register, DeviceRegistered(ID, Description("hikvision-camera", "Hall", "")))) == []


def test_the_code_is_exchanged_for_a_credential() -> None:
    assert when(enrol, REGISTERED, CODE) == [ENROLLED]


@pytest.mark.parametrize(
    ("code", "now", "events", "why"),
    [
        ("code", NOW, (), "device_not_registered"),
        ("guess", NOW, (REGISTERED, CODE), "enrolment_code_wrong"),
        ("code", TOMORROW, (REGISTERED, CODE), "enrolment_code_expired"),
        ("code", NOW, (REGISTERED, CODE, ENROLLED), "enrolment_code_used"),
        ("code", NOW, (REGISTERED, CODE, ENROLLED, NEW_CODE), "enrolment_code_used"),
        ("code", NOW, (REGISTERED, CODE, ENROLLED, CredentialRevoked(ID)), "enrolment_code_used"),
        ("code", NOW, (REGISTERED, CODE, NEW_CODE), "enrolment_code_wrong"),
    ],
)
def test_a_code_is_good_once_and_in_time(
    code: str, now: datetime, events: tuple[DeviceEvent, ...], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        when(EnrolDevice(ID, code, "another credential", now), *events)


def test_enrolling_with_the_same_credential_says_nothing_new() -> None:
    assert when(enrol, REGISTERED, CODE, ENROLLED) == []


def test_a_device_keeps_its_credential_until_it_takes_a_new_one() -> None:
    assert when(reissue, REGISTERED, CODE, ENROLLED) == [NEW_CODE]
    taken = when(EnrolDevice(ID, "new code", "new credential", NOW), REGISTERED, CODE, ENROLLED, NEW_CODE)
    assert taken == [DeviceEnrolled(ID, "new credential")]


def test_a_lost_credential_ends_at_once() -> None:
    lost = ReissueCredential(ID, "new code", TOMORROW, revoke=True)
    assert when(lost, REGISTERED, CODE, ENROLLED) == [CredentialRevoked(ID), NEW_CODE]
    assert when(lost, REGISTERED, CODE) == [NEW_CODE]


def test_nothing_is_reissued_to_an_unknown_device() -> None:
    with pytest.raises(Refused, match="device_not_registered"):
        when(reissue)


def test_reissuing_the_same_code_says_nothing_new() -> None:
    assert when(reissue, REGISTERED, CODE, ENROLLED, NEW_CODE) == []


def test_a_device_moves_to_another_address() -> None:
    assert when(move, REGISTERED, CODE) == [DeviceMoved(ID, "http://10.0.0.10")]


def test_an_unknown_device_moves_nowhere() -> None:
    with pytest.raises(Refused, match="device_not_registered"):
        when(move)


def test_moving_to_where_it_is_says_nothing_new() -> None:
    assert when(move, REGISTERED, CODE, ENROLLED, DeviceMoved(ID, "http://10.0.0.10")) == []


PANEL = Description("dc09-panel", "Panel", "", account="4A21")
KEYED = replace(PANEL, key_secret="dc09-key", supervise=60)
RETIRED = DeviceRetired(ID)


def test_what_is_registered_of_a_device_is_corrected_and_its_credential_stays() -> None:
    describe = DescribeDevice(ID, replace(TERMINAL, name="North gate", fallback="open"))
    assert when(describe, REGISTERED, CODE, ENROLLED) == [DeviceDescribed(ID, describe.description)]
    corrected = DeviceDescribed(ID, describe.description)
    assert when(describe, REGISTERED, CODE, ENROLLED, corrected) == when(enrol, REGISTERED, CODE, ENROLLED, corrected) == []
    assert when(DescribeDevice(ID, KEYED), DeviceRegistered(ID, PANEL)) == [DeviceDescribed(ID, KEYED)]


def test_a_device_does_not_become_one_of_another_kind() -> None:
    with pytest.raises(Refused, match="device_of_another_kind"):
        when(DescribeDevice(ID, replace(TERMINAL, kind="hikvision-camera")), REGISTERED, CODE)


def test_a_device_that_is_corrected_gives_up_what_it_was_registered_under_and_takes_what_it_is_now() -> None:
    assert list(REGISTRY.claims(None, DeviceDescribed(ID, replace(PANEL, account="77F0")))) == [
        Release("hardware_serial"), Release("panel_account"), Take("panel_account", "77F0", "account_already_registered")]


def test_a_device_is_retired_once_and_gives_up_what_it_was_registered_under() -> None:
    retire = RetireDevice(ID)
    assert when(retire, REGISTERED, CODE) == when(retire, REGISTERED, CODE, ENROLLED) == [RETIRED]
    assert when(retire, REGISTERED, CODE, RETIRED) == []
    assert list(REGISTRY.claims(retire, RETIRED)) == [Release("hardware_serial"), Release("panel_account")]
    with pytest.raises(Refused, match="device_not_registered"):
        when(retire)


@pytest.mark.parametrize("command", [enrol, reissue, move, DescribeDevice(ID, TERMINAL)])
def test_nothing_is_done_with_a_device_that_is_retired_or_was_never_registered(command: Any) -> None:
    for events, why in (((REGISTERED, CODE, ENROLLED, RETIRED), "device_retired"), ((), "device_not_registered")):
        with pytest.raises(Refused, match=why):
            when(command, *events)


def test_a_device_that_was_retired_is_registered_anew_without_what_it_had() -> None:
    assert when(register, REGISTERED, CODE, ENROLLED, RETIRED) == [REGISTERED, CODE]
    assert when(enrol, REGISTERED, CODE, ENROLLED, RETIRED, REGISTERED, CODE) == [ENROLLED]


def test_a_panels_account_is_registered_once_and_other_devices_have_none() -> None:
    panel = Description("dc09-panel", "Panel", "", account="4A21")
    assert list(REGISTRY.claims(register, DeviceRegistered(ID, panel))) == [Take("panel_account", "4A21", "account_already_registered")]
    plain = Description("vzenith-camera", "Gate", "")
    assert (plain.account, plain.key_secret, plain.supervise) == ("", "", 0)
    assert list(REGISTRY.claims(register, DeviceRegistered(ID, plain))) == []
