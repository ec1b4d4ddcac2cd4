"""Who is asking: a signed token in, a principal out, everything else refused. Only identity signs. JWS compact (RFC 7515) in a single form:
Ed25519 (RFC 8037), access token (RFC 9068), no header beside alg, typ, kid. A JOSE library would have to be talked out of all others."""
import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import UUID
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct
from libs.eventkit.privacy import decoded, unbase64url

LIFETIME, SKEW = 600, 60  # seconds from iat to exp, at most; by which the signer's clock may run ahead, none for an expired token
_LONGEST, _REMEMBERED = 16_384, 4096
_FORM = re.compile(r"[\w-]+\.[\w-]+\.[\w-]{85}[AQgw]", re.ASCII)  # 64 bytes of signature have just one spelling
class Unauthorised(Exception):
    """401. The code: token_missing, _malformed, _forged, _expired, _not_yet, _audience or _issuer, or key_unknown."""
class Principal(Struct, frozen=True):
    """Whoever the token speaks for, and what they may do in which communities."""
    id: UUID
    role: str
    community_ids: frozenset[UUID]
    permissions: frozenset[str]
    session: str | None = None
class _Header(Struct, forbid_unknown_fields=True):
    alg: Literal["EdDSA"]
    typ: Literal["at+jwt"]
    kid: str
class _Claims(Struct):
    iss: str
    aud: list[str]
    sub: UUID
    role: str
    cid: frozenset[UUID]
    iat: int
    exp: int
    nbf: int = 0
    sid: str | None = None
class Verifier:
    """Verifies tokens made out to one service, with keys learnt from identity's events. `permissions_of`: of an unknown role nothing."""
    def __init__(self, audience: str, permissions_of: Callable[[str], frozenset[str]], issuer: str = "lifang-identity") -> None:
        self._audience, self._permissions_of, self._issuer = audience, permissions_of, issuer
        self._keys: dict[str, tuple[Ed25519PublicKey, float, float]] = {}  # by kid; not before, expires
        self._verified: dict[bytes, tuple[Principal, str, float, float]] = {}  # by hash; kid, since, until
    @property
    def ready(self) -> bool:
        return bool(self._keys)
    def learn(self, kid: str, public: bytes, not_before: datetime, expires: datetime) -> None:
        """Takes a key (32 raw bytes) for tokens issued from `not_before` on; it verifies none once it `expires`. Raises ValueError."""
        self._keys[kid] = (Ed25519PublicKey.from_public_bytes(public), not_before.timestamp(), expires.timestamp())
        self._verified = {digest: seen for digest, seen in self._verified.items() if seen[1] != kid}  # an earlier key's
    def verify(self, token: str, now: datetime) -> Principal:
        """Raises Unauthorised. A token once verified is known by its hash until it, or its key, expires."""
        if not token:
            raise Unauthorised("token_missing")
        if len(token) > _LONGEST or not _FORM.fullmatch(token):
            raise Unauthorised("token_malformed")
        moment, digest = now.timestamp(), hashlib.sha256(token.encode()).digest()
        seen = self._verified.get(digest)
        if seen is None or not seen[2] <= moment < seen[3]:
            seen = self._verified[digest] = self._check(token, moment)
            if len(self._verified) > _REMEMBERED:
                del self._verified[next(iter(self._verified))]
        return seen[0]
    def _check(self, token: str, now: float) -> tuple[Principal, str, float, float]:
        signed, _, signature = token.rpartition(".")
        head, _, body = signed.partition(".")
        kid = decoded(head, _Header, Unauthorised("token_forged")).kid
        if kid not in self._keys:
            raise Unauthorised("key_unknown")
        key, not_before, expires = self._keys[kid]
        try:
            key.verify(unbase64url(signature), signed.encode())
        except InvalidSignature:
            raise Unauthorised("token_forged") from None
        claims = decoded(body, _Claims, Unauthorised("token_malformed"))
        for wrong, code in ((claims.iss != self._issuer, "token_issuer"), (self._audience not in claims.aud, "token_audience"),
                (claims.exp <= now, "token_expired"), (max(claims.iat, claims.nbf) > now + SKEW, "token_not_yet"),
                (not 0 < claims.exp - claims.iat <= LIFETIME, "token_malformed"),
                (claims.iat < not_before - SKEW or now >= expires, "key_unknown")):
            if wrong:
                raise Unauthorised(code)
        principal = Principal(claims.sub, claims.role, claims.cid, self._permissions_of(claims.role), claims.sid)
        return principal, kid, max(claims.iat, claims.nbf) - SKEW, min(claims.exp, expires)
