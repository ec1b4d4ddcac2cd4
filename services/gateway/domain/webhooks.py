"""Where an authority is told by webhook, under which secret, from where on, and whether that goes well.

1. A role has at most ten in a community. Its secret is shown once; a new one signs beside the old for a day.
2. What fails is tried again for three days from the first failure on; then, or where the receiver says 410, it is switched off. What it
   failed at before counts for no other event.
3. What was missed is kept: resumed, it goes on where it stood; a resend begins at an earlier place.

How far it has come is no event: `starts` counts the places where it was begun anew, and each has a checkpoint of its own.
"""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, NotFound, Refused
from libs.eventkit.sealed import Sealed

MOST = 10
BOTH_SIGN = timedelta(hours=24)
Because = Literal["gone", "failing"]


# what happened


class WebhookRegistered(Struct, frozen=True, tag="webhook_registered"):
    """`role`: the authority whose it is; `origin`: scheme, host and port; `types`: globs; `division_code`: how those of its events begin;
    `after`: the position of this log behind which it begins."""

    role: str
    by: UUID
    origin: str
    url: Sealed
    secret: Sealed
    types: str
    division_code: str
    after: int


class WebhookSecretRotated(Struct, frozen=True, tag="webhook_secret_rotated"):
    """The one before signs too, `until` then."""

    secret: Sealed
    until: datetime


class WebhookFailing(Struct, frozen=True, tag="webhook_failing"):
    """It stands before `event_id`, the public event; `code`: how the latest attempt ended. Said again when that changes."""

    code: str
    event_id: UUID
    since: datetime


class WebhookRecovered(Struct, frozen=True, tag="webhook_recovered"):
    event_id: UUID
    at: datetime


class WebhookSwitchedOff(Struct, frozen=True, tag="webhook_switched_off"):
    """`event_id` and all that follows have not been delivered."""

    because: Because
    code: str
    event_id: UUID
    since: datetime
    at: datetime


class WebhookResumed(Struct, frozen=True, tag="webhook_resumed"):
    at: datetime


class WebhookResent(Struct, frozen=True, tag="webhook_resent"):
    """From behind this position of this log on everything is sent, also what has been delivered."""

    after: int


class WebhookRemoved(Struct, frozen=True, tag="webhook_removed"):
    by: UUID


WebhookEvent = (
    WebhookRegistered | WebhookSecretRotated | WebhookFailing | WebhookRecovered | WebhookSwitchedOff | WebhookResumed | WebhookResent
    | WebhookRemoved)


# what is


class Target(Struct, frozen=True):
    """`after` and `starts`: where it was last begun, and how often."""

    role: str
    origin: str
    url: Sealed
    secret: Sealed
    types: str
    division_code: str
    after: int
    starts: int = 1
    old_secret: Sealed | None = None
    old_until: datetime | None = None


class NoWebhook(Struct, frozen=True):
    pass


class Delivering(Struct, frozen=True):
    target: Target


class Failing(Struct, frozen=True):
    target: Target
    code: str
    event_id: UUID
    since: datetime


class SwitchedOff(Struct, frozen=True):
    target: Target
    because: Because
    code: str
    event_id: UUID
    since: datetime
    at: datetime


class Removed(Struct, frozen=True):
    role: str
    key_id: UUID


Webhook = NoWebhook | Delivering | Failing | SwitchedOff | Removed
There = Delivering | Failing | SwitchedOff


def evolve(webhook: Webhook, event: WebhookEvent) -> Webhook:
    match webhook, event:
        case NoWebhook(), WebhookRegistered():
            return Delivering(Target(
                event.role, event.origin, event.url, event.secret, event.types, event.division_code, event.after))
        case Delivering() | Failing() | SwitchedOff(), WebhookSecretRotated(secret=secret, until=until):
            old = webhook.target.secret
            return replace(webhook, target=replace(webhook.target, secret=secret, old_secret=old, old_until=until))
        case Delivering() | Failing() | SwitchedOff(), WebhookResent(after=after):
            target = replace(webhook.target, after=after, starts=webhook.target.starts + 1)
            return replace(webhook, target=target) if isinstance(webhook, SwitchedOff) else Delivering(target)
        case Delivering() | Failing(), WebhookFailing():
            return Failing(webhook.target, event.code, event.event_id, event.since)
        case Failing(target=target), WebhookRecovered():
            return Delivering(target)
        case Delivering() | Failing(), WebhookSwitchedOff():
            return SwitchedOff(webhook.target, event.because, event.code, event.event_id, event.since, event.at)
        case SwitchedOff(target=target), WebhookResumed():
            return Delivering(target)
        case Delivering() | Failing() | SwitchedOff(), WebhookRemoved():
            return Removed(webhook.target.role, webhook.target.secret.key_id)
        case _:
            return webhook


