"""Standard Webhooks 1.0.0: secrets, and what a message is signed with (https://github.com/standard-webhooks/standard-webhooks)."""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence

PREFIX = "whsec_"
BYTES = 32
"""Of a secret; the standard wants 24 to 64."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(os.urandom(BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and HMAC-SHA256 of id, timestamp (seconds since 1970) and body, with dots between."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """A signature of each secret, the newest first: while two are good, the receiver may have either."""
    return {
        "webhook-id": message_id, "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, message_id, timestamp, body) for secret in secrets)}
