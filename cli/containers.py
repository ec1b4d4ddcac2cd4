"""PostgreSQL and Kafka from a container engine, for the tests (`lifang test --containers`): the images of docker-compose.yml, in the clear,
on ports of loopback, gone at the end. LIFANG_POSTGRES_IMAGE and LIFANG_KAFKA_IMAGE name others."""

import asyncio
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cli.place import ROOT
from cli.stack.kafka import SETTINGS
from cli.stack.ports import HOST

PATIENCE = 90.0
OPEN = {
    "listeners": "CLIENTS://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093", "controller.quorum.bootstrap.servers": "127.0.0.1:9093",
    "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT", "log.dirs": "/tmp/kafka-data"}
RUN = """cd /opt/kafka/bin
printf '%s\\n' "$SERVER" > /tmp/told
./kafka-storage.sh format --standalone --cluster-id "$(./kafka-storage.sh random-uuid)" --config /tmp/told
exec ./kafka-server-start.sh /tmp/told"""


def image(variable: str) -> str:
    """What the environment names, else what compose takes."""
    default = re.search(rf"\$\{{{variable}:-([^}}]+)\}}", (ROOT / "docker-compose.yml").read_text())
    assert default is not None
    return os.environ.get(variable) or default[1]


def properties(advertised: str) -> str:
    """As the local stack's, but asking nobody who they are."""
    kept = {name: value for name, value in SETTINGS.items() if not re.search(r"sasl|authorizer|acl|super\.users", name)}
    told = kept | OPEN | {"advertised.listeners": f"CLIENTS://{advertised}"}
    return "\n".join(f"{name}={value}" for name, value in told.items())


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """The environment that tests find them by. Raises DockerException. Tests that kill servers find no supervisor here and skip."""
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")  # what is started here is ended here: nobody is needed to sweep up
    from testcontainers.core.container import DockerContainer

    postgres, kafka = free_port(), free_port()
    database = DockerContainer(
        image("LIFANG_POSTGRES_IMAGE"), command="postgres -c max_connections=400",
        env={"POSTGRES_HOST_AUTH_METHOD": "trust", "POSTGRES_PASSWORD": os.urandom(12).hex()})
    broker = DockerContainer(
        image("LIFANG_KAFKA_IMAGE"), entrypoint=["/bin/bash", "-ec", RUN], env={"SERVER": properties(f"{HOST}:{kafka}")})
    for container, inside, outside in ((database, 5432, postgres), (broker, 9092, kafka)):
        container.ports[f"{inside}/tcp"] = (HOST, outside)  # type: ignore[assignment]  # the engine takes an address too
    with database, broker:
        until = time.monotonic() + PATIENCE
        asyncio.run(answer(f"{HOST}:{kafka}", f"postgresql://postgres@{HOST}:{postgres}/postgres", until))
        yield {"LIFANG_TEST_POSTGRES": f"postgresql://postgres@{HOST}:{postgres}", "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{kafka}"}


def free_port() -> int:
    """One that Kafka can be told before it starts."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def answer(kafka: str, postgres: str, until: float) -> None:
    """Both do, beyond the engine's own port. Raises what they last said."""
    import asyncpg
    from aiokafka.client import AIOKafkaClient
    from aiokafka.errors import KafkaError

    while True:
        client = AIOKafkaClient(bootstrap_servers=kafka)
        try:
            await client.bootstrap()
            return await (await asyncpg.connect(postgres, timeout=5)).close()
        except (OSError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if time.monotonic() > until:
                raise
        finally:
            await client.close()
        await asyncio.sleep(0.2)
