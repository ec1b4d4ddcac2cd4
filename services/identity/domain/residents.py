"""A resident (实有人口): a person of the community. Name and phone rest sealed.

Whoever opens them says for what purpose, and that look is an event (domain rules: every look is recorded). A grid worker is
shown them only while the resident agrees to `sharing`. The police are shown them on a legal basis that they state, consent or
not: what a statutory duty needs rests on the law (PIPL articles 13 and 34; general knowledge, to be confirmed by a lawyer).

Who is erased (`erasures.py`) stays an id: residences, bills and counts hang on it, and nothing personal comes to it any more.
"""

from typing import Literal, assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, NotFound, Refused
from libs.eventkit.sealed import Sealed

SHORTEST_PURPOSE = 4
ERASED = "resident_erased"
"""The refusal of whatever would give an erased resident something personal again."""


# what happened


class ResidentRegistered(Struct, frozen=True, tag="resident_registered"):
    """`phone_findings`: what staff should look at, though the number was taken."""

    resident_id: UUID
    name: Sealed
    phone: Sealed | None = None
    phone_findings: tuple[str, ...] = ()


class ContactCorrected(Struct, frozen=True, tag="contact_corrected"):
    """Name and phone as they are from now on."""

    resident_id: UUID
    name: Sealed
    phone: Sealed | None = None
    phone_findings: tuple[str, ...] = ()


class ContactDisclosed(Struct, frozen=True, tag="contact_disclosed"):
    """`to` was shown name and phone, and the ID number where it was asked for. `basis`: the law or the order on which the police rest."""

    resident_id: UUID
    to: UUID
    purpose: str
    id_number: bool = False
    role: str = "staff"
    basis: str = ""


Wish = Literal["own_wish", "on_request", "retention", "restored"]


class ResidentErased(Struct, frozen=True, tag="resident_erased"):
    """`by`: they themselves, or who did it for them; nobody (nil) where it is `restored`: known from the tombstone of a key."""

    resident_id: UUID
    by: UUID
    reason: Wish


ResidentEvent = ResidentRegistered | ContactCorrected | ContactDisclosed | ResidentErased


# what is


class Unknown(Struct, frozen=True):
    pass


class Known(Struct, frozen=True):
    name: Sealed
    phone: Sealed | None
    phone_findings: tuple[str, ...] = ()


class Erased(Struct, frozen=True):
    pass


Resident = Unknown | Known | Erased


def evolve(resident: Resident, event: ResidentEvent) -> Resident:
    match event:
        case ResidentRegistered() | ContactCorrected():
            return Known(name=event.name, phone=event.phone, phone_findings=event.phone_findings)
        case ResidentErased():
            return Erased()
        case _:
            return resident


# what is asked


class RegisterResident(Struct, frozen=True):
    resident_id: UUID
    name: Sealed
    phone: Sealed | None = None
    phone_findings: tuple[str, ...] = ()


class CorrectContact(Struct, frozen=True):
    """None leaves as it is; `phone_findings` are those of the phone. `no_phone`: they have none any more."""

    resident_id: UUID
    name: Sealed | None = None
    phone: Sealed | None = None
    phone_findings: tuple[str, ...] = ()
    no_phone: bool = False


class DiscloseContact(Struct, frozen=True):
    """`role`: of whoever asks; `sharing`: whether the resident agrees to it now."""

    resident_id: UUID
    to: UUID
    purpose: str
    id_number: bool = False
    role: str = "staff"
    basis: str = ""
    sharing: bool = False


class EraseResident(Struct, frozen=True):
    resident_id: UUID
    by: UUID
    reason: Wish


def decide_register_resident(command: RegisterResident, resident: Resident) -> list[ResidentEvent]:
    match resident:
        case Unknown():
            return [ResidentRegistered(command.resident_id, command.name, command.phone, command.phone_findings)]
        case Known():
            raise Refused("resident_already_registered")
        case Erased():
            raise Refused(ERASED)
        case _:
            assert_never(resident)


def decide_correct_contact(command: CorrectContact, resident: Resident) -> list[ResidentEvent]:
    match resident:
        case Unknown():
            raise NotFound("resident")
        case Erased():
            raise Refused(ERASED)
        case Known(name=name, phone=Sealed()) if command.no_phone:
            return [ContactCorrected(command.resident_id, command.name or name)]
        case Known() if command.name is None and command.phone is None:
            return []
        case Known(name=name, phone=phone, phone_findings=findings):
            return [ContactCorrected(
                command.resident_id, command.name or name, command.phone or phone,
                command.phone_findings if command.phone else findings)]
        case _:
            assert_never(resident)


def decide_disclose_contact(command: DiscloseContact, resident: Resident) -> list[ResidentEvent]:
    match resident:
        case Unknown():
            raise NotFound("resident")
        case Erased():
            raise Refused(ERASED)
        case Known() if len(command.purpose) < SHORTEST_PURPOSE:
            raise Refused("purpose_missing", shortest=SHORTEST_PURPOSE)
        case Known() if command.role == "police" and len(command.basis) < SHORTEST_PURPOSE:
            raise Refused("legal_basis_missing", shortest=SHORTEST_PURPOSE)
        case Known() if command.role == "grid" and not command.sharing:
            raise Refused("consent_missing", purpose="sharing")
        case Known():
            return [ContactDisclosed(
                command.resident_id, command.to, command.purpose, command.id_number, command.role, command.basis)]
        case _:
            assert_never(resident)


def decide_erase_resident(command: EraseResident, resident: Resident) -> list[ResidentEvent]:
    """It cannot be taken back, so it asks for nothing but who wishes it: only they themselves have a wish of their own."""
    match resident:
        case Unknown():
            raise NotFound("resident")
        case Erased():
            return []
        case Known() if (command.reason == "own_wish") != (command.by == command.resident_id):
            raise Refused("not_their_own_wish")
        case Known():
            return [ResidentErased(command.resident_id, command.by, command.reason)]
        case _:
            assert_never(resident)


RESIDENTS = Decider[Resident, ResidentEvent](
    category="resident",
    initial=Unknown(),
    evolve=evolve,
    decide={
        RegisterResident: decide_register_resident,
        CorrectContact: decide_correct_contact,
        DiscloseContact: decide_disclose_contact,
        EraseResident: decide_erase_resident,
    },
)
