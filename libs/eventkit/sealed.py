"""A sealed value as it rests in events and views: domain code carries it and cannot look inside."""
from typing import Any
from uuid import UUID
from msgspec import Struct

class Sealed(Struct, frozen=True):
    """AES-256-GCM under a key, bound to event and slot; `box`: base64url of nonce (12 bytes), ciphertext, tag (16). No repr shows it."""
    key_id: UUID
    event_id: UUID
    slot: str
    box: str
    def __repr__(self) -> str:
        return f"Sealed(slot={self.slot!r}, key_id='{self.key_id}')"
    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("slot", self.slot), ("key_id", self.key_id)]
