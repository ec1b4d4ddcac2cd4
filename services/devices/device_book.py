"""Every device as each process keeps it in memory, so that a push is let in and an order addressed without a query."""

import hashlib
import hmac
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.contracts.identity import CommunityFounded
from libs.eventkit.memory import Memory
from libs.eventkit.privacy import KeyHandle
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.devices.domain.lines import LineBack, LineSilent
from services.devices.domain.registry import (
    CredentialRevoked,
    Description,
    DeviceDescribed,
    DeviceEnrolled,
    DeviceMoved,
    DeviceRegistered,
    DeviceRetired,
)
from services.devices.domain.reports import DayBegun

EVENTS = (
    CommunityFounded, DeviceRegistered, DeviceEnrolled, CredentialRevoked, DeviceMoved, DeviceDescribed, DeviceRetired, DayBegun,
    LineSilent, LineBack)


TERMINAL = "hikvision-terminal"


class KnownDevice(Struct, frozen=True):
    device_id: UUID
    community_id: UUID
    description: Description
    credential_hash: str = ""


class DayKey(Struct, frozen=True):
    """`at`: when it was read, on the loop's clock."""

    subject: str
    at: float
    handle: KeyHandle


def hash_of(secret: str) -> str:
    """SHA-256 in hex; enough for random secrets of 32 bytes, which nobody guesses however fast they try."""
    return hashlib.sha256(secret.encode()).hexdigest()


class DeviceBook:
    def __init__(self) -> None:
        self.memory = Memory("device_book", EVENTS, self._apply)
        self._devices: dict[UUID, KnownDevice] = {}
        self._panels: dict[str, list[UUID]] = {}
        self.retired: dict[UUID, KnownDevice] = {}
        self.zones: dict[UUID, str] = {}
        """Of communities."""
        self.silent: set[UUID] = set()
        """Panels whose line is silent."""
        self.last_day: dict[UUID, date] = {}
        """The day into which a device's latest reports went."""
        self.begun: dict[UUID, UUID] = {}
        """By device the stream of a day that this process has seen begun."""
        self.keys: dict[tuple[UUID, str], DayKey] = {}
        """By device and purpose what its reports are sealed with, for some seconds."""

    def _apply(self, event: Any, row: Recorded) -> None:
        match event:
            case CommunityFounded(community_id=community_id, zone=zone):
                self.zones[community_id] = zone
            case DeviceRegistered(device_id=device_id, description=description):
                self._devices[device_id] = KnownDevice(device_id, row.community_id, description)
                self.retired.pop(device_id, None)
                self._answer(device_id, "", description.account)
            case LineSilent(device_id=device_id):
                self.silent.add(device_id)
            case LineBack(device_id=device_id):
                self.silent.discard(device_id)
            case DeviceEnrolled(device_id=device_id, credential_hash=credential_hash):
                self._change(device_id, credential_hash=credential_hash)
            case CredentialRevoked(device_id=device_id):
                self._change(device_id, credential_hash="")
            case DeviceMoved(device_id=device_id, base_url=base_url):
                if known := self._devices.get(device_id):
                    self._change(device_id, description=replace(known.description, base_url=base_url))
            case DeviceDescribed(device_id=device_id, description=description):
                if known := self._devices.get(device_id):
                    self._answer(device_id, known.description.account, description.account)
                    self._change(device_id, description=description)
            case DeviceRetired(device_id=device_id):
                if known := self._devices.pop(device_id, None):
                    self.retired[device_id] = known
                    self._answer(device_id, known.description.account, "")
                    self.silent.discard(device_id)
            case DayBegun(device_id=device_id, day=day):
                self.last_day[device_id] = max(day, self.last_day.get(device_id, day))

    def _change(self, device_id: UUID, **fields: Any) -> None:
        if known := self._devices.get(device_id):
            self._devices[device_id] = replace(known, **fields)

    def _answer(self, device_id: UUID, before: str, account: str) -> None:
        """A panel reports under this account from now on."""
        if before != account:
            if before:
                self._panels[before].remove(device_id)
            if account:
                self._panels.setdefault(account, []).append(device_id)

    def streamed(self) -> list[KnownDevice]:
        """Those whose alert stream is to be read."""
        return [known for known in self._devices.values() if known.description.stream and known.description.base_url]

    def readers(self, community_id: UUID) -> list[UUID]:
        """Those that may keep faces."""
        return sorted(
            i for i, known in self._devices.items() if known.community_id == community_id and known.description.kind == TERMINAL)

    def panels(self, account: str) -> list[KnownDevice]:
        """The alarm panels of an account, of whatever community, in the order in which they were registered."""
        return [self._devices[device_id] for device_id in self._panels.get(account, ())]

    def supervised(self) -> list[KnownDevice]:
        return [known for ids in self._panels.values() for i in ids if (known := self._devices[i]).description.supervise > 0]

    async def find(self, device_id: UUID, position: int = 0) -> KnownDevice | None:
        """Raises Problem 503 while the book is cold or stale."""
        await self.memory.fresh(position)
        if device_id not in self._devices:  # another process may have registered it a moment ago
            await self.memory.catch_up()
        return self._devices.get(device_id)

    async def authenticated(self, device_id: UUID, credential: str) -> KnownDevice | None:
        """The device, if this is its credential; takes as long for one that does not exist."""
        await self.memory.fresh()
        if not _is_its(self._devices.get(device_id), credential):  # it may have been registered, or have taken this one, a moment ago
            await self.memory.catch_up()
        device = self._devices.get(device_id)
        return device if _is_its(device, credential) else None


def _is_its(device: KnownDevice | None, credential: str) -> bool:
    expected = device.credential_hash if device else ""
    return hmac.compare_digest(hash_of(credential), expected or "0" * 64) and bool(expected)


@cache
def book_of(app: App) -> DeviceBook:
    """The app's one book."""
    return DeviceBook()
