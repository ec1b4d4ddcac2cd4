"""Personal data at rest is sealed under a key of its subject; that key is wrapped by its purpose's key-encryption key.
Erasing a person is erasing their keys. What can then no longer be opened is an ordinary value, never an error."""
import base64
import hashlib
import hmac
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self, TypeVar
from uuid import UUID, uuid4
import asyncpg
import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.util import LRUCache
from libs.eventkit.sealed import Sealed

CACHED, CACHED_SECONDS = 1024, 5.0  # for so long an erasure in one process may go unseen by another; its own process sees it at once
class BadSecret(ValueError):
    """A secret that is not 32 random bytes in base64url. Names the file, never shows what is in it."""
class MissingKek(LookupError):
    """This service was not given the purpose's key-encryption key, or not the one that wrapped a key."""
class Tampered(ValueError):
    """A box that its key does not open: altered, cut off, or moved to another event or slot."""
class Erased(msgspec.Struct, frozen=True, tag="erased"):
    """The key is gone for good, and with it what it sealed."""
class Pending(msgspec.Struct, frozen=True, tag="pending"):
    """The key has not arrived, or is wrapped by a key-encryption key that this service does not (yet) have."""
Opened = bytes | Erased | Pending
T = TypeVar("T")
def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
def unbase64url(text: str) -> bytes:
    """Raises ValueError on anything outside the alphabet; padding may be left out."""
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
def decoded(text: str, kind: type[T], refusal: Exception) -> T:
    """The JSON in base64url. Raises the refusal where it is none of that kind."""
    try:
        return msgspec.json.decode(unbase64url(text), type=kind)
    except ValueError:
        raise refusal from None
def secret_bytes(text: str, name: str) -> bytes:
    """The 32 bytes of a secret. Raises BadSecret for anything else, and for text or repetition posing as a key."""
    raw = b""
    with suppress(ValueError):
        raw = unbase64url(text.strip())
    if len(raw) != 32 or len(set(raw)) < 16 or raw.isascii():  # chance does this once in four thousand million
        raise BadSecret(f"{name}: not 32 random bytes in base64url")
    return raw
class Keks:
    """Key-encryption keys by purpose, each by id; the last one of a purpose is current. A purpose may be absent."""
    def __init__(self, purposes: Mapping[str, Mapping[str, bytes]]) -> None:
        self._purposes = {purpose: dict(keys) for purpose, keys in purposes.items()}
    @classmethod
    def load(cls, directory: Path) -> Self:
        """From files `kek-<purpose>`, a key a line: `id:base64url` or base64url (id: 8 hex digits of its SHA-256). Raises BadSecret."""
        purposes: dict[str, dict[str, bytes]] = {}
        for path in directory.glob("kek-*"):
            keys = purposes[path.name.removeprefix("kek-")] = {}
            for line in path.read_text().split() or [""]:
                kek_id, _, text = line.rpartition(":")
                raw = secret_bytes(text, path.name)
                if keys.setdefault(kek_id or hashlib.sha256(raw).hexdigest()[:8], raw) is not raw:
                    raise BadSecret(f"{path.name}: two keys of one id")
        return cls(purposes)
    def current_id(self, purpose: str) -> str | None:
        return next(reversed(self._purposes.get(purpose, {})), None)
    def current(self, purpose: str) -> tuple[str, bytes]:
        """Id and key that wrap from now on. Raises MissingKek."""
        if (kek_id := self.current_id(purpose)) is None:
            raise MissingKek(purpose)
        return kek_id, self._purposes[purpose][kek_id]
    def unwrap(self, record: "KeyRecord") -> bytes:
        """The data key of a record. Raises MissingKek, Tampered."""
        if kek := self._purposes.get(record.purpose, {}).get(record.kek_id):
            return decrypt(kek, record.wrapped or b"", record.bound)
        raise MissingKek(f"{record.purpose} {record.kek_id}")
