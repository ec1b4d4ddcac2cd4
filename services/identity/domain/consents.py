"""What a resident has agreed to, purpose by purpose: face as a way in, sharing with authorities, notices by push and SMS.

1. Nothing is agreed to before it was given; each purpose is given and withdrawn by itself (PIPL articles 14, 15 and 29).
2. The resident speaks for themselves; nobody else does, staff neither.
3. For who is under 14 a guardian agrees, whom staff have declared (PIPL article 31). Withdrawing is open to the child, too.
4. Who is under 14 is told by their ID number; where none is known, by a guardian having been declared.

How old somebody is comes with the command, as a fact of that moment: no event and no state holds a date of birth.
"""

from typing import Literal, get_args
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, NotFound, Refused

Purpose = Literal["face", "sharing", "notices"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


# what happened


class _Said(Struct, frozen=True):
    """`by`: the resident, or their guardian."""

    resident_id: UUID
    purpose: Purpose
    by: UUID


class ConsentGiven(_Said, frozen=True, tag="consent_given"):
    pass


class ConsentWithdrawn(_Said, frozen=True, tag="consent_withdrawn"):
    pass


class _Guardian(Struct, frozen=True):
    """`by`: who of the staff has seen the papers."""

    resident_id: UUID
    guardian_id: UUID
    by: UUID


class GuardianDeclared(_Guardian, frozen=True, tag="guardian_declared"):
    """Speaks for the resident until these are 14."""


class GuardianEnded(_Guardian, frozen=True, tag="guardian_ended"):
    pass


ConsentEvent = ConsentGiven | ConsentWithdrawn | GuardianDeclared | GuardianEnded


# what is


class Ledger(Struct, frozen=True):
    given: frozenset[Purpose] = frozenset()
    guardians: frozenset[UUID] = frozenset()


def evolve(ledger: Ledger, event: ConsentEvent) -> Ledger:
    match event:
        case ConsentGiven(purpose=purpose):
            return replace(ledger, given=ledger.given | {purpose})
        case ConsentWithdrawn(purpose=purpose):
            return replace(ledger, given=ledger.given - {purpose})
        case GuardianDeclared(guardian_id=guardian_id):
            return replace(ledger, guardians=ledger.guardians | {guardian_id})
        case GuardianEnded(guardian_id=guardian_id):
            return replace(ledger, guardians=ledger.guardians - {guardian_id})
        case _:
            return ledger


# what is asked


class GiveConsent(Struct, frozen=True):
    """`under_14`: None where no ID number tells."""

    resident_id: UUID
    purpose: Purpose
    by: UUID
    under_14: bool | None


class WithdrawConsent(Struct, frozen=True):
    resident_id: UUID
    purpose: Purpose
    by: UUID
    under_14: bool | None


class DeclareGuardian(Struct, frozen=True):
    """`under_14`: the resident; `guardian_under_14`: who is to speak for them."""

    resident_id: UUID
    guardian_id: UUID
    by: UUID
    under_14: bool | None
    guardian_under_14: bool | None


class EndGuardian(Struct, frozen=True):
    resident_id: UUID
    guardian_id: UUID
    by: UUID


def speaks_for(under_14: bool | None) -> bool:
    """Whether a declared guardian still does: until 14; where no number tells, for as long as they are declared."""
    return under_14 is not False


def _speaks(command: GiveConsent | WithdrawConsent, ledger: Ledger) -> None:
    """Raises NotFound for whoever is no guardian: a stranger is not told who lives here. Raises Refused."""
    child = bool(ledger.guardians) if command.under_14 is None else command.under_14
    if command.by == command.resident_id:
        if child and isinstance(command, GiveConsent):
            raise Refused("guardian_needed")
        return
    if command.by not in ledger.guardians:
        raise NotFound("resident")
    if not speaks_for(command.under_14):
        raise Refused("guardianship_over")


def decide_give_consent(command: GiveConsent, ledger: Ledger) -> list[ConsentEvent]:
    _speaks(command, ledger)
    return [] if command.purpose in ledger.given else [ConsentGiven(command.resident_id, command.purpose, command.by)]


def decide_withdraw_consent(command: WithdrawConsent, ledger: Ledger) -> list[ConsentEvent]:
    _speaks(command, ledger)
    return [ConsentWithdrawn(command.resident_id, command.purpose, command.by)] if command.purpose in ledger.given else []


def decide_declare_guardian(command: DeclareGuardian, ledger: Ledger) -> list[ConsentEvent]:
    if command.guardian_id == command.resident_id or command.guardian_under_14:
        raise Refused("no_guardian")
    if command.under_14 is False:
        raise Refused("no_guardian_needed")
    if command.guardian_id in ledger.guardians:
        return []
    return [GuardianDeclared(command.resident_id, command.guardian_id, command.by)]


def decide_end_guardian(command: EndGuardian, ledger: Ledger) -> list[ConsentEvent]:
    """What they have agreed to stays until it is withdrawn."""
    if command.guardian_id not in ledger.guardians:
        return []
    return [GuardianEnded(command.resident_id, command.guardian_id, command.by)]


CONSENTS = Decider[Ledger, ConsentEvent](
    category="consent", initial=Ledger(), evolve=evolve,
    decide={
        GiveConsent: decide_give_consent, WithdrawConsent: decide_withdraw_consent,
        DeclareGuardian: decide_declare_guardian, EndGuardian: decide_end_guardian,
    })
