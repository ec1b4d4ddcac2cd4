"""A credential: a card, a PIN or a face that stands for a person at a door.

Its number rests sealed; it is found by a blind index, which is a claim and stands in no event. A PIN is unique in its
community, so that it alone says who stands there; it has at least six digits. A person may have a duress PIN beside the ordinary
one: it opens what that opens, and says that somebody is under threat (`openings.py`).

A face is a handle alone (`template_id_of`): the template is in the readers and never here. It needs the person's consent
`face`, and another credential of theirs beside it, that has not run out and is for no threat: nobody depends on their face
(人脸识别技术应用安全管理办法, in force since June 2025). Without the consent it ends.
"""

from datetime import datetime
from typing import Literal, assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused, Release, Take
from libs.eventkit.sealed import Sealed

CredentialKind = Literal["card", "pin", "face"]
Ended = Literal["", "erased", "consent_withdrawn", "residence_ended"]
SHORTEST_PIN = 6
LONGEST = {"card": 20, "pin": 12, "face": 32}


# what happened


class CredentialIssued(Struct, frozen=True, tag="credential_issued"):
    credential_id: UUID
    person_id: UUID
    kind: CredentialKind
    number: Sealed
    valid_until: datetime | None = None
    duress: bool = False


class CredentialRevoked(Struct, frozen=True, tag="credential_revoked"):
    """`reason`: why, where a rule has said it."""

    credential_id: UUID
    person_id: UUID
    kind: CredentialKind
    reason: Ended = ""


CredentialEvent = CredentialIssued | CredentialRevoked


# what is


class NoCredential(Struct, frozen=True):
    pass


class Valid(Struct, frozen=True):
    person_id: UUID
    kind: CredentialKind


class Revoked(Struct, frozen=True):
    person_id: UUID


Credential = NoCredential | Valid | Revoked


def evolve(credential: Credential, event: CredentialEvent) -> Credential:
    match event:
        case CredentialIssued(person_id=person_id, kind=kind):
            return Valid(person_id=person_id, kind=kind)
        case CredentialRevoked(person_id=person_id):
            return Revoked(person_id)
        case _:
            return credential


# what is asked


class IssueCredential(Struct, frozen=True):
    """`index` is the blind index of the normalised number. Of a face: `agreed`, whether the person agrees to it now; `other_way`, whether
    they hold one that is none and that leads in now."""

    credential_id: UUID
    person_id: UUID
    kind: CredentialKind
    number: Sealed
    index: str
    valid_until: datetime | None = None
    duress: bool = False
    agreed: bool = False
    other_way: bool = False


class RevokeCredential(Struct, frozen=True):
    credential_id: UUID
    reason: Ended = ""


def template_id_of(credential_id: UUID) -> str:
    """The employee number under which readers keep the face: 32 characters, the most that they take, and nobody's name."""
    return credential_id.hex


def normalised(kind: CredentialKind, number: str) -> str:
    """Readers pad card numbers with zeros and differ in case; PINs are what they are. Raises Refused."""
    text = number.strip()
    if kind == "card":
        text = text.upper().lstrip("0")
    if kind == "face":
        text = text.lower()
    if not (text.isascii() and text.isalnum()) or len(text) > LONGEST[kind]:
        raise Refused("number_malformed")
    if kind == "pin" and (not text.isdigit() or len(text) < SHORTEST_PIN):
        raise Refused("pin_too_short", shortest=SHORTEST_PIN)
    return text


def decide_issue_credential(command: IssueCredential, credential: Credential) -> list[CredentialEvent]:
    if command.duress and command.kind != "pin":
        raise Refused("duress_needs_a_pin")
    match credential:
        case NoCredential() if command.kind == "face" and not command.agreed:
            raise Refused("consent_missing", purpose="face")
        case NoCredential() if command.kind == "face" and not command.other_way:
            raise Refused("other_way_missing")
        case NoCredential():
            return [CredentialIssued(
                credential_id=command.credential_id, person_id=command.person_id, kind=command.kind,
                number=command.number, valid_until=command.valid_until, duress=command.duress)]
        case Valid(person_id=person_id) if person_id == command.person_id:
            return []
        case Valid():
            raise Refused("credential_of_another_person")
        case Revoked():
            raise Refused("credential_revoked")
        case _:
            assert_never(credential)


def decide_revoke_credential(command: RevokeCredential, credential: Credential) -> list[CredentialEvent]:
    match credential:
        case Valid(person_id=person_id, kind=kind):
            return [CredentialRevoked(command.credential_id, person_id, kind, command.reason)]
        case NoCredential() | Revoked():
            return []
        case _:
            assert_never(credential)


def claims(command: IssueCredential | RevokeCredential, event: CredentialEvent) -> tuple[Take | Release, ...]:
    match command, event:
        case IssueCredential(kind=kind, index=index), CredentialIssued():
            return (Take(kind, index, f"{kind}_already_in_use"),)
        case _, CredentialRevoked(kind=kind):
            return (Release(kind),)
        case _:
            return ()


CREDENTIALS = Decider[Credential, CredentialEvent](
    category="credential", initial=NoCredential(), evolve=evolve,
    decide={IssueCredential: decide_issue_credential, RevokeCredential: decide_revoke_credential}, claims=claims)
