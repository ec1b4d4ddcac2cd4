"""What a test of a fault has done and seen, written down as one line of JSON as soon as it is over."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec import Struct, json

from cli.place import ROOT
from tests.faults.matrix import INVARIANTS, NAMED

FIGURES = ROOT / ".lifang" / "faults.jsonl"
MARKERS = (
    "fault(row, invariants): breaks what the row of tests/faults/matrix.py says, and asserts these invariants",
    "twin(row, caught_by): does it wrongly, and is caught by the assertion of this invariant",
)


class Tally(Struct):
    """`rounds`: how often the fault was made; `events`: of how many it was made sure that nothing happened to them."""

    rounds: int = 1
    events: int = 0
    lost: int = 0
    doubled: int = 0
    stuck: int = 0


class Figures(Struct, frozen=True):
    """One test's last run. `kind`: fault or twin; `invariants`: asserted, or the one that caught the twin."""

    test: str
    row: str
    kind: str
    invariants: str
    outcome: str
    seconds: float
    tally: Tally


KEPT = pytest.StashKey[Tally]()


def tally_of(item: pytest.Item) -> Tally:
    return item.stash.setdefault(KEPT, Tally())


def marks(item: pytest.Item) -> Iterable[tuple[str, str, str]]:
    """(kind, row, invariants) of each marker. Raises UsageError for a row or an invariant that nobody knows."""
    for kind, what in (("fault", "invariants"), ("twin", "caught_by")):
        for mark in item.iter_markers(kind):
            row, invariants = mark.kwargs.get("row", ""), str(mark.kwargs.get(what, ""))
            named = [word for word in invariants.split() if word in INVARIANTS]
            if row not in NAMED or not named or named != invariants.split():
                raise pytest.UsageError(f"{item.nodeid}: no row {row!r} or no invariants {invariants!r} in tests/faults/matrix.py")
            yield kind, row, invariants


def write_down(item: pytest.Item, report: pytest.TestReport) -> None:
    if report.when != "call" and not (report.when == "setup" and report.outcome != "passed"):
        return
    for kind, row, invariants in marks(item):
        found = Figures(item.nodeid, row, kind, invariants, report.outcome, round(report.duration, 2), tally_of(item))
        FIGURES.parent.mkdir(exist_ok=True)
        with FIGURES.open("ab") as file:
            file.write(json.encode(found) + b"\n")


def last(path: Path = FIGURES) -> dict[tuple[str, str, str], Figures]:
    """What each test counted when it last ran, by test, row and kind; nothing where it failed. A test that was skipped did not run."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    ran = [one for one in (json.decode(line, type=Figures) for line in lines) if one.outcome != "skipped"]
    return {key: one for key, one in {(one.test, one.row, one.kind): one for one in ran}.items() if one.outcome == "passed"}
