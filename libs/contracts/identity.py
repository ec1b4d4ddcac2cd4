"""What identity tells others: who lives where, who may speak, which keys sign."""
from datetime import date, datetime
from typing import Literal
from uuid import UUID
from msgspec import Struct
from libs.contracts.fields import Confirmed, Look, OfResident, SealedField

HomeRole = Literal["owner", "tenant", "family", "staff", "other"]
class CommunityFounded(Struct, frozen=True, tag="identity.community_founded"):
    """A community is part of the platform. `division_code`: GB/T 2260; `zone`: IANA time zone."""
    community_id: UUID
    name: str
    division_code: str
    zone: str
class BuildingRegistered(Struct, frozen=True, tag="identity.building_registered"):
    """A building stands in the community."""
    building_id: UUID
    name: str
    units: int
class HomeRegistered(Struct, frozen=True, tag="identity.home_registered"):
    """A home (实有房屋) in a unit of a building."""
    home_id: UUID
    building_id: UUID
    unit: int
    label: str
class ResidentRegistered(OfResident, frozen=True, tag="identity.resident_registered"):
    """A person of the community is known; the name is sealed for the purpose `contact`."""
    name: SealedField
class _Residence(Struct, frozen=True):
    residence_id: UUID
    resident_id: UUID
    home_id: UUID
    building_id: UUID
class ResidenceStarted(_Residence, frozen=True, tag="identity.residence_started"):
    """A resident lives in a home, in a role, since a day."""
    unit: int
    role: HomeRole
    since: date
class ResidenceEnded(_Residence, frozen=True, tag="identity.residence_ended"):
    """A resident no longer lives in the home."""
    until: date
class PersonLeft(Struct, frozen=True, tag="identity.person_left"):
    """Since then a person has had no home in the community and no duty: what of it is theirs ends. Said ten minutes later."""
    person_id: UUID
    since: datetime
class PopulationDeclared(OfResident, frozen=True, tag="identity.population_declared"):
    """How a resident counts in 实有人口 (户籍, 流动, 境外), and who says so: the police before the grid worker, staff, the resident."""
    kind: Literal["registered", "floating", "foreign"]
    source: Literal["self", "staff", "grid", "police"]
class _Vehicle(Struct, frozen=True):
    vehicle_id: UUID
    home_id: UUID
class VehicleRegistered(_Vehicle, frozen=True, tag="identity.vehicle_registered"):
    """A vehicle of a home; again when plate or keeper are others. Until it is `verified` it is a household's word: nothing rests on it."""
    keeper_id: UUID | None
    plate: SealedField
    vehicle_class: str
    verified: bool
class VehicleVerified(Struct, frozen=True, tag="identity.vehicle_verified"):
    """Staff have seen its papers: in the community no other vehicle of this plate is verified."""
    vehicle_id: UUID
    how: str
class VehicleRemoved(_Vehicle, frozen=True, tag="identity.vehicle_removed"):
    """The vehicle is no longer one of the home."""
class _Account(Struct, frozen=True):
    account_id: UUID
    person_id: UUID
    role: str
class AccountOpened(_Account, frozen=True, tag="identity.account_opened"):
    """A person may sign in, in a role (permissions.py). For residents the person is the resident."""
class AccountClosed(_Account, frozen=True, tag="identity.account_closed"):
    """The account signs in no more; its sessions have ended."""
class SigningKeyPublished(Struct, frozen=True, tag="identity.signing_key_published"):
    """Tokens under `kid` may be signed from `not_before` on and verify until `expires`. `public_key`: Ed25519, base64url."""
    kid: str
    public_key: str
    not_before: datetime
    expires: datetime
class ResidentErased(OfResident, frozen=True, tag="identity.resident_erased"):
    """All personal data of the resident vanishes: whoever keeps any erases its keys and confirms. `by`: they themselves, or who did it for
    them. `restored`: it was lost here and is known from what others were told. Ids, residences, bills, counts and incidents stay."""
    by: UUID
    reason: Literal["own_wish", "on_request", "retention", "restored"]
class IdentityErasureConfirmed(Confirmed, frozen=True, tag="identity.erasure_confirmed"): ...
class _Consent(OfResident, frozen=True):
    purpose: Literal["face", "sharing", "notices"]
    by: UUID
class ConsentGiven(_Consent, frozen=True, tag="identity.consent_given"):
    """The resident, or under 14 a guardian (`by`), agrees: to face as a credential, to sharing with authorities, to push and SMS."""
class ConsentWithdrawn(_Consent, frozen=True, tag="identity.consent_withdrawn"):
    """No longer; whoever rests on it stops within a minute."""
class ResidentLookedAt(Look, frozen=True, tag="identity.resident_looked_at"): ...
