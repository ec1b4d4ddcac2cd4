"""Apache Kafka 4, one node that is broker and controller."""

import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from msgspec import Struct

from cli.place import Place
from cli.stack import jars, java
from cli.stack.cache import cache
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
    "inter.broker.listener.name": "PLAINTEXT",
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
    "num.recovery.threads.per.data.dir": "1",
    "log.segment.bytes": "67108864",
    "log.cleaner.dedupe.buffer.size": "4194304",
    # After kill -9 the broker's old registration must lapse before the new one counts: 2.6 s instead of 11.
    "broker.session.timeout.ms": "1500",
    "broker.heartbeat.interval.ms": "300",
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
            self.command("kafka.tools.StorageTool", "format", "--standalone", "--ignore-formatted", "-t", cluster,
                         "-c", str(config)),
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"Kafka's storage could not be formatted: {done.stdout}{done.stderr}")


def configure(place: Place, config: Path, port: int, controller: int) -> None:
    own = {
        "controller.quorum.bootstrap.servers": f"{HOST}:{controller}",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "log.dirs": str(place.kafka / "data"),
    }
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("".join(f"{name}={value}\n" for name, value in (SETTINGS | own).items()))
