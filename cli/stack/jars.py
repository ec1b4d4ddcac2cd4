"""Kafka's jars: those of kafka.lock, fetched side by side, each checked against its hash before it gets its name.

Only the repository's address comes from jgo; resolving with it takes three times as long and checks nothing.
"""

import hashlib
import os
import shutil
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

LOCK = Path(__file__).with_name("kafka.lock")
ATTEMPTS = 4


class Damaged(Exception):
    """What was fetched is not what the lock file names."""


class Jar(Struct, frozen=True):
    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> str:
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.name}"


def locked() -> list[Jar]:
    return [read(line) for line in LOCK.read_text().splitlines() if line and not line.startswith("#")]


def read(line: str) -> Jar:
    coordinate, digest = line.split()
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, digest.removeprefix("sha256:"))


def digest() -> str:
    """Names the whole set: another lock file is another directory."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]


def fetch(cache: Path, progress: Callable[[str], None]) -> list[Path]:
    """The class path. What is there already is not fetched again. Raises Damaged or OSError."""
    directory = cache / f"kafka-{digest()}"
    directory.mkdir(parents=True, exist_ok=True)
    jars = locked()
    missing = [jar for jar in jars if not (directory / jar.name).exists()]
    if missing:
        progress(f"Fetching Apache Kafka ({len(missing)} files, 45 MB, once) …")
        repository = address()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda jar: fetch_one(repository, jar, directory), missing))
    return [directory / jar.name for jar in jars]


def address() -> str:
    from jgo.constants import MAVEN_CENTRAL_URL

    return str(MAVEN_CENTRAL_URL)


def fetch_one(repository: str, jar: Jar, directory: Path) -> None:
    part = directory / f"{jar.name}.{os.getpid()}.part"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(f"{repository}/{jar.path}", timeout=30) as source, part.open("wb") as target:
                shutil.copyfileobj(source, target)
            with part.open("rb") as content:
                found = hashlib.file_digest(content, "sha256").hexdigest()
            if found != jar.sha256:
                raise Damaged(f"{jar.name} has sha256 {found}, kafka.lock says {jar.sha256}")
            part.replace(directory / jar.name)
            return
        except (OSError, Damaged):
            part.unlink(missing_ok=True)
            if attempt == ATTEMPTS:
                raise
            time.sleep(0.5 * attempt)
