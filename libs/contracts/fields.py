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
class Confirmed(OfResident, frozen=True):
    """A service has erased what it kept of an erased resident: so many keys of its own; blind indexes and credentials with them."""
    keys: int
class Look(OfResident, frozen=True):
    """Somebody (`by`, in a role) was shown personal data of a resident in the clear, for a purpose. Recorded before the answer."""
    by: UUID
    role: str
    purpose: str
    what: tuple[str, ...]
