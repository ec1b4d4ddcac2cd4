"""Identity's `found` and `sign-in`, where nobody can sign in yet: done by whoever holds its secrets, who is told the code, once."""

import argparse
from collections.abc import Awaitable
from typing import Any
from uuid import UUID

from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.identity.founding import Founding, found, hand_out

WHY = {
    "division_unknown": "--division is no code of an administrative division (GB/T 2260, six digits)",
    "zone_unknown": "--zone is no time zone (IANA, as Asia/Shanghai)",
    "community_already_founded": "this community was founded otherwise, and what it was founded as does not change",
    "other_community_founded": "another community was founded here before: --further where there shall be several",
    "operator_already_there": "this community has an operator with another telephone: `sign-in ACCOUNT` begins a sign-in for an account",
    "phone_taken": "that telephone opens another account of this community",
    "account_closed": "the account of its first operator was closed, for good",
    "resident_asks_by_phone": "a resident's sign-in is begun by the resident",
    "phone_invalid": "--phone is no telephone number",
}


async def founded(app: App, arguments: list[str]) -> dict[str, Any]:
    """Raises SystemExit with the reason."""
    parser = argparse.ArgumentParser(prog="found")
    parser.add_argument("name")
    parser.add_argument("--division", required=True)
    parser.add_argument("--zone", default="Asia/Shanghai")
    parser.add_argument("--phone", required=True)
    parser.add_argument("--further", action="store_true")
    parser.add_argument("--by", default="operator")
    given = parser.parse_args(arguments)
    return await _said(found(app, Founding(given.name, given.division, given.zone, given.phone, given.further), given.by))


async def signed_in(app: App, arguments: list[str]) -> dict[str, Any]:
    """Raises SystemExit with the reason."""
    parser = argparse.ArgumentParser(prog="sign-in")
    parser.add_argument("account", type=UUID)
    parser.add_argument("--by", default="operator")
    given = parser.parse_args(arguments)
    return await _said(hand_out(app, given.account, given.by))


async def _said(doing: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    try:
        return await doing
    except (Refused, Problem) as refused:
        raise SystemExit(WHY.get(refused.code, refused.code)) from None
    except NotFound:
        raise SystemExit("there is no such account, or it is closed") from None
