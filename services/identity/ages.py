"""How old somebody is, asked of the sealed ID number for one decision: it is opened here, and no more than the answer leaves."""

from datetime import date
from uuid import UUID

from libs.eventkit.service import App
from services.identity import lookups
from services.identity.national.resident_ids import read_resident_id
from services.identity.national.text import Unacceptable

OF_AGE = 14
"""Whose consent counts by itself (PIPL article 31)."""


async def under_14(app: App, resident_id: UUID, community_id: UUID) -> bool | None:
    """None where there is no number, or it cannot be opened (yet, or any more)."""
    number = await lookups.id_number(app, resident_id, community_id)
    opened = await app.keyring.open(number) if number else None
    if not isinstance(opened, bytes):
        return None
    today = await lookups.today(app, community_id)
    try:
        return is_under(OF_AGE, read_resident_id(opened.decode(), today).birth, today)
    except Unacceptable:  # recorded when the rules of numbers were others
        return None


def is_under(years: int, birth: date, today: date) -> bool:
    """Whoever was born on 29 February has a birthday on 1 March in other years."""
    return (today.year - birth.year) - ((today.month, today.day) < (birth.month, birth.day)) < years
