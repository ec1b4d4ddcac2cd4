"""One-time codes: made here, kept as keyed hashes alone."""

import secrets
from uuid import UUID

from libs.eventkit.privacy import BlindIndex
from libs.eventkit.recorded import NOWHERE


def new_code() -> str:
    """Six digits."""
    return f"{secrets.randbelow(1_000_000):06}"


def code_hash(blind: BlindIndex, sign_in_id: UUID, code: str) -> str:
    """What the log holds of it."""
    return blind.of(NOWHERE, f"sign-in:{sign_in_id}", code)
