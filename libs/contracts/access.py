"""What access tells others: doors, rights, credentials, what was decided at a door and why, what then happened."""
from datetime import datetime
from typing import Literal
from uuid import UUID
from msgspec import Struct
from libs.contracts.fields import Confirmed, SealedField

Means = Literal["card", "pin", "face", "fingerprint", "qr", "remote", "unknown"]
class Fact(Struct, frozen=True):
    """Something a decision rested on: the event that said it, and what it said in one word."""
    event_id: UUID
    says: str
class DoorInstalled(Struct, frozen=True, tag="access.door_installed"):
    """A door, and which relay of which device opens it. `zone`: `community` or `building:<id>`. `evacuation`: a fire there opens it."""
    door_id: UUID
    name: str
    zone: str
    device_id: UUID
    door_no: int
    evacuation: bool | None = None
    version: int | None = None  # for If-Match
class LiftFloor(Struct, frozen=True):
    floor: int
    door_no: int
class LiftInstalled(Struct, frozen=True, tag="access.lift_installed"):
    """A lift of a building: which relay (`door_no`) lets it go to which floor. Said again when that changes. Subject: the lift."""
    lift_id: UUID
    building_id: UUID
    name: str
    device_id: UUID
    floors: tuple[LiftFloor, ...]
class _Right(Struct, frozen=True):
    right_id: UUID
    person_id: UUID
    zone: str
    rule: str
class RightGranted(_Right, frozen=True, tag="access.right_granted"):
    """A person may open the doors of a zone (`everywhere`: all of the community). `rule`: under which rule."""
class RightRevoked(_Right, frozen=True, tag="access.right_revoked"):
    """The right has ended."""
class _Face(Struct, frozen=True):
    credential_id: UUID
    person_id: UUID
class _Credential(_Face, frozen=True):
    kind: Literal["card", "pin"]
class CredentialIssued(_Credential, frozen=True, tag="access.credential_issued"):
    """A person holds a credential; its number is not told."""
class CredentialRevoked(_Credential, frozen=True, tag="access.credential_revoked"):
    """The credential opens nothing any more."""
    reason: str = ""
class FaceIssued(_Face, frozen=True, tag="access.face_issued"):
    """A person's face is a credential; readers keep the template under the credential's id, and nobody else has it."""
class FaceRevoked(_Face, frozen=True, tag="access.face_revoked"):
    """It opens nothing any more; readers are to forget the template."""
    reason: str
class _AtDoor(Struct, frozen=True):
    door_id: UUID
    means: Means
class CredentialJudged(_AtDoor, frozen=True, tag="access.credential_judged"):
    """Access decided whether what was presented may open the door. `live` false: the device kept it and told it later; never acted on."""
    allowed: bool
    rule: str
    reason: str
    facts: tuple[Fact, ...]
    person_id: UUID | None
    live: bool
class DoorPassed(_AtDoor, frozen=True, tag="access.door_passed"):
    """A device let somebody through by its own decision. `entitled`: whether access would have; None if not known."""
    person_id: UUID | None
    entitled: bool | None
    live: bool
    at: datetime
class DoorOpeningOrdered(Struct, frozen=True, tag="access.door_opening_ordered"):
    """The door's device is to open it, once, within the time to live. Subject: the opening."""
    opening_id: UUID
    door_id: UUID
    device_id: UUID
    door_no: int
    means: Means
    person_id: UUID | None
    rule: str
    reason: str
    facts: tuple[Fact, ...]
class _Opening(Struct, frozen=True):
    opening_id: UUID
    door_id: UUID
    person_id: UUID | None
class DoorOpened(_Opening, frozen=True, tag="access.door_opened"):
    """The device carried the opening out."""
class DoorOpeningFailed(_Opening, frozen=True, tag="access.door_opening_failed"):
    """The door was not opened, or nobody knows: `reason` refused, unreachable, expired, unknown."""
    reason: str
