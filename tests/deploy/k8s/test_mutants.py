"""Each weakening of each rendered object is noticed, or it stands among the survivors with a reason."""

import re
from collections.abc import Iterator

import pytest

from tests.deploy.k8s.mutants import ADDED, SURVIVORS, WEAKER, Mutant, Outcome, leaves, mutants, run
from tests.deploy.k8s.rendering import OVERLAYS, overlay


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return run({name: overlay(name) for name in OVERLAYS})


def all_mutants() -> Iterator[Mutant]:
    return (mutant for name in OVERLAYS for one in overlay(name) for mutant in mutants(one))


def test_every_mutant_is_killed_or_has_a_reason_to_live(outcome: Outcome) -> None:
    assert not [str(mutant) for mutant in outcome.left]
    assert outcome.killed.total() > 10_000 and outcome.killed.total() > 40 * outcome.excused.total()


def test_every_reason_to_live_is_somebodys(outcome: Outcome) -> None:
    assert outcome.excused.keys() == {reason for _, reason in SURVIVORS}


def test_what_is_done_is_done_to_something() -> None:
    paths = {".".join(map(str, path)) for name in OVERLAYS for one in overlay(name) for path, _ in leaves(one)}
    assert not [pattern for pattern, _ in WEAKER if not any(re.search(pattern, path) for path in paths)]
    done = {(mutant.path, mutant.how) for mutant in all_mutants()}
    assert not [(path, value) for _, path, value in ADDED if (path, f"added {value!r}"[:60]) not in done]


def test_objects_are_as_they_were(outcome: Outcome) -> None:
    """A mutant is made in place: none of them stays."""
    assert outcome.killed and run({"edge": ()}).killed.total() == 0
    assert all(one.get("kind") and one.get("metadata", {}).get("name") for name in OVERLAYS for one in overlay(name))
