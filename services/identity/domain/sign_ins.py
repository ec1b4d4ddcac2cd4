"""A sign-in: a one-time code of six digits, good for five minutes and five tries, once.

The log holds no code, only a keyed hash salted by the sign-in's id. A sign-in for a phone without an account looks
like any other from outside; no code fits it.
"""

import hmac
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, NotFound, Refused

LIFETIME = timedelta(minutes=5)
TRIES = 5


class Entry(Struct, frozen=True):
    """An account that this sign-in may open. `phones`: how many it had had when the code was made."""

    account_id: UUID
    community_id: UUID
    phones: int = 0


# what happened


class SignInStarted(Struct, frozen=True, tag="sign_in_started"):
    code_hash: str
    entries: tuple[Entry, ...]
    expires: datetime


class CodeMissed(Struct, frozen=True, tag="code_missed"):
    """A wrong code was tried."""


class CodeMatched(Struct, frozen=True, tag="code_matched"):
    session_id: UUID
    entry: Entry


SignInEvent = SignInStarted | CodeMissed | CodeMatched


# what is


class NotStarted(Struct, frozen=True):
    pass


class Waiting(Struct, frozen=True):
    code_hash: str
    entries: tuple[Entry, ...]
    expires: datetime
    missed: int = 0


class Passed(Struct, frozen=True):
    session_id: UUID
    entry: Entry


SignIn = NotStarted | Waiting | Passed


def evolve(sign_in: SignIn, event: SignInEvent) -> SignIn:
    match sign_in, event:
        case _, SignInStarted(code_hash=code_hash, entries=entries, expires=expires):
            return Waiting(code_hash=code_hash, entries=entries, expires=expires)
        case Waiting(code_hash=code_hash, entries=entries, expires=expires, missed=missed), CodeMissed():
            return Waiting(code_hash=code_hash, entries=entries, expires=expires, missed=missed + 1)
        case _, CodeMatched(session_id=session_id, entry=entry):
            return Passed(session_id=session_id, entry=entry)
        case _:
            return sign_in


# what is asked


class StartSignIn(Struct, frozen=True):
    code_hash: str
    entries: tuple[Entry, ...]
    now: datetime


class TryCode(Struct, frozen=True):
    """`session_id` is what a right code begins; `community_id` says which account, where the phone has several."""

    code_hash: str
    session_id: UUID
    now: datetime
    community_id: UUID | None = None


def decide_start_sign_in(command: StartSignIn, sign_in: SignIn) -> list[SignInEvent]:
    match sign_in:
        case NotStarted():
            return [SignInStarted(command.code_hash, command.entries, command.now + LIFETIME)]
        case Waiting(code_hash=command.code_hash):
            return []
        case Waiting() | Passed():
            raise Refused("sign_in_already_started")
        case _:
            assert_never(sign_in)


def decide_try_code(command: TryCode, sign_in: SignIn) -> list[SignInEvent]:
    match sign_in:
        case NotStarted():
            raise NotFound("sign-in")
        case Passed(session_id=command.session_id):
            return []
        case Passed():
            raise Refused("code_used")
        case Waiting(expires=expires) if command.now >= expires:
            raise Refused("code_expired")
        case Waiting(missed=missed) if missed >= TRIES:
            raise Refused("tries_used_up", limit=TRIES)
        case Waiting(code_hash=code_hash, entries=entries):
            if not hmac.compare_digest(code_hash, command.code_hash) or not entries:
                return [CodeMissed()]
            fitting = [e for e in entries if command.community_id in (None, e.community_id)]
            if len(fitting) != 1:
                raise Refused("community_unclear", communities=[e.community_id for e in entries])
            return [CodeMatched(command.session_id, fitting[0])]
        case _:
            assert_never(sign_in)


SIGN_INS = Decider[SignIn, SignInEvent](
    category="sign-in",
    initial=NotStarted(),
    evolve=evolve,
    decide={StartSignIn: decide_start_sign_in, TryCode: decide_try_code},
)
