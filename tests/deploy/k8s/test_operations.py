"""What an operator types: the job that `operate` makes, what `drill` does around it, and the exit code of what is not as it should be."""

import getpass
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import operate
from cli.__main__ import COMMANDS
from cli.manifests.drill import put_back
from cli.place import ROOT
from libs.contracts.topics import TOPICS
from tests.deploy.k8s.rendering import OVERLAYS, PLACE, command, overlay
from tests.deploy.k8s.schemas import errors
from tests.deploy.k8s.world import COMPONENT, World, at

KUBECTL = """#!/bin/sh
printf '%s\\n' "$*" >> "$ASKED"
case "$*" in
  *"create job"*) cat "$JOB" ;;
  "patch --local"*) exec "$REAL" "$@" ;;
  "create -f -") cat > "$MADE" ;;
  *"wait job"*) exit "${FAILS:-0}" ;;
esac
"""
"""Stands in for a cluster; what needs none is done by the real one."""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if Path(command()[0]).name != "kubectl":
        pytest.skip("kubectl is not here: it makes the jobs")
    template = next(one for one in World(list(overlay("prod"))).workloads if one.title == "CronJob/access-operate")
    spec = at(template.object, "spec", "jobTemplate", "spec")
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "access-1"}, "spec": spec}
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
    stub = tmp_path / "bin" / "kubectl"
    stub.parent.mkdir()
    stub.write_text(KUBECTL)
    stub.chmod(0o755)
    for name, value in {
            "PATH": f"{stub.parent}{os.pathsep}{os.environ['PATH']}", "REAL": str(Path(shutil.which(command()[0]) or command()[0])),
            "ASKED": str(tmp_path / "asked"), "JOB": str(tmp_path / "job.yaml"), "MADE": str(tmp_path / "made.yaml")}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def typed(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(PLACE / script), *words], capture_output=True, text=True)


def made(cluster: Path) -> dict[str, Any]:
    container: dict[str, Any] = at(yaml.safe_load((cluster / "made.yaml").read_text()), "spec", "template", "spec", "containers", 0)
    return container


def test_operate_gives_the_job_its_arguments(cluster: Path) -> None:
    done = typed("operate", "access", "parked", "skip", "--reason", 'it said "no" \\ twice')
    assert done.returncode == 0, done.stderr
    by = f"operator:{getpass.getuser()}"
    assert made(cluster)["args"] == ["cli.operate", "access", "parked", "skip", "--reason", 'it said "no" \\ twice', "--by", by]
    assert not [v for v in made(cluster)["env"] if v["name"].startswith("DATABASE_URL")]


@pytest.mark.parametrize(("words", "named"), [
    (("found", "里"), True), (("sign-in", "x"), True), (("parked", "list"), False), (("sign-in", "x", "--by", "operator:li"), False)])
def test_what_stays_in_a_log_is_said_under_the_name_of_who_typed_it(cluster: Path, words: tuple[str, ...], named: bool) -> None:
    assert typed("operate", "identity", *words).returncode == 0
    by = ["--by", f"operator:{getpass.getuser()}"] if named else []
    assert made(cluster)["args"] == ["cli.operate", "identity", *words, *by]


@pytest.mark.parametrize(("operation", "stays"), [("found", False), ("sign-in", False), ("parked", True)])
def test_a_job_that_has_said_a_code_is_removed(cluster: Path, operation: str, stays: bool) -> None:
    assert typed("operate", "identity", operation, "x").returncode == 0
    asked = (cluster / "asked").read_text().splitlines()
    assert any("logs --follow" in line for line in asked) and stays == (f"delete job/identity-{operation}-" not in asked[-1])


def test_operate_says_that_a_job_has_failed(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS", "1")
    assert typed("operate", "access", "verify", "--strict").returncode == 1


def test_operate_wants_a_service_and_an_operation(cluster: Path) -> None:
    done = typed("operate", "access")
    assert done.returncode == 2 and "operate SERVICE OPERATION" in done.stderr


def test_drill_looks_at_the_copy_and_removes_it(cluster: Path) -> None:
    done = typed("drill", "access")
    assert done.returncode == 0, done.stderr
    asked = (cluster / "asked").read_text().splitlines()
    assert "apply -f" in asked[0] and asked[0].endswith("restore-drill/access.yaml") and "delete -f" in asked[-1]
    assert made(cluster)["args"] == ["cli.operate", "access", "rebuild", "--check", "--strict"]
    assert {"name": "DATABASE_URL_ACCESS", "value": "postgresql://access-db-drill-rw:5432/access"} in made(cluster)["env"]


def test_drill_removes_the_copy_that_is_not_good(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS", "1")
    assert typed("drill", "access").returncode == 1
    assert "delete -f" in (cluster / "asked").read_text().splitlines()[-1]


@pytest.mark.parametrize("service", TOPICS)
def test_a_copy_archives_nothing_and_is_of_the_right_shape(service: str) -> None:
    copy = put_back(service)
    assert not list(errors(copy)) and "plugins" not in copy["spec"]
    assert at(copy, "spec", "externalClusters", 0, "plugin", "parameters", "serverName") == f"{service}-db"
    assert yaml.safe_load((PLACE / "operations" / "restore-drill" / f"{service}.yaml").read_text()) == copy


@pytest.mark.parametrize(("answer", "words", "code"), [
    ({"ok": False}, ["--strict"], 1), ({"ok": True}, ["--strict"], 0), ({"ok": False}, [], 0),
    ({"same": False}, ["--check", "--strict"], 1),
    ({"parked": []}, ["list", "--strict"], 0)])
def test_strict_says_by_its_exit_code_what_is_not_as_it_should_be(
        answer: dict[str, Any], words: list[str], code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []

    async def answered(app: object, operation: str, arguments: list[str]) -> dict[str, Any]:
        given.append(arguments)
        return answer

    monkeypatch.setattr(operate, "operate", answered)
    monkeypatch.setattr(operate, "App", lambda service, settings: None)
    monkeypatch.setattr(operate, "settings_for", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["operate", "alarm", "verify", *words])
    monkeypatch.setattr(operate.obs, "configure", lambda *of: None)
    with pytest.raises(SystemExit) as ended:
        operate.main()
    assert int(ended.value.code or 0) == code and given == [[word for word in words if word != "--strict"]]


def test_the_runbook_speaks_of_commands_that_there_are() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    assert set(re.findall(r"`\./lifang ([a-z-]+)", text)) <= COMMANDS.keys()
    assert {word for _, word in re.findall(r"deploy/k8s/operate ([a-z]+|SERVICE) ([a-z-]+)", text)} <= set(operate.OPERATIONS)
    components = {one.labels[COMPONENT] for name in OVERLAYS for one in World(list(overlay(name))).workloads}
    assert set(re.findall(r"app\.kubernetes\.io/component=([a-z]+)", text)) <= components
    stay = {one.name for one in World(list(overlay("prod"))).workloads if one.stays}
    assert set(re.findall(r"(?:deploy|statefulset|deployment)/([a-z]+-[a-z]+)", text)) <= stay


def test_the_runbook_leads_nowhere_that_is_not() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    headings = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([a-z0-9-]+)\)", text)) <= headings
