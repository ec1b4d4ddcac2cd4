"""A backup that is damaged, foreign or newer is refused before anything is changed; a service is held only by who still works on it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cli.place import Place
from cli.stack import backups
from cli.stack.backups import Dump, Manifest, Unfit
from cli.stack.held import Held, held, path, refuse_while_held

KNOWN = ["access", "alarm"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = Place(tmp_path / "state")
    found.make()
    (found.secrets / "kek-contact").write_text("first\nsecond:other\n")
    return found


@pytest.fixture
def directory(tmp_path: Path, place: Place) -> Path:
    made = tmp_path / "backup"
    made.mkdir()
    dumps = {}
    for name in KNOWN:
        (made / f"{name}.dump").write_bytes(name.encode() * 100)
        dumps[name] = Dump(f"{name}.dump", backups.digest(made / f"{name}.dump"), len(name) * 100, 1, 7, "0001")
    backups.write(made, Manifest(backups.FORMAT, datetime.now(UTC), dumps, backups.prints(place)))
    return made


def taken(directory: Path, place: Place, *wanted: str) -> None:
    backups.check(directory, backups.read(directory), list(wanted or KNOWN), KNOWN, place)


def test_what_was_written_is_taken(directory: Path, place: Place):
    taken(directory, place)


def changed(what: dict[str, Any]) -> Callable[[Path, Place], None]:
    def change(directory: Path, place: Place) -> None:
        manifest = backups.read(directory)
        if dump := what.get("dump"):
            manifest = replace(manifest, services={**manifest.services, "alarm": replace(manifest.services["alarm"], **dump)})
        backups.write(directory, replace(manifest, **what.get("manifest", {})))
    return change


DAMAGE: dict[str, tuple[Callable[[Path, Place], Any], str]] = {
    "a byte is another": (lambda d, p: (d / "alarm.dump").write_bytes(b"alarX" + b"alarm" * 99), "damaged"),
    "the end is missing": (lambda d, p: (d / "alarm.dump").write_bytes(b"alarm" * 99), "damaged"),
    "a file is missing": (lambda d, p: (d / "alarm.dump").unlink(), "missing"),
    "no manifest": (lambda d, p: (d / backups.MANIFEST).unlink(), "no manifest.json"),
    "half a manifest": (lambda d, p: (d / backups.MANIFEST).write_text('{"format": 1,'), "cannot be read"),
    "another format": (changed({"manifest": {"format": 2}}), "format 2"),
    "a newer log": (changed({"dump": {"log_version": "9999"}}), "newer than this code"),
    "a file outside": (changed({"dump": {"file": "../alarm.dump"}}), "missing"),
    "a lost key": (lambda d, p: (p.secrets / "kek-contact").write_text("first\n"), "kek-contact"),
    "another stack's key": (lambda d, p: (p.secrets / "kek-contact").write_text("third\n"), "kek-contact"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_not_as_it_was_written_is_refused(directory: Path, place: Place, what: str):
    damage, why = DAMAGE[what]
    damage(directory, place)
    with pytest.raises(Unfit, match=why):
        taken(directory, place)


def test_what_is_damaged_beside_the_wanted_one_does_not_matter(directory: Path, place: Place):
    (directory / "alarm.dump").unlink()
    taken(directory, place, "access")


def test_a_service_that_the_backup_or_the_checkout_lacks_is_refused(directory: Path, place: Place):
    with pytest.raises(Unfit, match="no gateway"):
        taken(directory, place, "gateway")
    with pytest.raises(Unfit, match="no service alarm"):
        backups.check(directory, backups.read(directory), ["alarm"], ["access"], place)


def test_a_key_that_was_added_since_does_no_harm(directory: Path, place: Place):
    (place.secrets / "kek-contact").write_text("first\nsecond:other\nthird\n")
    taken(directory, place)


def test_the_manifest_gives_no_key_away(directory: Path):
    said = (directory / backups.MANIFEST).read_text()
    assert "first" not in said and "other" not in said and "kek-contact" in said


def test_a_held_service_is_not_started_until_it_is_let_go(place: Place):
    refuse_while_held(place, "access")
    with held(place, "access"):
        with pytest.raises(Held, match=str(os.getpid())):
            refuse_while_held(place, "access")
        refuse_while_held(place, "alarm")
    refuse_while_held(place, "access")


@pytest.mark.parametrize("note", ["", "1", f"{os.getpid()} 12.5", "999999999 1.0"], ids=["nothing", "no time", "ours", "nobody's"])
def test_what_a_killed_command_left_behind_holds_nothing(place: Place, note: str):
    path(place, "access").write_text(note)
    refuse_while_held(place, "access")
