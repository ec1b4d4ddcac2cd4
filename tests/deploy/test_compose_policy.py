"""docker-compose.yml and what goes over it, looked at without an engine: 13 checks, and that each sees what it is for."""

import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

from cli.providing.holders import KEEPER, SEEDING, SERVICES, holders
from libs.contracts.topics import TOPICS
from tests.deploy.compose_file import BASE, DEMO, OBSERVED, ROOT, load, variables
from tests.deploy.compose_mutants import weaker
from tests.deploy.compose_policy import CHECKS, ONCE, PUBLISHED, environment, findings, mounts

WHOLE = load(BASE)
ALL = load(BASE, DEMO)


@pytest.mark.parametrize("files", [(BASE,), (BASE, DEMO), (BASE, OBSERVED), (BASE, DEMO, OBSERVED)], ids=len)
def test_every_container_keeps_the_policy(files: tuple[str, ...]):
    assert len(CHECKS) == 13
    assert list(findings(load(*files))) == []


def test_whatever_is_weakened_anywhere_is_seen_by_the_check_that_is_for_it():
    survivors, seen = [], set[str]()
    for mutant in weaker(load(BASE, DEMO, OBSERVED)):
        if (mutant.check, mutant.container) in findings(mutant.whole):
            seen.add(mutant.check)
        else:
            survivors.append((mutant.check, mutant.container, mutant.what))
    assert survivors == []
    assert seen == {check.__name__ for check in CHECKS}


def test_there_is_a_container_for_each_service_and_for_nothing_else():
    assert set(WHOLE["services"]) == {*SERVICES, *ONCE, KEEPER, "postgres", "kafka"}
    assert set(ALL["services"]) - set(WHOLE["services"]) == {"demo"}
    assert set(TOPICS) == {path.parent.name for path in ROOT.glob("services/*/__main__.py")}


def test_only_the_gateway_and_devices_are_open_and_by_variables():
    assert {name for name, one in WHOLE["services"].items() if one.get("ports")} == PUBLISHED
    told = variables(BASE)
    assert told["LIFANG_BIND"] == "127.0.0.1"
    assert not [name for name in told if "PASSWORD" in name or "SECRET" in name]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_knows_its_own_database_broker_and_nobody_elses(service: str):
    told, migrating = (environment(WHOLE["services"][name]) for name in (service, f"migrate-{service}"))
    assert {name: value for name, value in told.items() if name.startswith("DATABASE_URL")} == {
        f"DATABASE_URL_{service.upper()}": f"postgresql://postgres:5432/{service}"}
    assert told["LIFANG_KAFKA_USER"] == service
    assert "LIFANG_KAFKA_USER" not in migrating, "a migration has nothing to do with Kafka"
    assert WHOLE["services"][f"migrate-{service}"]["command"] == ["cli.migrate", service]
    assert WHOLE["services"][service]["build"]["args"]["SERVICE"] == service


def test_the_gateway_reaches_whom_it_passes_commands_to():
    forwarded = {"identity", "access", "devices", "parking", "alarm", "neighbors"}
    told = environment(WHOLE["services"]["gateway"])
    assert {name.removeprefix("LIFANG_URL_").lower() for name in told if name.startswith("LIFANG_URL_")} == forwarded
    assert all(told[f"LIFANG_URL_{name.upper()}"] == f"http://{name}:8080" for name in forwarded)


def test_the_keeper_keeps_every_log():
    told = environment(WHOLE["services"][KEEPER])
    assert {name.removeprefix("DATABASE_URL_").lower() for name in told if name.startswith("DATABASE_URL_")} == set(SERVICES)


def test_each_holder_of_secrets_has_a_volume_and_the_maker_all_of_them():
    made = {where.removeprefix("/secrets/") for _, where, _ in mounts(WHOLE["services"]["secrets"])}
    assert made == {*holders(), "vault", "kafka"}
    assert {name.removeprefix("secrets-") for name in WHOLE["volumes"] if name.startswith("secrets-")} == made


def test_in_a_demonstration_all_are_told_so_who_have_readers():
    names = {*SERVICES, *(f"migrate-{service}" for service in SERVICES), KEEPER}
    told = {name for name, one in ALL["services"].items() if environment(one).get("LIFANG_DEMO") == "1"}
    assert told == names
    assert {f"LIFANG_URL_{name.upper()}" for name in SEEDING} <= environment(ALL["services"]["demo"]).keys()
    assert not [name for name, one in WHOLE["services"].items() if "LIFANG_DEMO" in environment(one)]


@pytest.mark.skipif(find_spec("check_jsonschema") is None, reason="check-jsonschema is not installed")
@pytest.mark.parametrize("file", [BASE, DEMO, OBSERVED])
def test_it_is_what_the_compose_specification_says(file: str):
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not installed")
def test_the_old_docker_compose_takes_it_too():
    files = [word for file in (BASE, DEMO, OBSERVED) for word in ("-f", str(ROOT / file))]
    done = subprocess.run(["docker-compose", *files, "config", "--quiet"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
