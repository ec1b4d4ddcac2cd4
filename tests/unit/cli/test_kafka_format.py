"""How the local stack's Kafka is given its files."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from cli.stack import kafka


def test_a_cluster_whose_id_begins_with_a_dash_is_no_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        said.extend(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(kafka, "uuid4", lambda: UUID("fbefbefb-efbe-4fbe-bfbe-fbefbefbefbe"))
    monkeypatch.setattr(kafka, "subprocess", SimpleNamespace(run=run, DEVNULL=subprocess.DEVNULL))
    kafka.Kafka(Path("java"), [], tmp_path / "archive").format(tmp_path / "server.properties")
    (word,) = (word for word in said if "cluster-id" in word)
    assert word.startswith("--cluster-id=-")