class DoorNoticed(Struct, frozen=True, tag="access.door_noticed"):
    """A device said something else of a door (forced, left open, an unknown code): kept, shown to staff."""
    door_id: UUID
    kind: str
    code: str
    live: bool
    at: datetime
class VisitorPassIssued(Struct, frozen=True, tag="access.visitor_pass_issued"):
    """A visitor of a home may come: `uses` in each zone (None: as often as they like). Sealed for `credential`."""
    pass_id: UUID
    kind: Literal["family", "courier", "takeaway", "service"]
    home_id: UUID
    host_id: UUID
    valid_from: datetime
    valid_until: datetime
    uses: int | None
    zones: tuple[str, ...]
    floors: tuple[int, ...]
    plate: SealedField | None
    visitor_name: SealedField | None
class _OfPass(Struct, frozen=True):
    pass_id: UUID
    host_id: UUID
class VisitorPassRevoked(_OfPass, frozen=True, tag="access.visitor_pass_revoked"):
    """The pass admits nobody any more: `reason` host, staff, residence_ended, host_erased."""
    reason: str
class VisitorPassUsed(_OfPass, frozen=True, tag="access.visitor_pass_used"):
    """The pass admitted its visitor at a door or lift."""
    door_id: UUID
    report_id: UUID
class VisitorPassUseReturned(_OfPass, frozen=True, tag="access.visitor_pass_use_returned"):
    """The door that a use (`report_id`) had led to did not open: it does not count."""
    report_id: UUID
class VisitorArrived(_OfPass, frozen=True, tag="access.visitor_arrived"):
    """The visitor has come in for the first time."""
    kind: str
    at: datetime
    how: Literal["door", "plate"]
class ReleasedRelay(Struct, frozen=True):
    """`id`: the door or lift. `state`: what its relay is told to stay in."""
    id: UUID
    device_id: UUID
    door_no: int
    state: Literal["held_open", "recalled"]
class _FireRelease(Struct, frozen=True):
    release_id: UUID
    building_id: UUID
    incident_id: UUID | None
class FireReleaseBegun(_FireRelease, frozen=True, tag="access.fire_release_begun"):
    """The evacuation doors of a building stand open and its lifts go to the ground floor until people end it. `by`: who, None: the rule."""
    by: UUID | None
    relays: tuple[ReleasedRelay, ...]
    rule: str
    reason: str
    facts: tuple[Fact, ...]
class FireReleaseJoined(_FireRelease, frozen=True, tag="access.fire_release_joined"):
    """Another fire (`incident_id`) of the building has been verified while it is released: these relays are released for it too."""
    relays: tuple[ReleasedRelay, ...]
class FireReleaseEnded(_FireRelease, frozen=True, tag="access.fire_release_ended"):
    """A person set everything back. `reason` fire_over, or despite_fire: while one of its `incidents` was not over."""
    by: UUID
    reason: str
    relays: tuple[ReleasedRelay, ...]
    incidents: tuple[UUID, ...] = ()
class _OfRelay(Struct, frozen=True):
    release_id: UUID
    door_id: UUID
    released: bool
class RelayReleased(_OfRelay, frozen=True, tag="access.relay_released"):
    """The device confirmed that the relay is held (`released`), or normal again. `door_id`: the door or lift."""
class RelayNotReleased(_OfRelay, frozen=True, tag="access.relay_not_released"):
    """The device has not done it so far; it is tried again, but where it was retired (`device_retired`)."""
    reason: str
class DuressSignalled(Struct, frozen=True, tag="access.duress_signalled"):
    """Somebody opened a door under threat. The door opens as ever; nothing that they or anybody beside them could see follows."""
    report_id: UUID
    door_id: UUID
    holder_id: UUID | None
    live: bool
    at: datetime
class AccessErasureConfirmed(Confirmed, frozen=True, tag="access.erasure_confirmed"): ...
