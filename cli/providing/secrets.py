"""Secrets of an installation, made on first use: `python -m cli.providing.secrets DIRECTORY`; none is ever shown.

`DIRECTORY/vault` has them all, and is right: what an operator puts there (a second line in `kek-plate`, say) goes out the next
time. Beside it a directory for each holder, with copies of what it needs and no more.
"""

import sys
from pathlib import Path

from cli.providing.holders import SERVER, holders
from cli.stack import kafka
from cli.stack.kafka_rules import ADMIN
from cli.stack.secrets import fresh, put

READABLE = 0o440
"""By the group too: servers that run as users of their own are in it."""
LISTEN, ADVERTISED, CONTROLLER, DATA = "0.0.0.0:9092", "kafka:9092", "127.0.0.1:9093", Path("/var/lib/kafka/data")


def keep(directory: Path) -> list[str]:
    """The names of those that were new."""
    made, vault = [], directory / "vault"
    for name in sorted({name for names in holders().values() for name in names} | {SERVER}):
        if not (vault / name).exists():
            put(vault / name, fresh(name) + "\n", 0o400)
            made.append(name)
    for holder, names in holders().items():
        give(directory / holder, {name: (vault / name).read_text() for name in names})
    give(directory / "kafka", for_kafka((vault / f"kafka-{ADMIN}").read_text().strip()))
    return made


def for_kafka(password: str) -> dict[str, str]:
    """It is told by files alone, which hold its administrator's password."""
    return {
        "server.properties": kafka.properties(password, LISTEN, ADVERTISED, CONTROLLER, DATA),
        "log4j2.properties": kafka.LOGGING.read_text()}


def give(directory: Path, files: dict[str, str]) -> None:
    """These, and no others."""
    for path in directory.iterdir():
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        path = directory / name
        if not path.exists() or path.read_text() != text:
            put(path, text, READABLE)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("python -m cli.providing.secrets DIRECTORY")
    print(f"{len(keep(Path(sys.argv[1])))} secrets made")


if __name__ == "__main__":
    main()
