"""What alerts and dashboards ask for is what the code says of itself: every name, and every label in it."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from cli.providing.holders import SERVICES
from tests.deploy.compose_file import ROOT, load

HERE = ROOT / "deploy" / "observability"
RULES = yaml.safe_load((HERE / "rules.yml").read_text())["groups"]
DASHBOARDS = [json.loads(path.read_text()) for path in (HERE / "grafana" / "dashboards").glob("*.json")]
CLUSTER = ROOT / "deploy" / "k8s" / "components" / "observability" / "alerts.yaml"
NAME = re.compile(r"\b(lifang[_:][a-z_:]+|process_[a-z_]+|up)\b")
SELECTOR = re.compile(r"\b(lifang_[a-z_]+)\{([^}]*)\}")
BY = re.compile(r"\b(?:by|on|without) \(([^)]*)\)")
OF_ANYBODY = {"job", "instance", "le"}
ELSEWHERE = {"LifangIsAway"}
"""Whom a process belongs to is said otherwise in a cluster."""


def rules() -> Iterator[dict[str, Any]]:
    for group in RULES:
        yield from group["rules"]


def queries() -> list[str]:
    shown = [target["expr"] for board in DASHBOARDS for panel in board["panels"] for target in panel["targets"]]
    return [*(rule["expr"] for rule in rules()), *shown]


def exported() -> dict[str, set[str]]:
    """By the name of a sample: its labels. Everything is exported by what defines it when it is imported."""
    for module in ("libs.eventkit.obs", *(f"services.{service}.main" for service in SERVICES)):
        import_module(module)
    found: dict[str, set[str]] = {"up": set()}
    for collector, names in list(REGISTRY._collector_to_names.items()):
        found |= {name: set(getattr(collector, "_labelnames", ())) for name in names}
    return found


def test_every_metric_that_is_asked_for_is_exported():
    known, recorded = exported(), {rule["record"] for rule in rules() if "record" in rule}
    asked = {name for query in queries() for name in NAME.findall(query)}
    assert asked - known.keys() - recorded == set()
    ours = {name for name in known if name.startswith("lifang_") and not name.endswith(("_created", "_sum", "_bucket", "_count"))}
    missed = {name for name in ours if not any(name in asked_for for asked_for in asked)}
    of_counters = {"lifang_heard", "lifang_gateway_limited", "lifang_gateway_webhook_attempts"}
    assert missed <= of_counters, "what is measured is also looked at (a counter's own name has _total)"


def test_every_label_that_is_asked_for_is_there():
    known = exported()
    of_ours = set().union(*(labels for name, labels in known.items() if name.startswith("lifang_"))) | OF_ANYBODY
    for query in queries():
        for name, inside in SELECTOR.findall(query):
            assert set(re.findall(r"(\w+)\s*(?:=|!)", inside)) <= known[name] | OF_ANYBODY, query
        for labels in BY.findall(query):
            assert {label.strip() for label in labels.split(",") if label.strip()} <= of_ours, query


def test_what_status_calls_stuck_wakes_somebody_and_says_what_to_do():
    alerts = {rule["alert"]: rule for rule in rules() if "alert" in rule}
    watched = {name for rule in alerts.values() for name in NAME.findall(rule["expr"])}
    assert {"lifang_parked", "lifang_damaged", "lifang_relay_refuses", "lifang_overdue", "lifang_ready", "lifang:lag", "up"} <= watched
    for name, rule in alerts.items():
        assert rule["labels"]["severity"] in ("critical", "warning", "info"), name
        assert re.fullmatch(r"docs/runbook\.md#[a-z0-9-]+", rule["annotations"]["runbook_url"]) and rule["annotations"]["summary"], name


@pytest.mark.skipif(not CLUSTER.exists(), reason="there is no deploy/k8s here")
def test_a_cluster_is_watched_by_the_same_rules():
    ours, theirs = ({rule.get("alert") or rule["record"]: rule for group in groups for rule in group["rules"]}
                    for groups in (RULES, yaml.safe_load(CLUSTER.read_text())["spec"]["groups"]))
    assert {name: rule["expr"] for name, rule in theirs.items() if name not in ELSEWHERE} == {
        name: ours[name]["expr"] for name in theirs if name not in ELSEWHERE}


def test_every_service_is_asked_and_nobody_else():
    jobs = {job["job_name"]: job for job in yaml.safe_load((HERE / "prometheus.yml").read_text())["scrape_configs"]}
    assert jobs["lifang"]["static_configs"][0]["targets"] == [f"{service}:8081" for service in SERVICES_IN_ORDER]
    containers = load("docker-compose.yml", "deploy/observability/compose.yml")["services"]
    for job in jobs.values():
        for target in job["static_configs"][0]["targets"]:
            assert target.partition(":")[0] in {*containers, "localhost"}


SERVICES_IN_ORDER = ("identity", "access", "devices", "parking", "alarm", "neighbors", "gateway")


def test_dashboards_are_whole():
    for board in DASHBOARDS:
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids)
        assert all(panel["datasource"]["uid"] == "prometheus" for panel in board["panels"])
    sources = yaml.safe_load((HERE / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert [source["uid"] for source in sources] == ["prometheus"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_the_rules(tmp_path: Path):
    done = subprocess.run(["promtool", "check", "rules", HERE / "rules.yml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
