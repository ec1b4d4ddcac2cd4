"""The list of mutants is not stale, and its runner tells who is caught from who survives; the checkout stays as it is."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.mutants import __main__ as command
from tests.mutants.lists import LISTS
from tests.mutants.mutant import Mutant, of
from tests.mutants.runner import AlreadyFailing, Outcome, run

RULE = "def admitted(age: int) -> bool:\n    return age >= 18\n"
TEST = "from rule import admitted\n\n\ndef test_eighteen():\n    assert admitted(18) and not admitted(17)\n"
CAUGHT, EQUIVALENT, STALE, BROKEN = of(
    "rule.py", "test_rule.py",
    ("one is eighteen a year later", "age >= 18", "age > 18"), ("another way to say it", "age >= 18", "age > 17"),
    ("a rule that is gone", "age >= 21", "age > 21"), ("no Python", "return age >= 18", "return (age"))


@pytest.mark.parametrize("mutant", [m for mutants in LISTS.values() for m in mutants], ids=lambda m: m.name)
def test_a_mutant_still_breaks_its_file_in_one_place(mutant: Mutant) -> None:
    assert mutant.stale(command.ROOT) == ""


def test_every_service_is_guarded_and_every_mutant_has_a_name_of_its_own() -> None:
    assert all(len(mutants) >= 12 for mutants in LISTS.values())
    assert all(m.file.startswith(f"services/{service}/") for service, mutants in LISTS.items() for m in mutants)
    for mutants in LISTS.values():
        assert [name for name, times in Counter(m.name for m in mutants).items() if times > 1] == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "rule.py").write_text(RULE)
    (tmp_path / "test_rule.py").write_text(TEST)
    return tmp_path


def test_whoever_is_noticed_is_caught_and_the_others_are_named(tree: Path) -> None:
    found = list(run(tree, (CAUGHT, EQUIVALENT, STALE, BROKEN)))
    assert [outcome.state for outcome in found] == ["caught", "SURVIVED", "stale", "unusable"]
    assert found[0].by == "test_rule.py::test_eighteen" and "0 times" in found[2].by
    assert [(path.name, path.read_text()) for path in sorted(tree.iterdir())] == [("rule.py", RULE), ("test_rule.py", TEST)]


def test_where_a_test_fails_already_nothing_is_proved(tree: Path) -> None:
    (tree / "test_rule.py").write_text(TEST.replace("not ", ""))
    with pytest.raises(AlreadyFailing, match="test_eighteen"):
        list(run(tree, (CAUGHT,)))


def test_a_service_without_a_list_is_said_at_once() -> None:
    with pytest.raises(SystemExit):
        command.main(["kitchen"])


@pytest.mark.parametrize(("states", "code"), [
    (("caught", "caught"), 0), (("caught", "SURVIVED"), 1), (("stale", "caught"), 1), (("unusable", "caught"), 1)])
def test_it_ends_with_one_where_anybody_survives(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], states: tuple[Any, ...], code: int,
) -> None:
    mutants = (CAUGHT, EQUIVALENT)
    monkeypatch.setattr(command, "LISTS", {"rules": mutants})
    monkeypatch.setattr(command, "run", lambda root, asked: map(Outcome, asked, states))
    assert command.main([]) == code
    said = capsys.readouterr().out.splitlines()
    assert [m.name in line and state in line for m, state, line in zip(mutants, states, said, strict=False)] == [True, True]
