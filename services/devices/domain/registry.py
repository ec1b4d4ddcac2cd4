"""A device in the registry: enrolled once with a one-time code, and from then on known by a credential of its own.

Code and credential stand here as SHA-256 of random secrets. A code is good for one use and for a while; a device
whose code was issued anew keeps its old credential until it has taken the new one, unless that was revoked.
A device that is retired is no device any more: its hardware, or its account, may be registered anew.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, Refused, Release, Take

SERIAL, ACCOUNT = "hardware_serial", "panel_account"


class Description(Struct, frozen=True):
    """`base_url`: where orders go, empty for a device that takes none. `password_secret`: the name of a secret.
    `fallback`, `answer_ms`: what a device that waits for a decision is told after so many milliseconds without one.
    `stream`: the device cannot push, so its alert stream is read.
    Of an alarm panel: `account` under which it reports, in capitals; `key_secret`: the name of the secret with its AES key, empty
    where it speaks in plain; `supervise`: seconds without a word after which its line is silent, 0: not supervised."""

    kind: str
    name: str
    hardware_serial: str
    base_url: str = ""
    user: str = ""
    password_secret: str = ""
    fallback: Literal["open", "closed"] = "closed"
    answer_ms: int = 400
    stream: bool = False
    account: str = ""
    key_secret: str = ""
    supervise: int = 0


# what happened


class DeviceRegistered(Struct, frozen=True, tag="device_registered"):
    device_id: UUID
    description: Description


class EnrolmentCodeIssued(Struct, frozen=True, tag="enrolment_code_issued"):
    device_id: UUID
    code_hash: str
    expires: datetime


class DeviceEnrolled(Struct, frozen=True, tag="device_enrolled"):
    device_id: UUID
    credential_hash: str


class CredentialRevoked(Struct, frozen=True, tag="credential_revoked"):
    device_id: UUID


class DeviceMoved(Struct, frozen=True, tag="device_moved"):
    device_id: UUID
    base_url: str


class DeviceDescribed(Struct, frozen=True, tag="device_described"):
    """All of its description, as it is from now on."""

    device_id: UUID
    description: Description


class DeviceRetired(Struct, frozen=True, tag="device_retired"):
    """It is out of use: let in, ordered, read and watched no more."""

    device_id: UUID


DeviceEvent = (
    DeviceRegistered | EnrolmentCodeIssued | DeviceEnrolled | CredentialRevoked | DeviceMoved | DeviceDescribed | DeviceRetired)


# what is


class Unknown(Struct, frozen=True):
    pass


class Code(Struct, frozen=True):
    hash: str
    expires: datetime


class Registered(Struct, frozen=True):
    """Without a credential; `used` is the code that it last had."""

    description: Description
    code: Code | None = None
    used: str = ""


class Enrolled(Struct, frozen=True):
    """`code`: one that may be exchanged for a new credential."""

    description: Description
    credential_hash: str
    code: Code | None = None
    used: str = ""


class Retired(Struct, frozen=True):
    pass


Device = Unknown | Registered | Enrolled | Retired


def evolve(device: Device, event: DeviceEvent) -> Device:
    match device, event:
        case (Unknown() | Retired()), DeviceRegistered(description=description):
            return Registered(description=description)
        case (Registered() | Enrolled()), EnrolmentCodeIssued(code_hash=code_hash, expires=expires):
            return replace(device, code=Code(code_hash, expires))
        case (Registered() | Enrolled()), DeviceEnrolled(credential_hash=credential_hash):
            used = device.code.hash if device.code else device.used
            return Enrolled(description=device.description, credential_hash=credential_hash, used=used)
        case Enrolled(), CredentialRevoked():
            return Registered(description=device.description, code=device.code, used=device.used)
        case (Registered() | Enrolled()), DeviceMoved(base_url=base_url):
            return replace(device, description=replace(device.description, base_url=base_url))
        case (Registered() | Enrolled()), DeviceDescribed(description=description):
            return replace(device, description=description)
        case _, DeviceRetired():
            return Retired()
        case _:
            return device


# what is asked


class RegisterDevice(Struct, frozen=True):
    device_id: UUID
    description: Description
    code_hash: str
    code_expires: datetime


class EnrolDevice(Struct, frozen=True):
    device_id: UUID
    code_hash: str
    credential_hash: str
    now: datetime


class ReissueCredential(Struct, frozen=True):
    """A new code. `revoke`: the old credential ends at once (lost, stolen) and not when the new one is taken."""

    device_id: UUID
    code_hash: str
    code_expires: datetime
    revoke: bool = False


class MoveDevice(Struct, frozen=True):
    device_id: UUID
    base_url: str


class DescribeDevice(Struct, frozen=True):
    device_id: UUID
    description: Description


class RetireDevice(Struct, frozen=True):
    device_id: UUID


def _described(device: Device) -> Description:
    """Raises Refused for a device that is not there (yet, or any more)."""
    match device:
        case Unknown():
            raise Refused("device_not_registered")
        case Retired():
            raise Refused("device_retired")
        case Registered(description=description) | Enrolled(description=description):
            return description
        case _:
            assert_never(device)


def decide_register_device(command: RegisterDevice, device: Device) -> list[DeviceEvent]:
    match device:
        case Unknown() | Retired():
            return [
                DeviceRegistered(command.device_id, command.description),
                EnrolmentCodeIssued(command.device_id, command.code_hash, command.code_expires)]
        case Registered() | Enrolled():
            if device.description == command.description:
                return []
            raise Refused("device_already_registered")
        case _:
            assert_never(device)


def decide_enrol_device(command: EnrolDevice, device: Device) -> list[DeviceEvent]:
    match device:
        case Unknown():
            raise Refused("device_not_registered")
        case Retired():
            raise Refused("device_retired")
        case Enrolled(credential_hash=known) if known == command.credential_hash:
            return []
        case Registered(code=code, used=used) | Enrolled(code=code, used=used):
            if command.code_hash == used:
                raise Refused("enrolment_code_used")
            if code is None or code.hash != command.code_hash:
                raise Refused("enrolment_code_wrong")
            if command.now >= code.expires:
                raise Refused("enrolment_code_expired", expired=code.expires)
            return [DeviceEnrolled(command.device_id, command.credential_hash)]
        case _:
            assert_never(device)


def decide_reissue_credential(command: ReissueCredential, device: Device) -> list[DeviceEvent]:
    match device:
        case Unknown():
            raise Refused("device_not_registered")
        case Retired():
            raise Refused("device_retired")
        case Registered(code=code) | Enrolled(code=code):
            revoked = command.revoke and isinstance(device, Enrolled)
            events: list[DeviceEvent] = [CredentialRevoked(command.device_id)] if revoked else []
            if code is None or code.hash != command.code_hash:
                events.append(EnrolmentCodeIssued(command.device_id, command.code_hash, command.code_expires))
            return events
        case _:
            assert_never(device)


def decide_move_device(command: MoveDevice, device: Device) -> list[DeviceEvent]:
    return [] if _described(device).base_url == command.base_url else [DeviceMoved(command.device_id, command.base_url)]


def decide_describe_device(command: DescribeDevice, device: Device) -> list[DeviceEvent]:
    known = _described(device)
    if known.kind != command.description.kind:
        raise Refused("device_of_another_kind", kind=known.kind)
    return [] if known == command.description else [DeviceDescribed(command.device_id, command.description)]


def decide_retire_device(command: RetireDevice, device: Device) -> list[DeviceEvent]:
    match device:
        case Unknown():
            raise Refused("device_not_registered")
        case Registered() | Enrolled():
            return [DeviceRetired(command.device_id)]
        case Retired():
            return []
        case _:
            assert_never(device)


def claims(command: Any, event: DeviceEvent) -> Iterable[Take | Release]:
    """A piece of hardware, and a panel's account, is registered once in a community."""
    if isinstance(event, DeviceDescribed | DeviceRetired):
        yield from (Release(SERIAL), Release(ACCOUNT))
    if isinstance(event, DeviceRegistered | DeviceDescribed):
        if event.description.hardware_serial:
            yield Take(SERIAL, f"{event.description.kind} {event.description.hardware_serial}", "hardware_already_registered")
        if event.description.account:
            yield Take(ACCOUNT, event.description.account, "account_already_registered")


REGISTRY = Decider[Device, DeviceEvent](
    category="device",
    initial=Unknown(),
    evolve=evolve,
    decide={
        RegisterDevice: decide_register_device, EnrolDevice: decide_enrol_device,
        ReissueCredential: decide_reissue_credential, MoveDevice: decide_move_device,
        DescribeDevice: decide_describe_device, RetireDevice: decide_retire_device},
    claims=claims,
)
