"""`lifang test --containers`: PostgreSQL and Kafka from the engine, and tests on them."""

import os
import re
import subprocess
import sys

import pytest

from cli import containers
from tests.deploy import making
from tests.deploy.making import ROOT, docker

pytestmark = pytest.mark.serial
GIVEN = ("LIFANG_TEST_POSTGRES", "KAFKA_BOOTSTRAP_SERVERS", "LIFANG_TEST_STATE", "LIFANG_TEST_KAFKA_USER", "LIFANG_TEST_SUPERVISOR_STATE")


def test_tests_run_on_servers_of_the_engine_which_are_gone_afterwards(engine: str):
    before = set(docker("ps", "--all", "--quiet").split())
    environment = {name: value for name, value in os.environ.items() if name not in GIVEN}
    images = {"LIFANG_POSTGRES_IMAGE": making.POSTGRES, "LIFANG_KAFKA_IMAGE": making.KAFKA}
    chosen = ("tests/eventkit/test_log.py", "tests/eventkit/test_relay.py", "tests/eventkit/test_hear.py")
    done = subprocess.run(
        [sys.executable, "-m", "cli", "test", "--containers", "--", "-q", *chosen], cwd=ROOT, env=environment | images, capture_output=True,
        text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    passed = [int(number) for number in re.findall(r"(\d+) passed", done.stdout)]
    assert sum(passed) > 30, done.stdout[-3000:]
    assert set(docker("ps", "--all", "--quiet").split()) <= before


def test_they_are_those_of_compose_unless_others_are_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LIFANG_KAFKA_IMAGE", raising=False)
    assert containers.image("LIFANG_KAFKA_IMAGE").startswith("apache/kafka:4.")
    assert containers.image("LIFANG_POSTGRES_IMAGE").startswith("postgres:18.")
    monkeypatch.setenv("LIFANG_KAFKA_IMAGE", "other:1")
    assert containers.image("LIFANG_KAFKA_IMAGE") == "other:1"


def test_such_a_kafka_asks_nobody_and_listens_where_it_says():
    told = containers.properties("127.0.0.1:5000")
    assert "advertised.listeners=CLIENTS://127.0.0.1:5000" in told
    assert not re.search("sasl|authorizer|jaas", told, re.I)
