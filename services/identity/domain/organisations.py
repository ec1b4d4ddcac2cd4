"""An organisation (实有单位) of the community, by its unified social credit code (GB 32100); a code stands for one.

What a code must be to be taken, and what is only shown to staff, is in `national/organisation_codes.py`: codes that were
really issued fail the checksum.
"""

from collections.abc import Iterable
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, NotFound, Refused, Release, Take

CODE = "organisation-code"


# what happened


class OrganisationRegistered(Struct, frozen=True, tag="organisation_registered"):
    """`findings`: what staff should look at, though the code was taken."""

    organisation_id: UUID
    name: str
    code: str
    findings: tuple[str, ...] = ()


class OrganisationCorrected(Struct, frozen=True, tag="organisation_corrected"):
    """Name and code as they are from now on."""

    organisation_id: UUID
    name: str
    code: str
    findings: tuple[str, ...] = ()


OrganisationEvent = OrganisationRegistered | OrganisationCorrected


# what is


class NotRegistered(Struct, frozen=True):
    pass


class Registered(Struct, frozen=True):
    name: str
    code: str
    findings: tuple[str, ...]


Organisation = NotRegistered | Registered


def evolve(organisation: Organisation, event: OrganisationEvent) -> Organisation:
    match event:
        case OrganisationRegistered() | OrganisationCorrected():
            return Registered(name=event.name, code=event.code, findings=event.findings)
        case _:
            return organisation


# what is asked


class RegisterOrganisation(Struct, frozen=True):
    organisation_id: UUID
    name: str
    code: str
    findings: tuple[str, ...] = ()


class CorrectOrganisation(Struct, frozen=True):
    """None leaves as it is; `findings` are those of the code."""

    organisation_id: UUID
    name: str | None = None
    code: str | None = None
    findings: tuple[str, ...] = ()


def decide_register_organisation(command: RegisterOrganisation, organisation: Organisation) -> list[OrganisationEvent]:
    match organisation:
        case NotRegistered():
            return [OrganisationRegistered(command.organisation_id, command.name, command.code, command.findings)]
        case Registered(name=name, code=code) if (name, code) == (command.name, command.code):
            return []
        case Registered():
            raise Refused("organisation_already_registered")
        case _:
            assert_never(organisation)


def decide_correct_organisation(command: CorrectOrganisation, organisation: Organisation) -> list[OrganisationEvent]:
    match organisation:
        case NotRegistered():
            raise NotFound("organisation")
        case Registered(name=name, code=code, findings=findings):
            new = Registered(
                name=command.name or name, code=command.code or code,
                findings=command.findings if command.code else findings)
            if new == organisation:
                return []
            return [OrganisationCorrected(command.organisation_id, new.name, new.code, new.findings)]
        case _:
            assert_never(organisation)


def claims(command: RegisterOrganisation | CorrectOrganisation, event: OrganisationEvent) -> Iterable[Take | Release]:
    if isinstance(event, OrganisationCorrected):
        yield Release(CODE)
    yield Take(CODE, event.code, "organisation_code_taken")


ORGANISATIONS = Decider[Organisation, OrganisationEvent](
    category="organisation",
    initial=NotRegistered(),
    evolve=evolve,
    decide={RegisterOrganisation: decide_register_organisation, CorrectOrganisation: decide_correct_organisation},
    claims=claims,
)
