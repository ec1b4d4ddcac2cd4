"""docker-compose.yml on a real engine: from nothing to five stories played from outside, through crashes and an end."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cli.call import call
from cli.outside import Desk
from cli.providing.holders import KEEPER, SERVICES, holders
from tests.deploy.compose_policy import HOLDS, ONCE, PUBLISHED
from tests.deploy.installation import PROJECT, VERSION, Installation
from tests.deploy.making import ROOT, docker

pytestmark = pytest.mark.serial
STORIES = ("door", "visitor", "fire", "care", "patrol")
HELD = "cd /run/secrets/lifang 2>/dev/null && ls"


def play(at: Installation, story: str) -> dict[str, Any]:
    """As somebody types it."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "scenario", story, "--json", "--gateway", at.gateway, "--desk", at.desk, "--key", at.key],
        cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


def failed(found: dict[str, Any]) -> list[str]:
    return [f"{step['step']}: {step['detail']}" for step in found["steps"] if not step["ok"]]


def test_all_is_ready_in_the_right_order(installation: Installation):
    containers = installation.containers()
    assert set(containers) == {*SERVICES, *ONCE, KEEPER, "postgres", "kafka", "demo"} - {"operate"}
    begun = {name: one["State"]["StartedAt"] for name, one in containers.items()}
    ended = {name: containers[name]["State"]["FinishedAt"] for name in ONCE - {"operate"}}
    for service in SERVICES:
        assert ended["databases"] < begun[f"migrate-{service}"] < ended[f"migrate-{service}"] < begun[service]
        assert ended["topics"] < begun[service]
    assert ended["secrets"] < begun["postgres"] and ended["secrets"] < begun["kafka"]
    assert installation.took < 180


@pytest.mark.parametrize("story", STORIES)
def test_a_story_is_played_from_outside(installation: Installation, story: str):
    found = play(installation, story)
    assert found["ok"], failed(found)


def test_what_the_file_asks_for_is_what_runs(installation: Installation):
    for name, one in installation.containers().items():
        how = one["HostConfig"]
        assert how["ReadonlyRootfs"] and how["CapDrop"] == ["ALL"] and not how["Privileged"] and how["Memory"] and how["Init"], name
        assert "no-new-privileges:true" in how["SecurityOpt"] and how["PidsLimit"], name
        published = [port for ports in one["NetworkSettings"]["Ports"].values() for port in ports or ()]
        assert bool(published) == (name in PUBLISHED | {"demo"}), name
        assert {port["HostIp"] for port in published} <= {"127.0.0.1"}
    for name in (*SERVICES, KEEPER, "demo"):
        assert installation.inside(name, "id -u; grep CapEff /proc/self/status").split() == ["10001", "CapEff:", "0" * 16]
    assert installation.inside("postgres", "id -u").strip() == "999" and installation.inside("kafka", "id -u").strip() == "1000"


def test_each_container_holds_its_own_secrets_and_none_is_shown(installation: Installation):
    table = holders()
    for name in (*SERVICES, KEEPER, "postgres", "demo"):
        assert set(installation.inside(name, HELD).split()) == set(table[HOLDS.get(name, name)])
    vault = f"{PROJECT}_secrets-vault:/v:ro"
    values = docker("run", "--rm", "--volume", vault, "--entrypoint", "sh", f"lifang/tools:{VERSION}", "-c", "cat /v/*").split()
    said = installation.logs() + json.dumps(installation.containers())
    assert len(values) == len({name for names in table.values() for name in names})
    assert not [value[:4] for value in values if value in said]


def test_inside_nobody_reaches_what_is_anothers_and_nobody_reaches_out(installation: Installation):
    other = """
import asyncio, asyncpg
from libs.eventkit.settings import settings_for
url = settings_for("access").role_url("log")
async def main():
    await (await asyncpg.connect(url)).close()
    for wrong in ("identity", "postgres", "template1"):
        try:
            await asyncpg.connect(url.rpartition("/")[0] + "/" + wrong)
            print("connected to", wrong)
        except asyncpg.InsufficientPrivilegeError:
            pass
    try:
        await asyncio.wait_for(asyncio.open_connection("1.1.1.1", 53), 3)
        print("reached out")
    except (OSError, TimeoutError):
        pass
asyncio.run(main())"""
    assert docker("exec", installation.containers()["access"]["Id"], "python", "-c", other) == ""


@contextmanager
def asked_all_along(at: Installation) -> Iterator[list[int]]:
    """Whether the gateway is alive, again and again meanwhile; each answer's status."""
    statuses, stop = list[int](), threading.Event()

    def ask() -> None:
        while not stop.wait(0.2):
            try:
                statuses.append(call("GET", f"{at.gateway}/livez", timeout=2)[0])
            except Exception:
                statuses.append(0)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("name", ["access", "postgres", "kafka", "devices", "demo", "gateway", KEEPER])
def test_what_crashes_comes_back_by_itself_and_the_rest_stays(installation: Installation, name: str):
    before = {other: installation.starts(other) for other in (*SERVICES, KEEPER, "postgres", "kafka", "demo")}
    with asked_all_along(installation) as statuses:
        installation.crash(name)
        installation.until(lambda: installation.starts(name) > before[name], lambda: f"{name} was not started again")
        installation.settle()
    after = {other: installation.starts(other) for other in before}
    assert {other: after[other] - before[other] for other in before if after[other] != before[other]} == {name: 1}
    assert name == "gateway" or set(statuses) == {200}, "the gateway is alive whoever else is not"
    found = play(installation, "door")
    assert found["ok"], failed(found)


def test_a_database_that_dies_in_the_middle_of_a_story_loses_nothing_of_it(installation: Installation):
    """The story may fail; what was acknowledged is there, and it is played to its end afterwards."""
    playing = threading.Thread(target=play, args=(installation, "visitor"))
    playing.start()
    installation.crash("postgres")
    playing.join()
    installation.settle()
    for story in STORIES:
        found = play(installation, story)
        assert found["ok"], failed(found)
    assert verified(installation) == dict.fromkeys(SERVICES, True)


def verified(at: Installation) -> dict[str, bool]:
    """By whom nobody has changed a log."""
    found = {}
    for service in SERVICES:
        said = at.compose("run", "--rm", "--no-deps", "-T", "-e", f"LIFANG_KAFKA_USER={service}", "operate", service, "verify")
        found[service] = bool(json.loads(said.strip().splitlines()[-1])["ok"])
    return found


def test_down_and_up_again_with_all_it_had(installation: Installation):
    guard = {"authorization": f"Bearer {Desk.beside(installation.gateway, installation.desk, installation.key).token('guard', None)}"}
    status, before = call("GET", f"{installation.gateway}/v1/incidents?state=all&limit=200", headers=guard)
    assert status == 200 and before["items"]
    installation.down()
    assert installation.containers() == {}
    installation.up()
    assert "0 secrets made" in docker("logs", installation.containers()["secrets"]["Id"])
    guard = {"authorization": f"Bearer {Desk.beside(installation.gateway, installation.desk, installation.key).token('guard', None)}"}
    status, after = call("GET", f"{installation.gateway}/v1/incidents?state=all&limit=200", headers=guard)
    assert status == 200 and [one["id"] for one in after["items"]] == [one["id"] for one in before["items"]]
    for story in STORIES:
        found = play(installation, story)
        assert found["ok"], failed(found)
