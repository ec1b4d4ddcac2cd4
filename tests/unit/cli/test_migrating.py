"""What a stack's part does ahead of its process, and what topics are like."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.migrating import topics
from cli.migrating.statements import SQL, of_log, of_view
from cli.place import PYTHON, ROOT, Place
from cli.stack import kafka_rules, services
from libs.eventkit.envelope import PARTITIONS
from tests.toy.sums import VIEW

PORTS = {"postgres": 1, "kafka": 2, "access": 3}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.make()
    return place


def test_a_part_is_migrated_for_once_and_again_where_that_failed(place: Place, monkeypatch: pytest.MonkeyPatch):
    told: list[Mapping[str, str]] = []
    fails = [True]

    def migrate(name: str, where: Place, environment: Mapping[str, str]) -> None:
        told.append(environment)
        if fails:
            raise RuntimeError(f"{name} could not be migrated: {fails.pop()}")

    monkeypatch.setattr(services, "migrate", migrate)
    part = services.part("access", place, PORTS)
    with pytest.raises(RuntimeError, match="access could not be migrated"):
        part.before()
    part.before()
    part.before()
    assert len(told) == 2
    assert told[0]["DATABASE_URL_ACCESS"] == services.database("access", PORTS)
    assert "LIFANG_MIGRATE" not in part.environment


def test_what_a_migration_said_is_what_its_failure_says(place: Place):
    with pytest.raises(RuntimeError, match=r"(?s)nonsense could not be migrated: .*services\.nonsense"):
        services.migrate("nonsense", place, {})


def test_a_forked_process_that_could_not_be_migrated_for_ends_and_says_why(place: Place):
    """Whoever starts the next one has to migrate: nothing says that it was done."""
    log = place.log / "nonsense.log"
    birth = f"Birth('nonsense', {str(log)!r}, {{}}, 'services.nonsense', ['all'], {str(place.migrated('nonsense'))!r})"
    program = f"from cli.stack.nursery import Birth, become; become({birth})"
    assert subprocess.run([PYTHON, "-c", program], cwd=ROOT).returncode == 1
    assert "services.nonsense" in log.read_text()
    assert not place.migrated("nonsense").exists()


def options(name: str, keys: str = "k", seals: str = "s") -> dict[str, Any]:
    (found,) = (topic for topic in topics.wanted(["a", "k"], keys, seals) if topic.name == name)
    return dict(found.topic_configs)


def test_topics_keep_a_month_and_those_of_keys_and_seals_the_newest_of_each():
    assert options("a") == {"retention.ms": str(30 * 24 * 3600 * 1000)}
    assert options("k")["cleanup.policy"] == options("s")["cleanup.policy"] == "compact"
    assert int(options("k")["max.compaction.lag.ms"]) <= 24 * 3600 * 1000, "an erased key is gone within a day"
    assert topics.PARTITIONS == PARTITIONS


def test_the_stack_makes_every_topic_of_the_rules_once():
    names = [topic.name for topic in topics.wanted(kafka_rules.topics(), kafka_rules.KEYS, kafka_rules.SEALS)]
    assert sorted(names) == sorted(set(kafka_rules.topics()))


def test_statements_are_the_services_own_and_leave_no_place_open():
    for statement in (of_log("access"), of_view(VIEW, "access")):
        assert "$service" not in statement and "$table" not in statement and "access_log" in statement
    assert {path.name for path in SQL.glob("*.sql")} >= {"log.sql", "service.sql", "view.sql"}
