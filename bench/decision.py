"""Row `decision`: may whoever holds this card open this door? 10,000 residents, 200 doors, everything in memory."""

import asyncio
import random
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from time import perf_counter
from uuid import UUID, uuid4

import asyncpg
import msgspec
from msgspec import Struct

from bench.measure import Measured, Part, Result, rounded, side_by_side
from bench.servers import Servers
from libs.eventkit.db import Database
from libs.eventkit.log import Append, Log, NewEvent
from libs.eventkit.recorded import Catalogue, Meta, tag_of, uuid7
from libs.eventkit.sealed import Sealed
from services.access.book import DoorBook
from services.access.domain.credentials import CredentialIssued, CredentialRevoked
from services.access.domain.doors import DoorInstalled
from services.access.domain.rights import RightGranted, RightRevoked

ROUNDS = 7
ASKED = 5000
QUERIES = 1000
COMMUNITY = UUID("10000000-0000-4000-8000-000000000001")
GOAL_US = 20


class Resident(Struct, frozen=True):
    person_id: UUID
    credential_id: UUID
    index: str
    zone: str


class Asked(Struct, frozen=True):
    index: str
    door_id: UUID
    allowed: bool


class Town(Struct, frozen=True):
    """Who lives where, which door is in which zone, and what is asked: every fourth at a door of somebody else's."""

    residents: list[Resident]
    doors: dict[UUID, str]
    asked: list[Asked]


def town() -> Town:
    buildings = [f"building:{uuid4()}" for _ in range(100)]
    residents = [Resident(uuid4(), uuid4(), uuid4().hex, buildings[n % 100]) for n in range(10_000)]
    doors = {uuid4(): buildings[n % 100] for n in range(200)}
    of = {zone: [d for d, z in doors.items() if z == zone] for zone in buildings}
    chance = random.Random(1)
    asked = []
    for n in range(ASKED):
        resident = chance.choice(residents)
        zone = resident.zone if n % 4 else buildings[(buildings.index(resident.zone) + 1) % 100]
        asked.append(Asked(resident.index, chance.choice(of[zone]), bool(n % 4)))
    return Town(residents, doors, asked)


def command(stream: str, event: Struct, claims: tuple[tuple[str, str | None], ...] = ()) -> Append:
    return Append(COMMUNITY, stream, 0, (NewEvent(uuid7(), tag_of(event), 1, msgspec.json.encode(event), Meta()),), claims)


async def move_in(log: Log, place: Town) -> None:
    """As access itself would have stored it, claims included."""
    commands = [
        command(f"door:{d}", DoorInstalled(door_id=d, name="Door", zone=zone, device_id=uuid4(), door_no=1))
        for d, zone in place.doors.items()]
    for r in place.residents:
        right, number = uuid4(), Sealed(uuid4(), uuid4(), "number", "")
        commands.append(command(f"right:{right}", RightGranted(right_id=right, person_id=r.person_id, zone=r.zone, rule="residence")))
        commands.append(command(
            f"credential:{r.credential_id}",
            CredentialIssued(credential_id=r.credential_id, person_id=r.person_id, kind="card", number=number), (("card", r.index),)))
    await asyncio.gather(*(log.append(c) for c in commands))


async def tables(pool: asyncpg.Pool, place: Town) -> None:
    """What a query would be asked of."""
    await pool.execute(
        "create table door (door_id uuid primary key, zone text not null);"
        "create table card (card text primary key, person_id uuid not null, valid_until timestamptz);"
        "create table living (person_id uuid, zone text, primary key (person_id, zone))")
    await pool.copy_records_to_table("door", records=list(place.doors.items()))
    await pool.copy_records_to_table("card", records=[(r.index, r.person_id, None) for r in place.residents])
    await pool.copy_records_to_table("living", records=[(r.person_id, r.zone) for r in place.residents])
    await pool.execute("analyze")


QUERY = (
    "select c.person_id, l.zone is not null as allowed from card c join door d on d.door_id = $2"
    " left join living l on l.person_id = c.person_id and l.zone = d.zone"
    " where c.card = $1 and (c.valid_until is null or c.valid_until > $3)")


async def measure(servers: Servers) -> Result:
    place = town()
    async with AsyncExitStack() as stack:
        database = Database(await servers.database("bench_door"))
        stack.push_async_callback(database.close)
        pool, log, book = await database.pool(), Log(database), DoorBook()
        await move_in(log, place)
        book.memory.bind(log, Catalogue((DoorInstalled, RightGranted, RightRevoked, CredentialIssued, CredentialRevoked)))
        await book.ready(pool)
        owner = await asyncpg.create_pool(servers.settings("bench_door").database_url, min_size=1, max_size=1)
        stack.push_async_callback(owner.close)
        await tables(owner, place)
        cards = {(COMMUNITY, r.index): r.credential_id for r in place.residents}
        people = {r.credential_id: r.person_id for r in place.residents}
        rights = {(COMMUNITY, r.person_id): {r.zone} for r in place.residents}
        doors = place.doors

        async def ours() -> Measured:
            await book.memory.catch_up()
            begun = perf_counter()
            for a in place.asked:
                await book.ready(pool)
                judgement = book.judge(book.door(COMMUNITY, a.door_id), "card", datetime.now(UTC), index=a.index)
                assert judgement.allowed is a.allowed
            return Measured(1e6 * (perf_counter() - begun) / ASKED)

        async def look_ups() -> Measured:
            begun = perf_counter()
            for a in place.asked:
                person = people[cards[COMMUNITY, a.index]]
                assert (doors[a.door_id] in rights[COMMUNITY, person]) is a.allowed
            return Measured(1e6 * (perf_counter() - begun) / ASKED)

        async def query() -> Measured:
            async with owner.acquire() as connection:
                begun = perf_counter()
                for a in place.asked[:QUERIES]:
                    row = await connection.fetchrow(QUERY, a.index, a.door_id, datetime.now(UTC))
                    assert row is not None and row["allowed"] is a.allowed
                return Measured(1e6 * (perf_counter() - begun) / QUERIES)

        found = await side_by_side({"ours": ours, "look_ups": look_ups, "query": query}, ROUNDS)
    return Result(
        row="decision", unit="µs", ours=rounded(found.value("ours")),
        limit=Part("the same four look-ups in dictionaries, without facts and reasons", rounded(found.value("look_ups"))),
        peer=Part("one prepared asyncpg query on indexed tables", rounded(found.value("query"))),
        goal=f"≤ {GOAL_US} µs", met=found.value("ours") <= GOAL_US,
        of_limit=rounded(found.ratio("ours", "look_ups")), of_peer=rounded(found.ratio("ours", "query")),
        rounds=ROUNDS, spread=found.spread())
