"""`lifang rebuild`: what it asks of a service, what it prints, and with which code it ends."""

import argparse
import json
from typing import Any

import pytest

from cli import operation, rebuild

DONE = {"view": "sums", "position": 9, "communities": 2, "events": 9, "rows": 4, "damaged": 0, "resumed": True, "seconds": 0.5}
DIFFERS = {"what": "differs", "community_id": "c", "key": {"account_id": "a"}, "columns": ["own"]}


class Said:
    def __init__(self, answer: Any, code: int = 0) -> None:
        self.answer, self.returncode = json.dumps(answer), code

    def communicate(self) -> tuple[str, None]:
        return self.answer, None


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each service answers; `asked` is what it was asked."""
    found: dict[str, Any] = {"asked": []}

    def start(service: str, *words: str) -> Said:
        found["asked"].append((service, *words))
        return found[service]

    monkeypatch.setattr(operation, "start", start)
    monkeypatch.setattr(rebuild.services, "names", lambda: ["access", "gateway"])
    return found


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    rebuild.arguments(parser)
    return rebuild.run(parser.parse_args(words))


def views(service: str, differences: int) -> Said:
    view = {"view": "sums", "position": 9, "communities": 2, "rows": 4, "differences": differences, "first": [DIFFERS] * differences}
    return Said({"service": service, "same": not differences, "views": [view]})


def test_a_rebuild_says_what_was_done(asked: dict[str, Any], capsys: pytest.CaptureFixture[str]):
    asked["access"] = Said({"service": "access", "rebuilt": DONE})
    assert run("access", "sums") == 0 and "4 rows" in (said := capsys.readouterr().out) and "resumed" in said
    assert run("access", "sums", "--json") == 0 and json.loads(capsys.readouterr().out) == DONE
    assert asked["asked"] == [("access", "rebuild", "sums")] * 2


def test_one_that_is_refused_ends_with_its_code(asked: dict[str, Any]):
    asked["access"] = Said({}, 1)
    assert run("access", "sums") == 1


@pytest.mark.parametrize("words", [(), ("access",)])
def test_a_rebuild_needs_a_view(asked: dict[str, Any], words: tuple[str, ...]):
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 2 and asked["asked"] == []


def test_a_check_of_everything_fails_where_one_view_differs(asked: dict[str, Any], capsys: pytest.CaptureFixture[str]):
    asked |= {"access": views("access", 0), "gateway": views("gateway", 1)}
    assert run("--check") == 1
    said = capsys.readouterr().out
    assert "differs: community c account_id=a own" in said
    assert asked["asked"] == [("access", "rebuild", "--check"), ("gateway", "rebuild", "--check")]
    assert run("--check", "--json") == 1 and [one["same"] for one in json.loads(capsys.readouterr().out)] == [True, False]
    asked["gateway"] = views("gateway", 0)
    assert run("--check") == 0


def test_a_check_of_one_view_asks_for_that(asked: dict[str, Any]):
    asked["access"] = views("access", 0)
    assert run("--check", "access", "sums") == 0 and asked["asked"] == [("access", "rebuild", "sums", "--check")]
    asked["access"] = Said({}, 1)
    assert run("--check", "access") == 1
