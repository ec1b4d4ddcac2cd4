"""The keys that sign tokens, all on one stream: published first, signed with later, replaced in time.

Only the public half is here. The very first key of an installation signs at once: nobody holds a token that another
one signed, and whoever has not heard of it is not ready yet.

A key may have been published while a clock was ahead. It is no help before its time has come, and says nothing of whether those before it
have expired: that is asked of the clock by which somebody signs or publishes, and so none is ever left out.
"""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused

KEYS = UUID("5f0c6f3e-3d0b-5b1e-9d5a-1f6a6e0f4c11")
"""The one stream of all signing keys."""
LEAD = timedelta(seconds=90)
"""From publishing a key to signing with it: the 60 seconds that others may count on, and room to say so."""
LIFE = timedelta(days=8)
RENEW = timedelta(days=1)
"""A key with less than this left gets a successor."""
TOKEN = timedelta(seconds=600)
"""A key that ends sooner signs no more: its token would outlive it."""


# what happened


class SigningKeyPublished(Struct, frozen=True, tag="signing_key_published"):
    """`public_key`: Ed25519, base64url."""

    kid: str
    public_key: str
    not_before: datetime
    expires: datetime


# what is


class SigningKeys(Struct, frozen=True):
    """Newest last; one a week."""

    published: tuple[SigningKeyPublished, ...] = ()

    def to_sign_with(self, now: datetime) -> str | None:
        """The kid of the newest key that may sign now."""
        good = (k.kid for k in reversed(self.published) if k.not_before <= now and now + TOKEN <= k.expires)
        return next(good, None)


def evolve(keys: SigningKeys, event: SigningKeyPublished) -> SigningKeys:
    match event:
        case SigningKeyPublished():
            return SigningKeys((*keys.published, event))
        case _:
            return keys


# what is asked


class PublishSigningKey(Struct, frozen=True):
    """Given regularly, with a fresh key each time, by every process."""

    kid: str
    public_key: str
    now: datetime


def decide_publish_signing_key(command: PublishSigningKey, keys: SigningKeys) -> list[SigningKeyPublished]:
    if any(k.not_before <= command.now + LEAD and k.expires - command.now > RENEW for k in keys.published):
        return []
    if any(k.kid == command.kid for k in keys.published):
        raise Refused("kid_taken")
    not_before = command.now + LEAD if keys.published else command.now
    return [SigningKeyPublished(command.kid, command.public_key, not_before, not_before + LIFE)]


SIGNING_KEYS = Decider[SigningKeys, SigningKeyPublished](
    category="signing-keys",
    initial=SigningKeys(),
    evolve=evolve,
    decide={PublishSigningKey: decide_publish_signing_key},
)
