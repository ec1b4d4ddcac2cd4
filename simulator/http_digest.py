"""The server's side of HTTP digest authentication (RFC 7616: MD5 as the devices use it, qop=auth)."""

import hashlib
import hmac
import re
import secrets
import time

_FIELD = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')
NONCE_SECONDS = 300


class Digest:
    def __init__(self, realm: str, user: str, password: str) -> None:
        self._realm, self._user, self._password = realm, user, password
        self._key = secrets.token_bytes(32)

    def challenge(self) -> str:
        return f'Digest realm="{self._realm}", nonce="{self._nonce(int(time.time()))}", qop="auth", algorithm=MD5'

    def admits(self, authorization: str, method: str, target: str) -> bool:
        """Whether this Authorization header is right for this method and request target, with a nonce still young."""
        if not authorization.lower().startswith("digest "):
            return False
        fields = {name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(authorization[7:])}
        if fields.get("username") != self._user or fields.get("uri") != target or fields.get("qop") != "auth":
            return False
        expected = self._response(fields, method)
        return self._fresh(fields.get("nonce", "")) and _same(expected, fields.get("response", ""))

    def _response(self, fields: dict[str, str], method: str) -> str:
        secret = _md5(f"{self._user}:{self._realm}:{self._password}")
        request = _md5(f"{method}:{fields['uri']}")
        middle = ":".join(fields.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        return _md5(f"{secret}:{middle}:{request}")

    def _nonce(self, second: int) -> str:
        return f"{second:x}-{hmac.new(self._key, str(second).encode(), hashlib.sha256).hexdigest()[:32]}"

    def _fresh(self, nonce: str) -> bool:
        try:
            second = int(nonce.partition("-")[0], 16)
        except ValueError:
            return False
        return _same(nonce, self._nonce(second)) and 0 <= time.time() - second <= NONCE_SECONDS


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
