"""Every row of the fault matrix has a test and a broken twin, and the document tells what they counted."""

import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import json

from cli.place import ROOT
from tests.faults import __main__ as command
from tests.faults.findings import Broken, Finding, settle
from tests.faults.matrix import ROWS, Row
from tests.faults.tally import Figures, Tally, last

ROW = Row("kill-cook", "kill -9 the cook", "I1 I4", "eats first")
TESTED = [
    command.Marked("t.py::test_a[1]", "kill-cook", "fault", "I1"), command.Marked("t.py::test_a[2]", "kill-cook", "fault", "I1"),
    command.Marked("t.py::test_twin", "kill-cook", "twin", "I4")]


def test_every_row_has_a_test_and_a_twin_or_is_said_to_be_missing() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.faults", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1), done.stdout + done.stderr


def test_rows_have_names_of_their_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_what_is_not_tested_or_not_missed_is_named() -> None:
    assert command.lacks(ROW, TESTED) == ""
    assert command.lacks(ROW, TESTED[:2]) == "kill-cook has no twin; "
    assert command.lacks(ROW, []) == "kill-cook has no fault; kill-cook has no twin; "
    missing = Row("kill-cook", "", "", "", missing="no kitchen")
    assert command.lacks(missing, []) == "" and "and is tested" in command.lacks(missing, TESTED)


def test_a_row_adds_up_what_its_tests_counted() -> None:
    figures = {(one.test, one.row, one.kind): Figures(one.test, one.row, one.kind, one.invariants, "passed", 1.0, Tally(2, 700, 0, 0, 0))
               for one in TESTED}
    assert command.line(ROW, TESTED, figures) == "| kill -9 the cook | I1 I4 | 4 | 1,400 | 0 | 0 | 0 | eats first: I4 |"
    assert command.line(ROW, TESTED, {}) == "| kill -9 the cook | I1 I4 | – | – | – | – | – | eats first: I4 |"
    assert command.line(ROW, [], figures).endswith("| missing: nothing tests it |")
    assert command.tests(ROW, TESTED).count("t.py::test_a`") == 1


def test_only_the_last_run_counts_and_only_if_it_passed(tmp_path: Path) -> None:
    runs = [Figures("t", "kill-cook", "fault", "I1", outcome, 1.0, Tally(events=n))
            for n, outcome in enumerate(("passed", "passed", "skipped"))]
    file = tmp_path / "figures"
    file.write_bytes(b"\n".join(map(json.encode, runs)))
    assert [one.tally.events for one in last(file).values()] == [1]
    file.write_bytes(b"\n".join(map(json.encode, [*runs, Figures("t", "kill-cook", "fault", "I1", "failed", 1.0, Tally())])))
    assert last(file) == {} and last(tmp_path / "nothing") == {}


def test_all_that_is_found_is_counted_and_the_first_is_raised() -> None:
    tally = Tally()
    with pytest.raises(Broken) as broken:
        settle([Finding("I4", "a", lost=1), Finding("I1", "b", doubled=2, stuck=3)], tally)
    assert broken.value.invariant == "I4" and (tally.lost, tally.doubled, tally.stuck) == (1, 2, 3)
    settle([], tally)
