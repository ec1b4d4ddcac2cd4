"""A session: a family of refresh tokens, of which only the latest is good.

Each renewal counts one up. A token with an earlier count has been used before, by its owner or by a thief: both lose
the session (RFC 9700, section 4.14.2). It also ends 30 days after its last renewal, with its account, when the account has
another phone than the one that signed in (that one may be in other hands), and when somebody signs out everywhere else.
"""

from datetime import datetime, timedelta
from typing import Literal, assert_never
from uuid import UUID

from msgspec import Struct, structs

from libs.eventkit.decider import Decider, NotFound, Refused

IDLE = timedelta(days=30)

Reason = Literal["signed_out", "token_reused", "account_closed", "phone_replaced", "signed_out_elsewhere"]


# what happened


class SessionStarted(Struct, frozen=True, tag="session_started"):
    """`phones`: how many the account had before the one that signed in; `sign_outs`: how often all its sessions had been ended."""

    session_id: UUID
    account_id: UUID
    person_id: UUID
    role: str
    expires: datetime
    phones: int = 0
    sign_outs: int = 0


class SessionRenewed(Struct, frozen=True, tag="session_renewed"):
    """The refresh token `count` is the good one now."""

    count: int
    expires: datetime


class SessionEnded(Struct, frozen=True, tag="session_ended"):
    reason: Reason


SessionEvent = SessionStarted | SessionRenewed | SessionEnded


# what is


class NoSession(Struct, frozen=True):
    pass


class Active(Struct, frozen=True):
    account_id: UUID
    person_id: UUID
    role: str
    expires: datetime
    count: int = 0
    phones: int = 0
    sign_outs: int = 0


class Ended(Struct, frozen=True):
    reason: Reason
    account_id: UUID | None = None


Session = NoSession | Active | Ended


def evolve(session: Session, event: SessionEvent) -> Session:
    match session, event:
        case _, SessionStarted():
            return Active(
                event.account_id, event.person_id, event.role, event.expires, phones=event.phones, sign_outs=event.sign_outs)
        case Active(), SessionRenewed(count=count, expires=expires):
            return structs.replace(session, count=count, expires=expires)
        case Active(account_id=account_id), SessionEnded(reason=reason):
            return Ended(reason, account_id)
        case _:
            return session


# what is asked


class StartSession(Struct, frozen=True):
    """`phones`: how many the account has had; `code_for`: how many it had had when the code was made; `sign_outs`: how often all of its
    sessions have been ended."""

    session_id: UUID
    account_id: UUID
    person_id: UUID
    role: str
    now: datetime
    phones: int = 0
    code_for: int = 0
    sign_outs: int = 0


class RenewSession(Struct, frozen=True):
    """`count` is that of the refresh token shown; whether the account is open, how many `phones` it has had, and whether the session was
    ended from elsewhere (`signed_out`), was looked up just now."""

    count: int
    account_open: bool
    now: datetime
    phones: int = 0
    signed_out: bool = False


class EndSession(Struct, frozen=True):
    pass


def decide_start_session(command: StartSession, session: Session) -> list[SessionEvent]:
    match session:
        case NoSession() if command.code_for != command.phones:
            raise Refused("phone_replaced")
        case NoSession():
            return [SessionStarted(
                command.session_id, command.account_id, command.person_id, command.role, command.now + IDLE, command.phones,
                command.sign_outs)]
        case Active(account_id=command.account_id):
            return []
        case Active() | Ended():
            raise Refused("session_already_started")
        case _:
            assert_never(session)


def decide_renew_session(command: RenewSession, session: Session) -> list[SessionEvent]:
    match session:
        case NoSession():
            raise NotFound("session")
        case Ended(reason=reason):
            raise Refused("session_ended", reason=reason)
        case Active(expires=expires) if command.now >= expires:
            raise Refused("session_expired")
        case Active(count=count) if command.count < count:
            return [SessionEnded("token_reused")]
        case Active(count=count) if command.count > count:
            raise Refused("token_of_another_history")
        case Active() if not command.account_open:
            return [SessionEnded("account_closed")]
        case Active(phones=phones) if command.phones != phones:
            return [SessionEnded("phone_replaced")]
        case Active() if command.signed_out:
            return [SessionEnded("signed_out_elsewhere")]
        case Active(count=count):
            return [SessionRenewed(count + 1, command.now + IDLE)]
        case _:
            assert_never(session)


def decide_end_session(command: EndSession, session: Session) -> list[SessionEvent]:
    match session:
        case NoSession() | Ended():
            return []
        case Active():
            return [SessionEnded("signed_out")]
        case _:
            assert_never(session)


SESSIONS = Decider[Session, SessionEvent](
    category="session",
    initial=NoSession(),
    evolve=evolve,
    decide={StartSession: decide_start_session, RenewSession: decide_renew_session, EndSession: decide_end_session},
)
