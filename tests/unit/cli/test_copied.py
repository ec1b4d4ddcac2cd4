"""A copy of a checkout, `.lifang/` and all, is a stack of its own: nothing typed there reaches the original."""

import os
import shutil
from pathlib import Path

from cli.place import Place
from cli.stack.ports import Kept
from cli.stack.processes import Record, Running


def copied(tmp_path: Path, data: str) -> tuple[Place, Place]:
    original = Place(tmp_path / "original" / ".lifang")
    original.make()
    Kept(ports={"gateway": 8080}, data=data).write(original)
    Record(Running.of(os.getpid()), {}).write(original)
    shutil.copytree(original.state, tmp_path / "copied" / ".lifang")
    return original, Place(tmp_path / "copied" / ".lifang")


def test_a_copy_ends_no_process_and_takes_no_port_of_the_original(tmp_path: Path):
    original, copy = copied(tmp_path, "")
    running = Record.read(original).supervisor
    assert running is not None and running.process() is not None and Kept.read(original).ports == {"gateway": 8080}
    assert Record.read(copy) == Record() and Kept.read(copy).ports == {}


def test_a_copy_has_no_database_but_what_came_along(tmp_path: Path):
    original, copy = copied(tmp_path, str(tmp_path / "original" / ".lifang" / "pg"))
    assert Kept.read(copy).data == str(copy.state / "pg") != Kept.read(original).data
    elsewhere = str(tmp_path / "elsewhere" / "pg")
    Kept(data=elsewhere).write(original)
    shutil.copy(original.ports, copy.ports)
    assert (Kept.read(original).data, Kept.read(copy).data) == (elsewhere, "")


def test_what_was_written_before_is_taken_as_it_is(tmp_path: Path):
    place = Place(tmp_path)
    place.ports.write_text('{"ports":{"gateway":8080},"data":"/somewhere/pg"}')
    assert Kept.read(place) == Kept({"gateway": 8080}, "/somewhere/pg")
