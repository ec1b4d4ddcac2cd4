"""`python -m tests.vectors`: says what differs, and fails where anything does or there is nothing to ask."""

import json
from pathlib import Path

import pytest

from tests.vectors.__main__ import main

HERE = Path(__file__).parents[1] / "vectors"


def test_all_that_is_here_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(path) for path in sorted(HERE.glob("*.json"))]) == 0
    assert capsys.readouterr().out == "322 passed, 0 failed\n"


@pytest.mark.parametrize(("name", "change"), [
    ("tariffs", {"expected_fen": 1}), ("tariffs", {"tariff": "Z"}), ("tariffs", {"exit": "2020-01-01T00:00:00"}),
    ("identity", {"expected": {"outcome": "refused", "reason": "length"}}), ("identity", {"type": "passport"}),
    ("identity", {"input": None})])
def test_a_difference_is_one_line_and_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, change: dict[str, object]
) -> None:
    document = json.loads((HERE / f"{name}.json").read_text())
    document["vectors"] = [document["vectors"][0], document["vectors"][1] | change]
    (tmp_path / "changed.json").write_text(json.dumps(document))
    assert main([str(tmp_path / "changed.json")]) == 1
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2 and said[0].startswith(f"changed.json {document['vectors'][1]['id']}: expected")
    assert said[1] == "1 passed, 1 failed"


def test_a_finding_that_nobody_expects_is_a_difference(tmp_path: Path) -> None:
    code = "91350211M0000XUF46"
    vector = {"id": "x", "type": "organisation_code", "input": code, "expected": {"outcome": "finding", "value": code}}
    (tmp_path / "one.json").write_text(json.dumps({"vectors": [vector]}))
    assert main([str(tmp_path / "one.json")]) == 1


@pytest.mark.parametrize("document", [{}, {"vectors": []}, {"segments": [{"hex": "0a"}]}])
def test_a_file_without_a_rule_fails(tmp_path: Path, document: dict[str, object]) -> None:
    (tmp_path / "other.json").write_text(json.dumps(document))
    assert main([str(tmp_path / "other.json")]) == 1
