"""How far a rebuild is, in words; what is said of it, once a second."""

import pytest

from cli import rebuilding
from cli.rebuilding import Progress


def progress(**more: float) -> Progress:
    usual = {"communities": 2, "of_communities": 8, "events": 30_000, "of_events": 90_000, "before": 10_000, "seconds": 2.0}
    return Progress("sums", **{**usual, **more})  # type: ignore[arg-type]


def test_the_rate_is_of_this_run_and_not_of_what_was_there():
    assert progress().rate == 10_000
    assert rebuilding.sentence(progress()) == "sums: 2 of 8 communities, 30,000 of 90,000 events, 10,000/s, 6 s left"


def test_a_run_that_has_just_begun_has_a_rate_too():
    assert "0/s" in rebuilding.sentence(progress(events=10_000, seconds=0.0))


def test_it_is_told_once_a_second(monkeypatch: pytest.MonkeyPatch):
    now, said = [100.0], list[str]()
    monkeypatch.setattr(rebuilding.time, "monotonic", lambda: now[0])
    told = rebuilding.telling(said.append)
    for at in (100.1, 100.9, 101.1, 101.2, 102.2):
        now[0] = at
        told(progress())
    assert len(said) == 2