def encrypt(key: bytes, plaintext: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound)
def decrypt(key: bytes, box: bytes | str, bound: bytes) -> bytes:
    try:
        box = unbase64url(box) if isinstance(box, str) else box
        return AESGCM(key).decrypt(box[:12], box[12:], bound)
    except (InvalidTag, ValueError):
        raise Tampered from None
def seal(dek: bytes, key_id: UUID, event_id: UUID, slot: str, plaintext: str | bytes) -> Sealed:
    """Seals for one slot of one event; only as that will it open."""
    raw = plaintext.encode() if isinstance(plaintext, str) else plaintext
    return Sealed(key_id, event_id, slot, base64url(encrypt(dek, raw, event_id.bytes + slot.encode())))
def open_box(dek: bytes, sealed: Sealed) -> bytes:
    """What was sealed. Raises Tampered."""
    return decrypt(dek, sealed.box, sealed.event_id.bytes + sealed.slot.encode())
class KeyHandle:
    """A key in the clear: no repr, no encoding. While `is_new`, who seals with it appends `key_created`, then calls `KeyRing.announced`."""
    __slots__ = ("dek", "is_new", "key_id")
    def __init__(self, key_id: UUID, dek: bytes, is_new: bool) -> None:
        self.key_id, self.dek, self.is_new = key_id, dek, is_new
class KeyRecord(msgspec.Struct, frozen=True):
    """A key as it travels: wrapped (base64 in JSON) by the key-encryption key `kek_id`; once erased, without."""
    key_id: UUID
    community_id: UUID
    subject: str
    purpose: str
    owner: str
    kek_id: str
    wrapped: bytes | None = None
    @property
    def bound(self) -> bytes:
        return msgspec.json.encode((self.key_id, self.community_id, self.subject, self.purpose, self.owner))
