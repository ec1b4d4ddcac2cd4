"""Row `command`: a command over HTTP (token, idempotency key, decide, append), one worker, 64 connections."""

import asyncio
import base64
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from time import perf_counter, time
from uuid import uuid4

import asyncpg
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.appending import COMMUNITY, PGBENCH, pgbench
from bench.counter import NAME, KeyLearnt
from bench.measure import Measured, Part, Result, percentile, rounded, side_by_side
from bench.servers import Servers
from bench.serving_apart import free_port, served
from bench.wire import Line
from libs.eventkit.db import Database
from libs.eventkit.log import Append, Log, NewEvent
from libs.eventkit.recorded import NOWHERE, Meta, uuid7

CONNECTIONS = 64
SECONDS = 2
ROUNDS = 5
BODY = msgspec.json.encode({"text": "x" * 300})


def _coded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def token(log: Log) -> str:
    """Of a person whom the service knows by a key in its log."""
    key, now = Ed25519PrivateKey.generate(), datetime.now(UTC)
    public = _coded(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    event = KeyLearnt("bench", public, now - timedelta(minutes=1), now + timedelta(hours=1))
    new = NewEvent(uuid7(), "key_learnt", 1, msgspec.json.encode(event), Meta())
    assert (await log.append(Append(NOWHERE, "key:bench", 0, (new,)))).verdict == "ok"
    head = _coded(msgspec.json.encode({"alg": "EdDSA", "typ": "at+jwt", "kid": "bench"}))
    claims = _coded(msgspec.json.encode({
        "iss": "lifang-identity", "aud": [NAME], "sub": uuid4(), "role": "staff", "cid": [COMMUNITY], "iat": int(time()),
        "exp": int(time()) + 600}))
    return f"{head}.{claims}.{_coded(key.sign(f'{head}.{claims}'.encode()))}"


class Asked:
    """A server in a process of its own, and 64 connections to it."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.port = port
        url = f"http://127.0.0.1:{port}/v1/counters/"
        self.lines = [Line(f"{url}{uuid4()}/counts", {"content-type": "application/json", **headers}) for _ in range(CONNECTIONS)]

    async def start(self, stack: AsyncExitStack, *command: str) -> None:
        async def answers() -> None:
            await self.lines[0].open()
            await self.lines[0].ask("POST", BODY, idempotency_key=str(uuid4()))

        await served(stack, answers, *command)
        for line in self.lines[1:]:
            await line.open()

    async def measure(self) -> Measured:
        times: list[float] = []
        await asyncio.gather(*(line.reopen() for line in self.lines))
        begun = perf_counter()

        async def along(line: Line) -> None:
            now = perf_counter()
            while now < begun + SECONDS:
                since = now
                await line.ask("POST", BODY, idempotency_key=str(uuid4()))
                now = perf_counter()
                times.append(1000 * (now - since))

        await asyncio.gather(*map(along, self.lines))
        return Measured(len(times) / (perf_counter() - begun), percentile(times, 0.5), percentile(times, 0.99))


async def measure(servers: Servers) -> Result:
    async with AsyncExitStack() as stack:
        settings = await servers.database(NAME)
        database = Database(settings)
        stack.push_async_callback(database.close)
        (servers.secrets / "blind-index").write_text(_coded(bytes(range(100, 132))) + "\n")
        ours = Asked(free_port(), {"authorization": f"Bearer {await token(Log(database))}"})
        await ours.start(stack, "bench.counter", str(ours.port), servers.postgres, str(servers.secrets))
        plain = await servers.database("bench_peer_http")
        owner = await asyncpg.connect(plain.database_url)
        await owner.execute("create sequence positions")
        await owner.close()
        usual = Asked(free_port(), {})
        await usual.start(stack, "bench.usual", str(usual.port), plain.database_url)
        limit = await servers.database("bench_limit")
        owner = await asyncpg.connect(limit.database_url)
        await owner.execute("create sequence positions")
        await owner.close()
        found = await side_by_side(
            {"ours": ours.measure, "usual": usual.measure, "pgbench": lambda: pgbench(servers, CONNECTIONS, PGBENCH)}, ROUNDS)
    of_peer = found.ratio("ours", "usual")
    return Result(
        row="command", unit="commands/s", ours=rounded(found.value("ours")),
        limit=Part(f"pgbench -c {CONNECTIONS}: the same row, indexes and idempotency row, no HTTP", rounded(found.value("pgbench"))),
        peer=Part("FastAPI, pydantic, SQLAlchemy Core on asyncpg: the same rows, one worker, no token", rounded(found.value("usual"))),
        goal="≥ 6 × peer", met=of_peer >= 6, of_limit=rounded(found.ratio("ours", "pgbench")), of_peer=rounded(of_peer), rounds=ROUNDS,
        spread=found.spread(), p99=rounded(found.p99("ours")))
