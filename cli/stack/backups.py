"""What a backup is: one directory with a dump of each service's database and a manifest. Whole or not at all; without the secrets."""

import hashlib
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from cli.place import ROOT, Place
from cli.stack.secrets import KEYS

FORMAT = 1
MANIFEST = "manifest.json"
VERSIONS = ROOT / "cli" / "migrating" / "versions"


class Unfit(Exception):
    """A backup that is damaged, or not one that this stack can read."""


class Dump(Struct, frozen=True):
    """One service at one moment. `log_version`: of its log's tables."""

    file: str
    sha256: str
    bytes: int
    generation: int
    position: int
    log_version: str


class Manifest(Struct, frozen=True):
    """`keys`: by secret, which ones the dumps need; from these prints nothing can be learnt of the keys."""

    format: int
    made_at: datetime
    services: dict[str, Dump]
    keys: dict[str, list[str]]


def digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prints(place: Place) -> dict[str, list[str]]:
    """Of each secret that sealed data depends on: a line, a print."""
    found: dict[str, list[str]] = {}
    for name in KEYS:
        path = place.secrets / name
        if path.exists():
            lines = path.read_text().split()
            found[name] = [hashlib.sha256(f"backup of {name} {line.rpartition(':')[2]}".encode()).hexdigest()[:16] for line in lines]
    return found


def write(directory: Path, manifest: Manifest) -> None:
    (directory / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")


def read(directory: Path) -> Manifest:
    """Raises Unfit."""
    try:
        return msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise Unfit(f"{directory} holds no {MANIFEST}: it is no backup, or one that was not finished") from None
    except (OSError, msgspec.DecodeError) as error:
        raise Unfit(f"{directory / MANIFEST} cannot be read: {error}") from None


def check(directory: Path, manifest: Manifest, wanted: list[str], known: list[str], place: Place) -> None:
    """Whether this stack can take these services from it, before anything is changed. Raises Unfit."""
    if manifest.format != FORMAT:
        raise Unfit(f"the backup has format {manifest.format}, this code reads {FORMAT}")
    versions = {path.name.partition("_")[0] for path in VERSIONS.glob("*.py")}
    for name in wanted:
        dump = manifest.services.get(name)
        if dump is None:
            raise Unfit(f"the backup has no {name}: only {', '.join(sorted(manifest.services))}")
        if name not in known:
            raise Unfit(f"this checkout has no service {name}")
        if dump.log_version not in versions:
            raise Unfit(f"{name}'s log has version {dump.log_version}, which is newer than this code")
        path = directory / dump.file
        if path.parent != directory or not path.is_file():
            raise Unfit(f"{dump.file} is missing")
        if path.stat().st_size != dump.bytes or digest(path) != dump.sha256:
            raise Unfit(f"{dump.file} is damaged: it is not what was written")
    here = prints(place)
    foreign = sorted(name for name, needed in manifest.keys.items() if not set(needed) <= set(here.get(name, [])))
    if foreign:
        raise Unfit(f"the backup is of another stack, or its keys were lost: put back {', '.join(foreign)} in {place.secrets} first")
