"""Apache Kafka 4, one node that is broker and controller."""

import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from msgspec import Struct

from cli.place import Place
from cli.stack import jars, java, secrets
from cli.stack.cache import cache
from cli.stack.kafka_rules import ADMIN
from cli.stack.part import Part
from cli.stack.ports import HOST

ENDED_BY_SIGTERM = 143
LOGGING = Path(__file__).with_name("log4j2.properties")
MACHINE = ["-Xmx256m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
INTERNAL_TOPICS = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "CLIENTS",
    "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
    "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "sasl.mechanism.controller.protocol": "PLAIN",
    "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
    "listener.name.clients.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "false",
    "super.users": f"User:{ADMIN}",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    **{f"{topic}.replication.factor": "1" for topic in INTERNAL_TOPICS},
    **{f"{topic}.num.partitions": "4" for topic in INTERNAL_TOPICS},
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "background.threads": "2",
    "group.coordinator.threads": "1",
    "num.recovery.threads.per.data.dir": "1",
    "log.segment.bytes": "67108864",
    "log.cleaner.dedupe.buffer.size": "4194304",
    # After kill -9 the broker's old registration must lapse before the new one counts: about 4 s instead of 11.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "1000",
    "metadata.max.idle.interval.ms": "5000",
}


class Kafka(Struct, frozen=True):
    """What is needed to start it. `archive`: the classes as the machine lays them out in memory; halves the start."""

    java: Path
    class_path: list[Path]
    archive: Path

    @classmethod
    def ensure(cls, progress: Callable[[str], None]) -> "Kafka":
        """Fetches what is missing. Raises OSError, Damaged or RuntimeError."""
        machine = java.ensure(progress)
        class_path = jars.fetch(cache(), progress)
        return cls(machine, class_path, class_path[0].with_name(f"classes-{java.version(machine)}.jsa"))

    def command(self, *words: str, archive: tuple[str, ...] = ()) -> list[str]:
        paths = ":".join(map(str, self.class_path))
        logging = f"-Dlog4j2.configurationFile={LOGGING}"
        return [str(self.java), *MACHINE, *archive, logging, "-cp", paths, *words]

    def part(self, place: Place, port: int, controller: int) -> Part:
        config = place.kafka / "server.properties"
        new = self.archive.with_name(f"{self.archive.name}.{port}.new")
        known = self.archive.exists()
        archive = f"-XX:SharedArchiveFile={self.archive}" if known else f"-XX:ArchiveClassesAtExit={new}"
        sharing = (archive, "-Xshare:auto", "-Xlog:disable", "-Xlog:all=error:stderr")

        def before() -> None:
            configure(place, config, port, controller)
            if not (place.kafka / "data" / "meta.properties").exists():
                self.format(config)

        def after(code: int) -> None:
            if code == ENDED_BY_SIGTERM and new.exists():
                new.replace(self.archive)

        return Part(name="kafka", command=self.command("kafka.Kafka", str(config), archive=sharing),
                    directory="/", before=before, after=after)

    def format(self, config: Path) -> None:
        cluster = urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
        done = subprocess.run(
            self.command("kafka.tools.StorageTool", "format", "--standalone", "--ignore-formatted", f"--cluster-id={cluster}",
                         "-c", str(config)),  # not apart: one in 64 begins with a dash
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"Kafka's storage could not be formatted: {done.stdout}{done.stderr}")


def configure(place: Place, config: Path, port: int, controller: int) -> None:
    """For us alone to read: the administrator's password is in it, which Kafka knows before it knows any user."""
    password = secrets.read(place, f"kafka-{ADMIN}")
    text = properties(password, f"{HOST}:{port}", f"{HOST}:{port}", f"{HOST}:{controller}", place.kafka / "data")
    config.parent.mkdir(parents=True, exist_ok=True)
    secrets.put(config, text)


def properties(password: str, listen: str, advertised: str, controller: str, data: Path) -> str:
    """The settings of one node: clients come to `listen` and are sent to `advertised`; each an address with its port."""
    administrator = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="{ADMIN}" password="{password}" user_{ADMIN}="{password}";')
    own = {
        "controller.quorum.bootstrap.servers": controller,
        "listeners": f"CLIENTS://{listen},CONTROLLER://{controller}",
        "advertised.listeners": f"CLIENTS://{advertised}",
        "listener.name.clients.plain.sasl.jaas.config": administrator,
        "listener.name.controller.plain.sasl.jaas.config": administrator,
        "log.dirs": str(data),
    }
    return "".join(f"{name}={value}\n" for name, value in (SETTINGS | own).items())
