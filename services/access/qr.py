"""A visitor's code: 111 bytes signed with Ed25519, that a reader can check with nothing but our public keys.

The format, byte by byte: docs/visitor-qr.md. The text of the code is the payload in base64url, 148 characters."""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import reduce
from struct import Struct as Packed
from typing import NoReturn, Self
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from libs.eventkit.privacy import base64url, secret_bytes, unbase64url

VERSION = 1
COMMUNITY, BUILDING = 1, 2
"""Bits of the flags: the gates of the community, the doors of the building."""
LOWEST_FLOOR = -8
SIGNED = Packed(">B4s16s4sIIBB4sQ")
SIZE = SIGNED.size + 64
TEXT = 148
LONGEST = timedelta(days=31)
SECRET = "visitor-qr-seed"


class BadCode(Exception):
    """The code admits nobody; `code` is stable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Code(Struct, frozen=True):
    """What a code says. `uses` None: as often as they like; `zones` are known to a reader as marks (`zone_mark`)."""

    pass_id: UUID
    community_id: UUID
    valid_from: datetime
    valid_until: datetime
    uses: int | None
    zones: tuple[str, ...]
    floors: tuple[int, ...]


class Checked(Struct, frozen=True):
    """What a code that is ours and in time says."""

    pass_id: UUID
    valid_from: datetime
    valid_until: datetime
    uses: int | None
    flags: int
    building: bytes
    floors: tuple[int, ...]

    def opens(self, zone: str) -> bool:
        if zone == "community":
            return bool(self.flags & COMMUNITY)
        return bool(self.flags & BUILDING) and self.building == zone_mark(zone)


class Signer:
    """The private keys of codes. The last one signs; all are published, so that codes outlive a change of keys."""

    def __init__(self, seeds: Iterable[bytes]) -> None:
        keys = [Ed25519PrivateKey.from_private_bytes(seed) for seed in seeds]
        self.public: dict[bytes, Ed25519PublicKey] = {key_id(k.public_key()): k.public_key() for k in keys}
        self._key = keys[-1]

    @classmethod
    def of(cls, text: str) -> Self:
        """From the secret's text: one seed a line, the newest last. Raises BadSecret."""
        return cls([secret_bytes(line, SECRET) for line in text.split() or [""]])

    def sign(self, code: Code) -> bytes:
        buildings = [zone for zone in code.zones if zone != "community"]
        flags = COMMUNITY * ("community" in code.zones) | BUILDING * bool(buildings)
        signed = SIGNED.pack(
            VERSION, key_id(self._key.public_key()), code.pass_id.bytes, community_mark(code.community_id),
            int(code.valid_from.timestamp()), int(code.valid_until.timestamp()), code.uses or 0, flags,
            zone_mark(buildings[0]) if buildings else bytes(4),
            reduce(lambda bits, floor: bits | 1 << floor - LOWEST_FLOOR, code.floors, 0))
        return signed + self._key.sign(signed)


def key_id(key: Ed25519PublicKey) -> bytes:
    return hashlib.sha256(key.public_bytes_raw()).digest()[:4]


def community_mark(community_id: UUID) -> bytes:
    return hashlib.sha256(community_id.bytes).digest()[:4]


def zone_mark(zone: str) -> bytes:
    return hashlib.sha256(zone.encode()).digest()[:4]


def text_of(payload: bytes) -> str:
    return base64url(payload)


def payload_of(text: str) -> bytes:
    """Raises BadCode."""
    if len(text) == TEXT:
        with suppress(ValueError):
            return unbase64url(text)
    _not_ours()


def verify(payload: bytes, keys: Mapping[bytes, Ed25519PublicKey], now: datetime, community_id: UUID) -> Checked:
    """What the code says. Raises BadCode: its shape, whose it is, the signature, then the time."""
    if len(payload) != SIZE or payload[0] != VERSION:
        _not_ours()
    _, key, pass_id, community, start, end, uses, flags, building, bits = SIGNED.unpack_from(payload)
    if flags & ~(COMMUNITY | BUILDING) or (any(building) and not flags & BUILDING) or not 0 < end - start <= LONGEST.total_seconds():
        _not_ours()
    if community != community_mark(community_id):
        raise BadCode("qr_of_another_community")
    if key not in keys:
        raise BadCode("qr_key_unknown")
    try:
        keys[key].verify(payload[SIGNED.size:], payload[:SIGNED.size])
    except InvalidSignature:
        raise BadCode("qr_signature_wrong") from None
    if now.timestamp() < start:
        raise BadCode("pass_not_yet_valid")
    if now.timestamp() >= end:
        raise BadCode("pass_expired")
    return Checked(
        pass_id=UUID(bytes=pass_id), valid_from=datetime.fromtimestamp(start, UTC), valid_until=datetime.fromtimestamp(end, UTC),
        uses=uses or None, flags=flags, building=building,
        floors=tuple(bit + LOWEST_FLOOR for bit in range(64) if bits >> bit & 1))


def _not_ours() -> NoReturn:
    raise BadCode("qr_malformed")
