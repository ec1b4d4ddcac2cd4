"""What identity gives out: access tokens, signed; refresh tokens, which only identity can make and read."""

import asyncio
import base64
import hmac
import logging
from datetime import UTC, datetime
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from libs.eventkit.auth import LIFETIME
from libs.eventkit.commands import Context
from libs.eventkit.privacy import base64url, secret_bytes
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import NOWHERE
from libs.eventkit.service import App
from services.identity.domain.signing_keys import KEYS, SIGNING_KEYS, PublishSigningKey

log = logging.getLogger(__name__)
ISSUER = "lifang-identity"
LOOK = 60.0
"""Seconds between looks at whether a new signing key is due. So long, and a key's lead, nobody signs in once a clock ahead is put right."""
_IDS, _COUNT, _MAC = 32, 4, 32
AUDIENCE = {
    "resident": frozenset({"gateway", "identity", "access", "parking", "alarm", "neighbors"}),
    "staff": frozenset({"gateway", "identity", "access", "devices", "parking", "alarm", "neighbors"}),
    "guard": frozenset({"gateway", "identity", "access", "devices", "parking", "alarm", "neighbors"}),
    "grid": frozenset({"gateway", "identity"}),
    "police": frozenset({"gateway", "identity"}),
    "operator": frozenset({"gateway", "identity", "access", "devices"}),
    "device": frozenset({"devices", "access"}),
    "service": frozenset({"gateway", "access"}),
}
"""Which services take a role's commands, and so its tokens."""


class Refresh(Struct, frozen=True):
    """What a refresh token says: which session of which community, and how often that had been renewed."""

    community_id: UUID
    session_id: UUID
    count: int


class Secrets:
    """Everything here derives from one secret, so that no private key and no token rests anywhere."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed

    def _derived(self, info: str) -> bytes:
        return HKDF(SHA256(), 32, None, f"lifang-identity {info}".encode()).derive(self._seed)

    def signing_key(self, kid: str) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._derived(f"signing-key {kid}"))

    def public_key(self, kid: str) -> str:
        return base64url(self.signing_key(kid).public_key().public_bytes_raw())

    def refresh_token(self, refresh: Refresh) -> str:
        body = refresh.community_id.bytes + refresh.session_id.bytes + refresh.count.to_bytes(_COUNT)
        return base64url(body + hmac.digest(self._derived("refresh-tokens"), body, "sha256"))

    def read_refresh_token(self, text: str) -> Refresh:
        """Raises Problem 401 for a token that is not ours."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except ValueError as error:
            raise Problem(401, "refresh_token_unusable") from error
        body, mac = raw[:-_MAC], raw[-_MAC:]
        expected = hmac.digest(self._derived("refresh-tokens"), body, "sha256")
        if len(body) != _IDS + _COUNT or not hmac.compare_digest(mac, expected):
            raise Problem(401, "refresh_token_unusable")
        return Refresh(UUID(bytes=body[:16]), UUID(bytes=body[16:_IDS]), int.from_bytes(body[_IDS:]))

    def access_token(
        self, kid: str, person_id: UUID, role: str, community_id: UUID, now: datetime, session_id: UUID | None = None
    ) -> str:
        """Good for ten minutes, at the services that take this role's commands."""
        issued = int(now.timestamp())
        claims = {
            "iss": ISSUER, "aud": sorted(AUDIENCE[role]), "sub": str(person_id), "role": role,
            "cid": [str(community_id)], "iat": issued, "exp": issued + LIFETIME,
            **({"sid": str(session_id)} if session_id else {})}
        headers = {"typ": "at+jwt", "kid": kid}
        return jwt.encode(claims, self.signing_key(kid), algorithm="EdDSA", headers=headers)


def secrets_of(app: App) -> Secrets:
    """Raises FileNotFoundError or BadSecret."""
    return Secrets(secret_bytes(app.settings.secret("signing-seed"), "signing-seed"))


async def kid_for_now(app: App) -> str:
    """The key to sign with. Raises Problem 503 while none may sign."""
    keys, _ = await app.commands.state(SIGNING_KEYS, KEYS, NOWHERE)
    kid: str | None = keys.to_sign_with(datetime.now(UTC))
    if kid is None:
        raise Problem(503, "not_ready", "no signing key may sign yet")
    return kid


async def keep_a_signing_key(app: App, secrets: Secrets) -> None:
    """Publishes the first key and each successor in time, for ever; of several processes one does."""
    while True:
        kid = base64url(uuid4().bytes)
        now = datetime.now(UTC)
        done = await app.commands.handle(
            KEYS, PublishSigningKey(kid, secrets.public_key(kid), now), Context(community_id=NOWHERE, now=now))
        if done.outcome.events:
            log.info("signing key %s published", kid)
        await asyncio.sleep(LOOK)
