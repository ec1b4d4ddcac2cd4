"""Payment providers behind one interface. Nothing is paid by a client's word: only by what the provider signs.

`LocalProvider` is for demonstration and tests: it signs with the secret `payment-local` as a real one signs with its own.
"""

import hmac
from hashlib import sha256
from typing import Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.eventkit.problems import Problem
from libs.eventkit.settings import Settings


class Notification(Struct, frozen=True):
    """What a provider says of a payment for a stay or for months of a permit (`of`, `subject_id`). `amount` in fen;
    `transaction`: its own number, the same however often it tells."""

    community_id: UUID
    of: Literal["session", "permit"]
    subject_id: UUID
    payment_id: UUID
    amount: int
    transaction: str


class Provider(Protocol):
    name: str

    def begin(self, payment_id: UUID, amount: int) -> str:
        """Where the payer pays: an address or a code to show. The same for the same payment."""

    def read(self, body: bytes, signature: str) -> Notification:
        """What the provider says. Raises Problem 401 for a wrong signature, 422 for what is no notification."""


class LocalProvider:
    name = "local"

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.secret("payment-local").encode()

    def begin(self, payment_id: UUID, amount: int) -> str:
        return f"lifang-local:{payment_id}"

    def sign(self, body: bytes) -> str:
        """HMAC-SHA-256 in hex."""
        return hmac.new(self._secret, body, sha256).hexdigest()

    def read(self, body: bytes, signature: str) -> Notification:
        if not hmac.compare_digest(self.sign(body).encode(), signature.encode()):
            raise Problem(401, "payment_signature_wrong")
        try:
            return msgspec.json.decode(body, type=Notification)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise Problem(422, "payment_notification_unreadable") from error