KEY_COLUMNS = "key_id, community_id, subject, purpose, owner, kek_id, wrapped"
class KeyRing:
    """Keys that this service made (`owner`) or was sent; wrapped with AES-GCM: AES-KW would not bind them to their subject's row."""
    def __init__(self, pool: asyncpg.Pool, owner: str, keks: Keks) -> None:
        self._pool, self._owner, self._keks, self._cache = pool, owner, keks, LRUCache[UUID, tuple[float, bytes]](CACHED)
    async def key_for(self, community_id: UUID, subject: str, purpose: str) -> KeyHandle:
        """The subject's live key of this owner; concurrent callers make one and the same. Raises MissingKek."""
        row = await self._pool.fetchrow("select * from live_key($1, $2, $3, $4)", community_id, subject, purpose, self._owner)
        while row is None:
            kek_id, kek = self._keks.current(purpose)
            record = KeyRecord(uuid4(), community_id, subject, purpose, self._owner, kek_id)
            values = (*msgspec.structs.astuple(record)[:6], encrypt(kek, AESGCM.generate_key(256), record.bound))
            row = await self._pool.fetchrow("select * from make_key($1, $2, $3, $4, $5, $6, $7)", *values)
        return KeyHandle(row["key_id"], self._keks.unwrap(KeyRecord(*row[:7])), row["announced_at"] is None)
    async def announced(self, key_id: UUID) -> None:
        """`key_created` is in the log. While that was not said (a crash, a refusal), the next command appends it."""
        await self._pool.execute("update keys set announced_at = clock_timestamp() where key_id = $1", key_id)
    async def open(self, sealed: Sealed) -> Opened:
        """What was sealed, or why it cannot be seen. Raises Tampered."""
        return (await self.open_all([sealed]))[0]
    async def open_all(self, boxes: Sequence[Sealed]) -> list[Opened]:
        """The same for a page of them, with at most one query. Raises Tampered."""
        now, cache = time.monotonic(), self._cache
        deks: dict[UUID, Opened] = {b.key_id: hit[1] for b in boxes if (hit := cache.get(b.key_id)) and now - hit[0] < CACHED_SECONDS}
        if missing := list({box.key_id for box in boxes} - deks.keys()):
            for row in await self._pool.fetch(f"select {KEY_COLUMNS} from keys where key_id = any($1::uuid[])", missing):
                record = KeyRecord(*row)
                if record.wrapped is None:
                    deks[record.key_id] = Erased()
                    continue
                with suppress(MissingKek):
                    dek = deks[record.key_id] = self._keks.unwrap(record)
                    cache[record.key_id] = (now, dek)
        found = (deks.get(box.key_id, Pending()) for box in boxes)
        return [open_box(dek, box) if isinstance(dek, bytes) else dek for dek, box in zip(found, boxes, strict=True)]
    def forget(self, key_id: UUID) -> None:
        """Drops the unwrapped key; whoever hears or tails `key_erased` calls this."""
        self._cache = LRUCache(CACHED)  # anew: an `open` that asked before the erasure fills the old one
    async def record(self, key_id: UUID) -> KeyRecord | None:
        """What the relay sends on reaching `key_created` or `key_erased`; a tombstone if it has no `wrapped`."""
        row = await self._pool.fetchrow(f"select {KEY_COLUMNS} from keys where key_id = $1", key_id)
        return None if row is None else KeyRecord(*row)
    async def own(self, community_id: UUID, subjects: Sequence[str]) -> list[UUID]:
        """The keys that this owner has made for these subjects, also those that are erased."""
        query = "select key_id from keys where community_id = $1 and owner = $2 and subject = any($3) order by key_id"
        return [row[0] for row in await self._pool.fetch(query, community_id, self._owner, list(subjects))]
    async def news(self, records: Sequence[KeyRecord]) -> list[KeyRecord]:
        """Those that are not here as they are. A live one of its own comes from nowhere but here; and what is wrapped by the current
        key-encryption key is not wrapped by an older one again, which stands ahead of it on the topic until that is compacted."""
        held = {row[0]: (row[1], row[2]) for row in await self._pool.fetch(
            "select key_id, wrapped, kek_id from keys where key_id = any($1::uuid[])", [r.key_id for r in records])}
        return [r for r in records if (known := held.get(r.key_id, (b"", "")))[0] != r.wrapped and (r.wrapped is None or (
            r.owner != self._owner and (known[1] == r.kek_id or known[1] != self._keks.current_id(r.purpose))))]
    async def store(self, record: KeyRecord) -> None:
        """Takes what the keys topic brings. A tombstone is final: no older record brings the key back."""
        await self._pool.execute("select take_key($1, $2, $3, $4, $5, $6, $7)", *msgspec.structs.astuple(record))
        if record.wrapped is None:
            self.forget(record.key_id)
    async def erase(self, key_id: UUID) -> None:
        """Destroys the key for good. One never seen (the tombstone alone is left) stays destroyed if it comes late."""
        await self._pool.execute("select erase_key($1)", key_id)
        self.forget(key_id)
class BlindIndex:
    """Finds a personal value without storing it; equal only within one community and scope. Never in events."""
    def __init__(self, secret: bytes) -> None:
        self._secret = secret
    def of(self, community_id: UUID, scope: str, value: str) -> str:
        """32 characters; the caller has brought `value` to its normal form."""
        return base64url(hmac.digest(self._secret, msgspec.json.encode((community_id, scope, value)), "sha256")[:24])
def masked(value: str | Opened, kind: Literal["phone", "id_number", "card", "name", "plate"]) -> str | Erased | Pending:
    """138****5678, 310***********001X, ****1234, 张*, 沪A***P2; a number too short to hide much in is hidden whole."""
    if isinstance(value, Erased | Pending):
        return value
    text = value.decode() if isinstance(value, bytes) else value
    if kind == "name":
        return text[:1] + "*"
    if kind == "card":
        return "****" + text[-4:] * (len(text) >= 8)
    first, last, least = (2, 2, 3) if kind == "plate" else (3, 4, 4)
    hidden = len(text) - first - last
    return text[:first] + "*" * hidden + text[-last:] if hidden >= least else "*" * len(text)
