"""What `lifang status` makes of what services say of themselves, without any service."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli import status, stuck
from cli.call import Away
from cli.place import Place
from cli.stack import demo, ports

SAID = {
    "ready": True, "generation": 1, "position": 7, "lag": {"relay": 0}, "parked": 0, "damaged": 0, "overdue": 0, "gaps": [], "why": [],
    "sealed_behind": {"events": 0, "seconds": 0}, "restarts": {}, "uptime_seconds": 3.5}
RUNS = {"pid": 1, "restarts": 0}


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """By service, what it says otherwise than that all is well; one that is not in it does not answer."""
    told: dict[str, dict[str, Any]] = {"alarm": {}, "neighbors": {}, "gateway": {}}
    numbers = {8000 + n: name for n, name in enumerate(("alarm", "neighbors", "gateway", "access"))}

    def call(method: str, url: str, *_: Any, **__: Any) -> tuple[int, Any]:
        name = numbers[int(url.split("/")[2].rpartition(":")[2])]
        if name not in told:
            raise Away(url)
        return 200, {**SAID, **told[name]} if url.endswith("/internal/status") else {"ready": True}

    monkeypatch.setattr(status, "call", call)
    monkeypatch.setattr(status, "answers", lambda port: True)
    monkeypatch.setattr(status, "running", lambda what: dict(RUNS))
    monkeypatch.setattr(status.services, "names", lambda: list(numbers.values()))
    kept = {**{name: number for number, name in numbers.items()}, "kafka": 1, "postgres": 2}
    monkeypatch.setattr(ports.Kept, "read", classmethod(lambda cls, place: cls(kept)))
    monkeypatch.setattr(demo.Demo, "read", classmethod(lambda cls, place: cls("community")))
    return told


def look() -> dict[str, Any]:
    return json.loads(json.dumps(status.look(Place(Path("/nowhere")))))


def test_what_is_overdue_is_told_by_service_and_altogether(says: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]):
    says |= {"access": {}, "alarm": {"overdue": 2}, "gateway": {"overdue": 1}}
    found = look()
    assert found["overdue"] == 3
    assert {name: one["overdue"] for name, one in stuck.processes(found).items()} == {
        "alarm": 2, "neighbors": 0, "access": 0, "gateway": 1}
    status.show(found)
    lines = [line for line in capsys.readouterr().out.splitlines() if "overdue" in line]
    assert [line.partition(":")[0] for line in lines] == ["  · 2 deadlines of alarm are overdue", "  · 1 deadline of gateway is overdue"]
    assert lines[0].endswith("alarm.log")


def test_what_is_overdue_leaves_it_ready(says: dict[str, dict[str, Any]]):
    says["access"] = {}
    assert look()["ready"]
    says["alarm"] = {"overdue": 9}
    assert look()["ready"]
    says["alarm"] = {"damaged": 1}
    assert not look()["ready"], "as it would not be with damage"


def test_who_hears_what_its_version_does_not_know_is_named_and_ready(
        says: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]):
    says |= {"access": {}, "gateway": {"unknown": 4}}
    found = look()
    assert found["ready"]
    status.show(found)
    [line] = [line for line in capsys.readouterr().out.splitlines() if "does not know" in line]
    assert line.startswith("  · gateway has heard 4 events of a type") and "lifang rebuild gateway VIEW" in line


def test_a_service_that_does_not_answer_has_nothing_overdue(says: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]):
    found = look()
    assert (found["ready"], found["overdue"], found["services"]["access"]["overdue"]) == (False, 0, 0)
    status.show(found)
    assert "overdue" not in capsys.readouterr().out


def test_one_of_an_older_version_that_says_nothing_of_it_is_read_all_the_same(
        says: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(SAID, "overdue")
    assert look()["overdue"] == 0


def test_without_its_keeper_it_is_ready_and_says_so(
        says: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    says |= {"access": {}, "alarm": {"sealed_behind": {"events": 7, "seconds": 31}}}
    says["gateway"] = {"sealed_behind": {"events": 1, "seconds": 30}}
    record = status.Record(parts={"keeper": status.Running(1, 0.0, "python")})
    monkeypatch.setattr(status.Record, "read", classmethod(lambda cls, place: record))
    monkeypatch.setattr(status, "running", lambda what: {"pid": None, "restarts": 3} if what in record.parts.values() else dict(RUNS))
    found = look()
    assert found["ready"] and found["keeper"] == {"pid": None, "restarts": 3}
    assert found["services"]["alarm"]["sealed_behind"] == {"events": 7, "seconds": 31}
    status.show(found)
    said = capsys.readouterr().out
    assert "keeper     –   pid –  started again 3 times" in said and "the keeper does not run" in said
    assert "7 events of alarm are not sealed, the oldest for 31 s" in said and "of gateway are not sealed" not in said


def test_where_all_is_sealed_nothing_is_said_of_it(says: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]):
    says["access"] = {}
    status.show(look())
    said = capsys.readouterr().out
    assert "keeper     up  pid 1" in said and "sealed" not in said and "does not run" not in said
