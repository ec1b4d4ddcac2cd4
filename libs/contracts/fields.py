"""What contracts share. Structs tagged with the event's public name; `VERSION` counts changes of its shape."""
from uuid import UUID
from msgspec import Struct

class SealedField(Struct, frozen=True):
    """Personal data on its way: opened only by a service that holds the key and the purpose's key-encryption key."""
    key_id: UUID
    event_id: UUID
    slot: str
    box: str

class OfResident(Struct, frozen=True):
    """Something about one resident."""
    resident_id: UUID
