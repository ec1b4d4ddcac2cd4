"""What stands still in a service is told with since when and what to type, from the database to the last line of `lifang status`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from msgspec import json

from cli import status as looked
from cli import stuck
from cli.stack.holding import holding
from libs.eventkit.service import App
from libs.eventkit.status import status
from tests.conftest import Servers
from tests.eventkit.writers import append
from tests.kit import until
from tests.toy.main import ECHO, TOY

AppOf = Callable[..., Awaitable[App]]
BEGAN = "2026-01-02 03:04:05+00"
SINCE = ", since 2026-01-02 03:04:05 UTC"


async def told(app: App) -> dict[str, Any]:
    """As `lifang status` has it where nothing else runs."""
    said = json.decode(json.encode(await status(app)))
    name = app.service.name
    one = looked.silent("", None) | {key: said[key] for key in looked.TOLD} | {"task_restarts": said["restarts"]}
    lag = {f"{name}.{reader}": by for reader, by in one.pop("lag").items()}
    server = {"pid": 1, "restarts": 0}
    return {"services": {name: one}, "gateway_process": None, "community_id": "demo", "devices": {}, "lag": lag,
            "postgres": server, "kafka": server, "keeper": server}


async def test_what_waits_is_named_with_its_moment_and_the_command_that_mends_it(app_of: AppOf, community: UUID):
    echo = await app_of(ECHO)
    pool = await echo.database.pool()
    event = append(community)
    await echo.log.append(event)
    await pool.execute("insert into parked values ('notes', 'k', 1, $1, $2, 'ValueError', $3::text::timestamptz)",
                       event.events[0].event_id, community, BEGAN)
    await pool.execute("insert into parked values ('notes', 'k', 2, $1, $2, 'behind another')", uuid4(), community)
    await pool.execute("insert into damaged values ('sums', $1, 1, 'ValueError', $2::text::timestamptz)", community, BEGAN)
    await pool.execute("insert into gaps values ('lifang.toy.v1', $1, 1, 7, 0, $2::text::timestamptz)", community, BEGAN)
    lately = datetime.now(UTC) - timedelta(hours=1)
    await pool.execute("insert into kept_aside values ('lifang.toy.v1', 0, 9, 'no id', '{}', null, $1::text::timestamptz)", BEGAN)
    await pool.execute("insert into kept_aside values ('lifang.toy.v1', 0, 10, 'no id', '{}', null, $1)", lately)
    await pool.execute("update events set recorded_at = $1::text::timestamptz", BEGAN)
    found = await told(echo)
    parked, aside = stuck.waiting(found)
    assert parked == f"2 events of echo are parked{SINCE}: lifang parked list echo"
    assert aside.startswith(f"2 records that echo could not read are kept aside, the latest at {lately:%Y-%m-%d %H:%M:%S} UTC: which")
    found["services"]["echo"]["kept_aside"]["latest"] = BEGAN
    assert len(stuck.waiting(found)) == 1, "what was kept aside long ago is no news"
    why = stuck.missing(found)
    assert f"echo waits for what lifang.toy.v1 lacks of community {community}, after 0.0.0 up to 1.7.0{SINCE}: lifang republish toy" in why
    assert (f"view sums of echo stands still for community {community}, which it could not take at 1{SINCE}:"
            " lifang rebuild echo sums") in why
    assert f"echo.sums and 1 more of echo are 1 events behind{SINCE}" in why
    assert "echo hears nothing: it is not connected to Kafka" in why
    assert not any("lacks" in each for each in why if "is not ready" in each), "said once"


async def test_nothing_is_said_of_what_goes_on(app_of: AppOf):
    toy = await app_of(TOY)
    found = await told(toy)
    one = found["services"]["toy"]
    assert stuck.waiting(found) == [] and not [each for each in stuck.missing(found) if "behind" in each or "stands still" in each]
    assert (one["late"], one["behind_since"], one["parked_since"], one["damage"]) == ({}, {}, None, [])
    assert one["kept_aside"] == {"records": 0, "latest": None}


async def test_a_deadline_that_passes_is_named_by_its_timer_and_the_first_of_them_counts(app_of: AppOf, community: UUID):
    toy = await app_of(TOY)
    now, pool = datetime.now(UTC), await toy.database.pool()
    for name, late in (("eggs", 60), ("eggs", 90), ("eggs", 1), ("gone", 86_400)):
        await pool.execute("insert into timers values ($1, $2, $3, 1, $4, gen_random_uuid())", name, f"egg:{uuid4()}", community,
                           now - timedelta(seconds=late))
    first = (now - timedelta(seconds=90)).astimezone(UTC)
    assert stuck.waiting(await told(toy)) == [
        f"2 deadlines of toy are overdue (eggs), since {first:%Y-%m-%d %H:%M:%S} UTC: why stands in {looked.HERE.log / 'toy'}.log"]


async def test_more_damage_than_is_named_is_counted(app_of: AppOf):
    echo = await app_of(ECHO)
    pool = await echo.database.pool()
    await pool.execute("insert into damaged select 'sums', gen_random_uuid(), n, 'E' from generate_series(1, 23) n")
    found = await told(echo)
    named = [each for each in stuck.missing(found) if each.startswith("view sums")]
    assert len(named) == 20 and [each for each in stuck.missing(found) if each.startswith("3 more events of echo")]


def test_a_task_that_says_why_says_how_often_it_was_started_again():
    why = ["relay: LookupError: no topic", "no signing key heard yet"]
    one = looked.silent("", None) | {"why": why, "task_restarts": {"relay": 7, "hear": 2}}
    assert stuck.again(one) == " (started again: relay 7 times)"
    assert stuck.again(one | {"why": ["keys: x"]}) == ""


async def test_who_holds_up_a_log_is_named_with_how_to_end_it_and_nobody_else(app_of: AppOf, servers: Servers, community: UUID):
    app = await app_of(ECHO)
    name = app.settings.database_url.rpartition("/")[2]

    async def found() -> list[dict[str, Any]]:
        return [one for one in await asyncio.to_thread(holding, servers.url("postgres")) if one["database"] == name]

    somebody = await asyncpg.connect(servers.url(name))
    await somebody.execute("begin; select pg_advisory_xact_lock(726001)")
    assert await found() == [], "it is in nobody's way yet"
    waiting = [asyncio.create_task(app.log.append(append(community))) for _ in range(3)]
    [one] = await until(found, 20)
    pid = somebody.get_server_pid()
    assert (one["pid"], one["user"], one["others"]) == (pid, "postgres", 1), "three commands are one group"
    [line] = stuck.held({"holding": [one]})
    assert line.startswith(f"session {pid} of postgres in database {name} holds up 1 other, since 2") and line.endswith(f": kill {pid}")
    somebody.terminate()
    await asyncio.gather(*waiting)
    assert await found() == []


def test_a_server_that_does_not_answer_holds_up_nobody():
    assert holding("postgresql://postgres@127.0.0.1:1/postgres") == []


def test_readers_of_a_service_that_stand_at_one_place_are_one_line():
    one = looked.silent("", None) | {"behind_since": {"doors": BEGAN, "cars": BEGAN, "relay": BEGAN}}
    found = {"services": {"echo": one, "toy": one}, "gateway_process": None, "lag": {
        "echo.doors": 3, "echo.relay": 2, "echo.cars": 3, "echo.hear": 40, "echo.gone": 0, "toy.doors": 3, "toy.hear": -1}}
    assert stuck.behind(found) == [
        f"echo.doors and 1 more of echo are 3 events behind{SINCE}", f"echo.relay is 2 events behind{SINCE}",
        "echo.hear is 40 records behind", f"toy.doors is 3 events behind{SINCE}", "toy hears nothing: it is not connected to Kafka"]