# what is asked


class RegisterWebhook(Struct, frozen=True):
    """`others`: how many the role has there already."""

    role: str
    by: UUID
    origin: str
    url: Sealed
    secret: Sealed
    types: str
    division_code: str
    after: int
    others: int


class RotateSecret(Struct, frozen=True):
    role: str
    secret: Sealed
    now: datetime


class TellFailing(Struct, frozen=True):
    code: str
    event_id: UUID
    now: datetime


class TellRecovered(Struct, frozen=True):
    event_id: UUID
    now: datetime


class SwitchOff(Struct, frozen=True):
    because: Because
    code: str
    event_id: UUID
    now: datetime


class ResumeWebhook(Struct, frozen=True):
    role: str
    now: datetime


class ResendFrom(Struct, frozen=True):
    role: str
    after: int


class RemoveWebhook(Struct, frozen=True):
    role: str
    by: UUID


def of_role(webhook: Webhook, role: str) -> There:
    """Raises NotFound for what is another authority's, or gone."""
    if isinstance(webhook, NoWebhook | Removed) or webhook.target.role != role:
        raise NotFound("webhook")
    return webhook


def decide_register(command: RegisterWebhook, webhook: Webhook) -> list[WebhookEvent]:
    if not isinstance(webhook, NoWebhook):  # by a key that is used again after its week
        raise Refused("webhook_already_registered")
    if command.others >= MOST:
        raise Refused("too_many_webhooks", most=MOST)
    return [WebhookRegistered(
        command.role, command.by, command.origin, command.url, command.secret, command.types, command.division_code, command.after)]


def decide_rotate(command: RotateSecret, webhook: Webhook) -> list[WebhookEvent]:
    of_role(webhook, command.role)
    return [WebhookSecretRotated(command.secret, command.now + BOTH_SIGN)]


def decide_failing(command: TellFailing, webhook: Webhook) -> list[WebhookEvent]:
    """The first failure at an event begins it; another code is said, the same is not."""
    match webhook:
        case Delivering():
            return [WebhookFailing(command.code, command.event_id, command.now)]
        case Failing(event_id=event_id) if event_id != command.event_id:
            return [WebhookFailing(command.code, command.event_id, command.now)]
        case Failing(code=code, since=since) if code != command.code:
            return [WebhookFailing(command.code, command.event_id, since)]
        case _:
            return []


def decide_recovered(command: TellRecovered, webhook: Webhook) -> list[WebhookEvent]:
    return [WebhookRecovered(command.event_id, command.now)] if isinstance(webhook, Failing) else []


def decide_switch_off(command: SwitchOff, webhook: Webhook) -> list[WebhookEvent]:
    if not isinstance(webhook, Delivering | Failing):
        return []
    since = webhook.since if isinstance(webhook, Failing) and webhook.event_id == command.event_id else command.now
    return [WebhookSwitchedOff(command.because, command.code, command.event_id, since, command.now)]


def decide_resume(command: ResumeWebhook, webhook: Webhook) -> list[WebhookEvent]:
    return [WebhookResumed(command.now)] if isinstance(of_role(webhook, command.role), SwitchedOff) else []


def decide_resend(command: ResendFrom, webhook: Webhook) -> list[WebhookEvent]:
    of_role(webhook, command.role)
    return [WebhookResent(command.after)]


def decide_remove(command: RemoveWebhook, webhook: Webhook) -> list[WebhookEvent]:
    if isinstance(webhook, Removed) and webhook.role == command.role:
        return []
    of_role(webhook, command.role)
    return [WebhookRemoved(command.by)]


WEBHOOKS = Decider[Webhook, WebhookEvent](
    category="webhook", initial=NoWebhook(), evolve=evolve,
    decide={
        RegisterWebhook: decide_register, RotateSecret: decide_rotate, TellFailing: decide_failing, TellRecovered: decide_recovered,
        SwitchOff: decide_switch_off, ResumeWebhook: decide_resume, ResendFrom: decide_resend, RemoveWebhook: decide_remove})
EVENTS = (
    WebhookRegistered, WebhookSecretRotated, WebhookFailing, WebhookRecovered, WebhookSwitchedOff, WebhookResumed, WebhookResent,
    WebhookRemoved)
