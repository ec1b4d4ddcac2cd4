"""What an installation begins with: a community, and the operator who opens the accounts of everybody else there.

There is nobody yet whom a route could ask, so it is done beside the service, by whoever holds its secrets (`cli.operate identity
found`). No password comes of it: a sign-in is begun whose code is shown once, to whoever did it, and which has to be finished in
its five minutes like any other. `hand_out` begins such a sign-in again, for people who work here and whom no code reaches.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import available_timezones

from msgspec import Struct

from libs.eventkit.commands import Context
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.recorded import NOWHERE, uuid7
from libs.eventkit.service import App
from services.identity import lookups
from services.identity.domain.accounts import ACCOUNTS, Open, OpenAccount
from services.identity.domain.communities import FoundCommunity
from services.identity.domain.sign_ins import LIFETIME, Entry, StartSignIn
from services.identity.national import divisions
from services.identity.one_time_codes import code_hash, new_code
from services.identity.phone_numbers import account_index, e164

FOUNDED = uuid5(NAMESPACE_URL, "lifang-founded")
ONE_AT_A_TIME = 726_005
HANDED_OUT = frozenset({"staff", "guard", "grid", "police", "operator"})
"""Whose codes are handed out here: a resident's home is none of an operator's business."""


class Founding(Struct, frozen=True):
    """`division_code`: GB/T 2260; `zone`: IANA time zone; `phone`: the operator's, in any spelling. `further`: others may be there."""

    name: str
    division_code: str
    zone: str
    phone: str
    further: bool = False

    @property
    def community_id(self) -> UUID:
        """The same for the same name at the same place, so that a repetition is one."""
        return uuid5(FOUNDED, f"{self.division_code} {self.name}")


async def found(app: App, what: Founding, by: str) -> dict[str, Any]:
    """Says what there is, and once, as `sign_in`, what its operator has to finish. What a crash left out comes with the next call; one
    that finds all of it does nothing. Raises Refused (division_unknown, zone_unknown, community_already_founded,
    other_community_founded, operator_already_there, phone_taken, account_closed), Problem for a phone number that is none."""
    if not divisions.is_known(what.division_code):
        raise Refused("division_unknown")
    if what.zone not in available_timezones():
        raise Refused("zone_unknown")
    phone = e164(what.phone)
    async with lookups.alone(app, ONE_AT_A_TIME):
        return await _found(app, what, phone, by)


async def _found(app: App, what: Founding, phone: str, by: str) -> dict[str, Any]:
    here, communities = what.community_id, lookups.communities_of(app)
    await communities.memory.catch_up()
    if communities.ids - {here} and here not in communities.ids and not what.further:
        raise Refused("other_community_founded")
    account_id = uuid5(here, "operator")
    person_id = uuid5(account_id, "person")
    asked = Context(community_id=here, now=datetime.now(UTC), principal=by, correlation=str(uuid7()))
    await app.commands.handle(here, FoundCommunity(here, what.name, what.division_code, what.zone), asked)
    account = OpenAccount(account_id, person_id, "operator", account_index(app.blind, here, phone))
    opened = await lookups.is_new(app.commands.handle(account_id, account, asked))
    if await lookups.account_of_phone(app, here, phone) != account_id:
        raise Refused("operator_already_there")
    there = {"community_id": here, "account_id": account_id, "person_id": person_id, "founded": opened}
    return {**there, "sign_in": await _begun(app, Entry(account_id, here), by)} if opened else there


async def hand_out(app: App, account_id: UUID, by: str) -> dict[str, Any]:
    """A sign-in begun for an account, with its code. Raises NotFound, Refused for a resident's."""
    rows = await app.log.stream(f"{ACCOUNTS.category}:{account_id}")
    account = await lookups.state_now(app, ACCOUNTS, account_id, rows[0].community_id) if rows else None
    if not isinstance(account, Open):
        raise NotFound("account")
    if account.role not in HANDED_OUT:
        raise Refused("resident_asks_by_phone")
    entry = Entry(account_id, rows[0].community_id, account.phones)
    return {"account_id": account_id, "role": account.role, "sign_in": await _begun(app, entry, by)}


async def _begun(app: App, entry: Entry, by: str) -> dict[str, Any]:
    sign_in_id, code, now = uuid7(), new_code(), datetime.now(UTC)
    asked = Context(community_id=NOWHERE, now=now, principal=by, correlation=str(uuid7()))
    await app.commands.handle(sign_in_id, StartSignIn(code_hash(app.blind, sign_in_id, code), (entry,), now), asked)
    return {"id": sign_in_id, "code": code, "expires_at": now + LIFETIME}
