"""What neighbors tells others: who is in which circle, notices and who read them, whom an emergency broadcast reached."""
from typing import Literal
from uuid import UUID
from msgspec import Struct
from libs.contracts.access import Fact
from libs.contracts.fields import Confirmed, OfResident, SealedField

class _Circle(Struct, frozen=True):
    circle_id: UUID
    building_id: UUID | None
    resident_id: UUID
class CircleJoined(_Circle, frozen=True, tag="neighbors.circle_joined"):
    """A resident belongs to the circle of a building, or (`building_id` None) of the community, since they live there."""
class CircleLeft(_Circle, frozen=True, tag="neighbors.circle_left"):
    """Their last residence there has ended."""
class DisplayNameChosen(OfResident, frozen=True, tag="neighbors.display_name_chosen"):
    """What neighbours see instead of the name; sealed for the purpose `neighbor`."""
    name: SealedField
class _Notice(Struct, frozen=True):
    notice_id: UUID
class NoticePosted(_Notice, frozen=True, tag="neighbors.notice_posted"):
    """Staff tell a circle something. `audience`: how many were members then."""
    circle_id: UUID
    building_id: UUID | None
    category: Literal["general", "maintenance", "outage", "fees", "safety"]
    title: str
    text: str
    by: UUID
    audience: int
class NoticeWithdrawn(_Notice, frozen=True, tag="neighbors.notice_withdrawn"):
    """It is shown no more."""
    by: UUID
class NoticeRead(_Notice, frozen=True, tag="neighbors.notice_read"):
    """A resident has read a notice or a broadcast (`notice_id` is then its id)."""
    resident_id: UUID
class _Broadcast(Struct, frozen=True):
    broadcast_id: UUID
    building_id: UUID
class BroadcastSent(_Broadcast, frozen=True, tag="neighbors.broadcast_sent"):
    """Everybody in a building is told of an emergency. `by`: the person who sent it, None where a rule did. `audience`: how many."""
    kind: Literal["fire", "gas", "water", "security", "other"]
    text: str
    incident_id: UUID | None
    by: UUID | None
    rule: str
    reason: str
    facts: tuple[Fact, ...]
    audience: int
class _OfResident(Struct, frozen=True):
    broadcast_id: UUID
    resident_id: UUID
    channel: str
class ResidentTold(_OfResident, frozen=True, tag="neighbors.resident_told"):
    """A channel has taken the broadcast for this resident."""
class ResidentNotTold(_OfResident, frozen=True, tag="neighbors.resident_not_told"):
    """A channel has not taken it, and it is tried no more: `reason` no_channel, given_up, ended, moved_out, erased."""
    reason: str
class BroadcastEnded(_Broadcast, frozen=True, tag="neighbors.broadcast_ended"):
    """All clear. `by` None: a rule ended it with its incident."""
    by: UUID | None
    reason: str
class NeighborsErasureConfirmed(Confirmed, frozen=True, tag="neighbors.erasure_confirmed"): ...
