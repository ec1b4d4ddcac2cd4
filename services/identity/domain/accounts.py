"""An account: a person may sign in, in one role, with one phone; a phone opens one account of a community.

A person has at most one account of a role; closed it stays closed, and the next one is another account. The phone
itself is not kept: it is found by its blind index, a claim, which stands on commands and in no event. How often it was
replaced is known: what began with an earlier one, a sign-in or a session, is over. So are, once somebody has signed out
everywhere, all sessions that had begun, but the one that asked.
"""

from collections.abc import Iterable
from typing import assert_never
from uuid import UUID

from msgspec import Struct, structs

from libs.eventkit.decider import Decider, NotFound, Refused, Release, Take

PHONE = "account-phone"
PERSON = "account-person"
ROLES = frozenset({"resident", "staff", "guard", "grid", "police", "operator"})
"""People sign in; devices and services do not."""


def person_in(role: str, person_id: UUID) -> str:
    """What an account claims, so that there is one."""
    return f"{person_id}:{role}"


# what happened


class AccountOpened(Struct, frozen=True, tag="account_opened"):
    account_id: UUID
    person_id: UUID
    role: str


class PhoneReplaced(Struct, frozen=True, tag="phone_replaced"):
    account_id: UUID


class AccountClosed(Struct, frozen=True, tag="account_closed"):
    account_id: UUID
    person_id: UUID
    role: str


class SignedOutEverywhere(Struct, frozen=True, tag="signed_out_everywhere"):
    """`kept`: the session that asked, and goes on; None: none does."""

    account_id: UUID
    kept: UUID | None


AccountEvent = AccountOpened | PhoneReplaced | AccountClosed | SignedOutEverywhere


# what is


class NoAccount(Struct, frozen=True):
    pass


class Open(Struct, frozen=True):
    """`phones`: how many it had before the one that it has. `sign_outs`: how often all its sessions were ended, the last time all but
    `kept`."""

    person_id: UUID
    role: str
    phones: int = 0
    sign_outs: int = 0
    kept: UUID | None = None

    def lets(self, session_id: UUID, sign_outs: int) -> bool:
        """Whether a session that began after so many sign-outs has not been ended by one since."""
        return sign_outs == self.sign_outs or session_id == self.kept


class Closed(Struct, frozen=True):
    person_id: UUID
    role: str


Account = NoAccount | Open | Closed


def evolve(account: Account, event: AccountEvent) -> Account:
    match event:
        case AccountOpened(person_id=person_id, role=role):
            return Open(person_id=person_id, role=role)
        case PhoneReplaced() if isinstance(account, Open):
            return structs.replace(account, phones=account.phones + 1)
        case SignedOutEverywhere(kept=kept) if isinstance(account, Open):
            return structs.replace(account, sign_outs=account.sign_outs + 1, kept=kept)
        case AccountClosed(person_id=person_id, role=role):
            return Closed(person_id=person_id, role=role)
        case _:
            return account


# what is asked


class OpenAccount(Struct, frozen=True):
    """`phone_index`: blind index of the phone in E.164."""

    account_id: UUID
    person_id: UUID
    role: str
    phone_index: str


class ReplacePhone(Struct, frozen=True):
    account_id: UUID
    phone_index: str


class CloseAccount(Struct, frozen=True):
    account_id: UUID


class SignOutEverywhere(Struct, frozen=True):
    """`asking`: the session that asks, which began after so many `sign_outs`; None where another looks after the account."""

    account_id: UUID
    asking: UUID | None = None
    sign_outs: int = 0


def decide_open_account(command: OpenAccount, account: Account) -> list[AccountEvent]:
    if command.role not in ROLES:
        raise Refused("role_has_no_account")
    match account:
        case NoAccount():
            return [AccountOpened(command.account_id, command.person_id, command.role)]
        case Open():
            raise Refused("account_already_opened")
        case Closed():
            raise Refused("account_closed")
        case _:
            assert_never(account)


def decide_replace_phone(command: ReplacePhone, account: Account) -> list[AccountEvent]:
    match account:
        case NoAccount():
            raise NotFound("account")
        case Closed():
            raise Refused("account_closed")
        case Open():
            return [PhoneReplaced(command.account_id)]
        case _:
            assert_never(account)


def decide_close_account(command: CloseAccount, account: Account) -> list[AccountEvent]:
    match account:
        case NoAccount():
            raise NotFound("account")
        case Open(person_id=person_id, role=role):
            return [AccountClosed(command.account_id, person_id, role)]
        case Closed():
            return []
        case _:
            assert_never(account)


def decide_sign_out_everywhere(command: SignOutEverywhere, account: Account) -> list[AccountEvent]:
    match account:
        case NoAccount():
            raise NotFound("account")
        case Closed():
            raise Refused("account_closed")
        case Open() if command.asking is not None and not account.lets(command.asking, command.sign_outs):
            raise Refused("session_ended")
        case Open():
            return [SignedOutEverywhere(command.account_id, command.asking)]
        case _:
            assert_never(account)


def claims(command: OpenAccount | ReplacePhone | CloseAccount | SignOutEverywhere, event: AccountEvent) -> Iterable[Take | Release]:
    match command, event:
        case OpenAccount(phone_index=phone_index), AccountOpened(person_id=person_id, role=role):
            yield Take(PHONE, phone_index, "phone_taken")
            yield Take(PERSON, person_in(role, person_id), "account_already_opened")
        case ReplacePhone(phone_index=phone_index), PhoneReplaced():
            yield Release(PHONE)
            yield Take(PHONE, phone_index, "phone_taken")
        case _, AccountClosed():
            yield Release(PHONE)
            yield Release(PERSON)


ACCOUNTS = Decider[Account, AccountEvent](
    category="account",
    initial=NoAccount(),
    evolve=evolve,
    decide={
        OpenAccount: decide_open_account,
        ReplacePhone: decide_replace_phone,
        CloseAccount: decide_close_account,
        SignOutEverywhere: decide_sign_out_everywhere,
    },
    claims=claims,
)
