"""What a route has to find before it can ask for something."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from libs.eventkit.commands import Done
from libs.eventkit.decider import Decider, NotFound, Refused
from libs.eventkit.log import Key
from libs.eventkit.memory import Memory
from libs.eventkit.recorded import Recorded, tag_of, uuid7
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.identity.domain.accounts import PERSON, PHONE, PhoneReplaced, person_in
from services.identity.domain.buildings import BUILDINGS, Standing
from services.identity.domain.communities import COMMUNITIES, CommunityFounded, Founded
from services.identity.domain.homes import HOMES, Registered
from services.identity.domain.id_numbers import ID_NUMBER, ID_NUMBERS, Forgotten, NotRecorded
from services.identity.domain.residences import SCOPE as RESIDENCE
from services.identity.domain.residents import ERASED, RESIDENTS, Erased, Known
from services.identity.domain.sign_ins import Entry
from services.identity.domain.vehicles import PLATE, VEHICLES
from services.identity.domain.vehicles import Registered as RegisteredVehicle
from services.identity.phone_numbers import account_index

T = TypeVar("T")
ALREADY = frozenset({"resident_already_registered", "account_already_opened", "vehicle_already_registered"})


class Communities:
    """The ids of all communities: a phone says nothing about where its account is."""

    def __init__(self) -> None:
        self.ids: set[UUID] = set()
        self.memory = Memory("communities", (CommunityFounded,), self._add)

    def _add(self, event: CommunityFounded, row: Recorded) -> None:
        self.ids.add(event.community_id)


@asynccontextmanager
async def alone(app: App, number: int) -> AsyncIterator[None]:
    """No other process is in here meanwhile."""
    pool = await app.database.pool()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", number)
        yield


@cache
def communities_of(app: App) -> Communities:
    """The app's one book of them."""
    return Communities()


async def accounts_by_phone(app: App, phone: str) -> tuple[Entry, ...]:
    """Every account that the phone (E.164) opens, in whatever communities."""
    communities = communities_of(app)
    await communities.memory.fresh()
    ids = sorted(communities.ids)
    pool = await app.database.pool()
    rows = await pool.fetch(
        "select c.community_id, c.stream, (select count(*) from events e where e.stream = c.stream and e.type = $4) phones"
        " from unnest($1::uuid[], $2::text[]) w(community_id, value)"
        " join claims c on c.community_id = w.community_id and c.scope = $3 and c.value = w.value order by c.stream",
        ids, [account_index(app.blind, i, phone) for i in ids], PHONE, tag_of(PhoneReplaced))
    return tuple(Entry(_id(row["stream"]), row["community_id"], row["phones"]) for row in rows)


async def account_of_phone(app: App, community_id: UUID, phone: str) -> UUID | None:
    """The account that the phone (E.164) opens in one community."""
    stream = await _claimed(app, community_id, PHONE, account_index(app.blind, community_id, phone))
    return _id(stream) if stream else None


async def account_of_person(app: App, person_id: UUID, role: str) -> Entry | None:
    """The account of a person in a role, in whatever community."""
    communities = communities_of(app)
    await communities.memory.fresh()
    pool = await app.database.pool()
    row = await pool.fetchrow(
        "select community_id, stream from claims where community_id = any($1::uuid[]) and scope = $2 and value = $3",
        sorted(communities.ids), PERSON, person_in(role, person_id))
    return Entry(_id(row["stream"]), row["community_id"]) if row else None


def _id(stream: str) -> UUID:
    return UUID(stream.rpartition(":")[2])


async def state_now(app: App, decider: Decider[Any, Any], subject_id: UUID, community_id: UUID) -> Any:
    """What is, read from the log: for what another process may have ended a moment ago."""
    rows = await app.log.stream(f"{decider.category}:{subject_id}")
    if any(row.community_id != community_id for row in rows[:1]):
        raise NotFound(decider.category)
    return decider.fold(event for row in rows if (event := app.catalogue.read(row)) is not None)


async def _existing(app: App, decider: Decider[Any, Any], kind: type[T], subject_id: UUID, community_id: UUID) -> T:
    state, _ = await app.commands.state(decider, subject_id, community_id)
    if not isinstance(state, kind):
        raise NotFound(decider.category)
    return state


async def building(app: App, building_id: UUID, community_id: UUID) -> Standing:
    """Raises NotFound."""
    return await _existing(app, BUILDINGS, Standing, building_id, community_id)


async def home(app: App, home_id: UUID, community_id: UUID) -> Registered:
    """Raises NotFound."""
    return await _existing(app, HOMES, Registered, home_id, community_id)


async def resident(app: App, resident_id: UUID, community_id: UUID) -> Known:
    """Raises NotFound, Refused for one who is erased."""
    await not_erased(app, resident_id, community_id)
    return await _existing(app, RESIDENTS, Known, resident_id, community_id)


async def id_number(app: App, resident_id: UUID, community_id: UUID) -> Sealed | None:
    """None where none has been recorded."""
    found, _ = await app.commands.state(ID_NUMBERS, resident_id, community_id)
    return None if isinstance(found, NotRecorded | Forgotten) else found.number


async def resident_of_id_number(app: App, community_id: UUID, index: str) -> UUID | None:
    """Of whom the number is recorded."""
    stream = await _claimed(app, community_id, ID_NUMBER, index)
    return _id(stream) if stream else None


async def is_erased(app: App, person_id: UUID, community_id: UUID) -> bool:
    state, _ = await app.commands.state(RESIDENTS, person_id, community_id)
    return isinstance(state, Erased)


async def not_erased(app: App, person_id: UUID, community_id: UUID) -> None:
    """Raises Refused where the person is a resident who is erased."""
    if await is_erased(app, person_id, community_id):
        raise Refused(ERASED)


async def vehicle(app: App, vehicle_id: UUID, community_id: UUID) -> RegisteredVehicle:
    """Raises NotFound."""
    return await _existing(app, VEHICLES, RegisteredVehicle, vehicle_id, community_id)


async def vehicle_of_plate(app: App, community_id: UUID, index: str) -> UUID | None:
    """The vehicle that holds the plate."""
    stream = await _claimed(app, community_id, PLATE, index)
    return _id(stream) if stream else None


async def lives_in(app: App, community_id: UUID, resident_id: UUID, home_id: UUID) -> bool:
    """Whether the resident lives in the home now."""
    return await _claimed(app, community_id, RESIDENCE, f"{resident_id}:{home_id}") is not None


async def _claimed(app: App, community_id: UUID, scope: str, value: str) -> str | None:
    """The stream that holds the value."""
    pool = await app.database.pool()
    found: str | None = await pool.fetchval(
        "select stream from claims where community_id = $1 and scope = $2 and value = $3", community_id, scope, value)
    return found


async def today(app: App, community_id: UUID) -> date:
    """The day it is where the community is. Raises NotFound."""
    founded = await _existing(app, COMMUNITIES, Founded, community_id, community_id)
    return datetime.now(UTC).astimezone(ZoneInfo(founded.zone)).date()


async def is_new(saying: Awaitable[Done]) -> bool:
    """Whether what it says was not there yet. Raises Refused for whatever else is wrong."""
    try:
        return bool((await saying).outcome.events)
    except Refused as refused:
        if refused.code not in ALREADY:
            raise
        return False


def id_for(key: Key | None, community_id: UUID) -> UUID:
    """The id of something new: the same for the same key, so that a retry makes no second key for a person. Its outcome is kept for a
    week; whatever is there after that is refused, for sealed values do not tell whether the same was meant."""
    return uuid5(community_id, f"{key.principal} {key.route} {key.key}") if key else uuid7()
