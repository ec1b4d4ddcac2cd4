"""Everything that the stack has written down, as text to look for what must not stand there."""

import subprocess

import aiokafka

from cli.stack import postgres
from libs.eventkit.envelope import PARTITIONS
from tests.e2e.conftest import Stack


async def everywhere(stack: Stack) -> dict[str, str]:
    logs = "".join(p.read_text(errors="replace") for p in stack.place.log.rglob("*") if p.is_file())
    found = {"databases": dumps(stack), "topics": await topics(stack.broker), "logs": logs}
    assert all(found.values()), "something was not read"
    return found


def dumps(stack: Stack) -> str:
    found = ""
    for name, owner in stack.status["databases"].items():
        address = owner.replace(f"{name}_owner@", "postgres@")  # row-level security holds for owners too
        run = subprocess.run([postgres.binaries() / "pg_dump", address], capture_output=True, check=True)
        found += run.stdout.decode(errors="replace")
    return found


async def topics(broker: dict[str, str]) -> str:
    consumer = aiokafka.AIOKafkaConsumer(**broker, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        names = [n for n in await consumer.topics() if n.startswith(("lifang.", "gov."))]
        partitions = [aiokafka.TopicPartition(n, p) for n in names for p in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning()
        found = ""
        while any([await consumer.position(p) < ends[p] for p in partitions]):
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for r in records:
                    found += (r.value or b"").decode(errors="replace") + str(r.headers) + str(r.key)
        return found
    finally:
        await consumer.stop()
