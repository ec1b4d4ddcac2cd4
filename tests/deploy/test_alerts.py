"""Every alert fires when what it speaks of is there, for as long as it says, and none fires while all is well: Prometheus' own unit tests
of rules, with series that are written here."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.test_observability import HERE, RULES, SERVICES_IN_ORDER, rules

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
S, *OTHERS = (f'service="{name}"' for name in ("access", *(name for name in SERVICES_IN_ORDER if name != "access")))
READER, RELAY, HEAR = (f'{S}, reader="{reader}"' for reader in ("opening", "relay", "hear"))
SERIES = [
    ("up", 'job="lifang", instance="access:8081"', "1+0x120"), ("lifang_ready", S, "1+0x120"), ("lifang_log_position", S, "0+50x120"),
    *(("lifang_log_position", other, "7+0x120") for other in OTHERS),
    *((f"lifang_{name}", S, "0+0x120") for name in ("overdue", "parked", "damaged", "relay_refuses", "gaps")),
    ("lifang_log_generation", S, "1+0x120"), ("lifang_kept", S, "1+0x120"), ("lifang_unsealed_seconds", S, "0+0x120"),
    ("lifang_task_restarts", f'{S}, task="hear"', "0+0x120"),
    ("lifang_lag", READER, "3+0x120"), ("lifang_lag", RELAY, "1+0x120"), ("lifang_lag", HEAR, "0+0x120"),
    *(("lifang_request_seconds_count", f'{S}, route="/v1/doors", status="{status}"', more) for status, more in (
        ("200", "0+600x120"), ("503", "0+0x120"))),
    # probes: three a second of a service, and of one that is not ready all of them fail
    ("lifang_request_seconds_count", f'{S}, route="/livez", status="200"', "0+600x120"),
    ("lifang_request_seconds_count", f'{S}, route="/readyz", status="503"', "0+600x120"),
    ("lifang_request_seconds_bucket", f'{S}, route="/v1/doors", le="0.5"', "0+600x120"),
    ("lifang_request_seconds_bucket", f'{S}, route="/v1/doors", le="5"', "0+600x120"),
    ("lifang_request_seconds_bucket", f'{S}, route="/v1/doors", le="+Inf"', "0+600x120"),
    ("lifang_heard_total", f'{S}, answer="taken"', "0+600x120"), ("lifang_heard_total", f'{S}, answer="missing"', "0+0x120"),
    ("lifang_heard_total", f'{S}, answer="unreadable"', "0+0x120"), ("lifang_heard_total", f'{S}, answer="unknown"', "0+0x120"),
    ("lifang_gateway_limited_total", 'policy="sign-in"', "0+1x120"),
]
"""While all is well: one sample a minute for two hours."""
CAUSED: dict[str, tuple[int, dict[tuple[str, str], str]]] = {
    "LifangDeadlinesPass": (11, {("lifang_overdue", S): "0x9 2x110"}),
    "LifangRequestsFail": (20, {("lifang_request_seconds_count", f'{S}, route="/v1/doors", status="503"'): "0x9 0+60x110"}),
    "LifangRequestsAreSlow": (40, {("lifang_request_seconds_bucket", f'{S}, route="/v1/doors", le="0.5"'): "0+300x120"}),
    "LifangSomebodyGuesses": (25, {("lifang_gateway_limited_total", 'policy="sign-in"'): "0x9 0+40x110"}),
    "LifangEventsAreParked": (12, {("lifang_parked", S): "0x9 1x110"}),
    "LifangEventsAreMissing": (12, {("lifang_gaps", S): "0x9 1x110"}),
    "LifangRecordsAreUnreadable": (12, {("lifang_heard_total", f'{S}, answer="unreadable"'): "0x9 1x110"}),
    "LifangEventsAreUnknown": (80, {("lifang_heard_total", f'{S}, answer="unknown"'): "0x9 0+1x110"}),
    "LifangReaderStandsStill": (20, {("lifang_lag", READER): "3x9 50+50x110"}),
    "LifangReaderIsBehind": (30, {("lifang_lag", READER): "3x9 20000-1x110"}),
    "LifangRelayStandsStill": (20, {("lifang_lag", RELAY): "1x9 50+50x110"}),
    "LifangHearsNothing": (12, {("lifang_lag", HEAR): "0x9 -1x110"}),
    "LifangHearsLate": (20, {("lifang_lag", HEAR): "0x9 3000+1x110"}),
    "LifangRelayRefuses": (12, {("lifang_relay_refuses", S): "0x9 1x110"}),
    "LifangViewsAreDamaged": (12, {("lifang_damaged", S): "0x9 1x110"}),
    "LifangIsAway": (13, {("up", 'job="lifang", instance="access:8081"'): "1x9 0x110"}),
    "LifangServiceIsGone": (13, {("lifang_log_position", S): "0+50x9 stale"}),
    "LifangIsNotMeasured": (21, {("lifang_log_position", one): "0+50x9 stale" for one in (S, *OTHERS)}),
    "LifangTasksRestart": (30, {("lifang_task_restarts", f'{S}, task="hear"'): "0x9 0+1x110"}),
    "LifangLogIsShorter": (14, {("lifang_log_position", S): "5000x9 4000x110"}),
    "LifangIsNotReady": (14, {("lifang_ready", S): "1x9 0x110"}),
    "LifangIsNotSealed": (21, {("lifang_unsealed_seconds", S): "0x9 0+60x110"}),
    "LifangKeeperIsGone": (21, {("lifang_kept", S): "1x9 0x110"}),
}
"""By alert: after how many minutes it is there, and what is otherwise than well, from the tenth on."""
HAPPENED = {"LifangRecordsAreUnreadable", "LifangLogIsShorter"}
"""They tell of what happened, and nobody waits for it any more, or another alert is there as long as somebody does."""
MEANT = {
    "republish": {("lifang_log_position", S): "100000+50x120", ("lifang_lag", RELAY): "1x9 100000-700x110"},
    "a new version folds a view anew": {("lifang_log_position", S): "9000+50x120", ("lifang_lag", READER): "3x9 9000-70x110"},
    "restored": {("lifang_log_position", S): "9000+50x9 4000x1 4000+50x108", ("lifang_log_generation", S): "1x10 2x109",
                 ("lifang_lag", RELAY): "1x9 4000-30x110", ("lifang_lag", READER): "3x9 4000-30x110"},
}
"""What somebody has typed, and looks in between as if something was the matter."""


def case(minutes: int, otherwise: dict[tuple[str, str], str], alert: str, firing: int) -> dict[str, Any]:
    alerts = f'count(ALERTS{{alertname=~"{alert}", alertstate="firing"}}) or vector(0)'
    return {
        "interval": "1m",
        "input_series": [
            {"series": f"{name}{{{labels}}}", "values": otherwise.get((name, labels), values)} for name, labels, values in SERIES],
        "promql_expr_test": [{"expr": alerts, "eval_time": f"{minutes}m", "exp_samples": [{"labels": "{}", "value": firing}]}]}


def tried(tmp_path: Path, *cases: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "cases.yml"
    file.write_text(yaml.safe_dump({
        "rule_files": [str(HERE / "rules.yml")], "evaluation_interval": "1m", "tests": [*cases],
        "group_eval_order": [group["name"] for group in RULES]}))  # else now one and now another comes first
    return subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)


def test_each_alert_has_a_cause_here():
    assert CAUSED.keys() == {rule["alert"] for rule in rules() if "alert" in rule}
    assert {key for _, otherwise in CAUSED.values() for key in otherwise} <= {(name, labels) for name, labels, _ in SERIES}


@needs_promtool
@pytest.mark.parametrize("alert", CAUSED)
def test_it_fires_when_it_is_caused_and_not_before(alert: str, tmp_path: Path):
    minutes, otherwise = CAUSED[alert]
    done = tried(tmp_path, case(minutes, otherwise, alert, 1), case(9, otherwise, alert, 0))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("alert", sorted(CAUSED.keys() - HAPPENED))
def test_it_is_there_for_as_long_as_the_matter_is(alert: str, tmp_path: Path):
    done = tried(tmp_path, case(110, CAUSED[alert][1], alert, 1))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("what", MEANT)
def test_what_was_typed_is_no_reason_to_call_anybody(what: str, tmp_path: Path):
    done = tried(tmp_path, *(case(minutes, MEANT[what], ".+", 0) for minutes in range(9, 40)))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_every_service_is_missed_by_its_name(tmp_path: Path):
    for one in (S, *OTHERS):
        gone = case(13, {("lifang_log_position", one): "0+50x9 stale"}, "LifangServiceIsGone", 1)
        gone["promql_expr_test"][0]["expr"] = f'count(ALERTS{{alertname="LifangServiceIsGone", {one}, alertstate="firing"}}) or vector(0)'
        done = tried(tmp_path, gone)
        assert done.returncode == 0, one + done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("minutes", [5, 30, 119])
def test_while_all_is_well_none_fires(minutes: int, tmp_path: Path):
    done = tried(tmp_path, case(minutes, {}, ".+", 0))
    assert done.returncode == 0, done.stdout + done.stderr
