"""Sealing itself: by one keeper, in pieces, through a crash and a new generation; how far it is behind."""

import asyncio
import json

import asyncpg
import pytest
from msgspec.structs import replace

from cli import sealing
from cli.keeper import heads
from cli.keeper.heads import Outside
from cli.keeper.sealing import Anew
from cli.operate import operate
from cli.verifying import verify
from libs.eventkit.service import App
from tests.keeper.logs import all_is_well, anchored, behind_its_back, is_found, keeper_of, outside, say, sealed, sql, toy

__all__ = ["outside", "toy"]


async def test_a_crash_between_seal_file_and_topic_is_no_finding(toy: App, outside: Outside):
    await sealed(toy, 3)
    pool = await toy.database.pool()
    await say(toy, 2)
    await pool.fetch("select n from seal_log()")
    await all_is_well(toy)
    head = await heads.head_of(toy.database, "toy")
    assert head is not None and outside.directory is not None
    heads.keep(outside.directory, head)
    found = await all_is_well(toy)
    assert found["outside"] == {"file": 5, "kafka": 3}
    (outside.directory / "toy" / "new").write_bytes(b'{"service":"to')
    with (outside.directory / "toy" / "history").open("ab") as file:
        file.write(b'\n{"service":"to')
    await all_is_well(toy)
    await sealed(toy, 1)
    assert (await all_is_well(toy))["outside"] == {"file": 6, "kafka": 6}


async def test_a_log_of_which_nothing_is_known_outside_is_a_finding(toy: App):
    await say(toy, 2)
    pool = await toy.database.pool()
    await pool.fetch("select n from seal_log()")
    await all_is_well(toy)  # this very moment: it may not have got there yet
    await behind_its_back(toy, sql("update seals set at = at - interval '1 minute'"))
    await is_found(toy, 1, "anchored head unknown")


async def test_a_topic_that_cannot_be_asked_is_no_finding_and_no_clean_bill_either(
    toy: App, outside: Outside, monkeypatch: pytest.MonkeyPatch
):
    await sealed(toy, 2)
    await behind_its_back(toy, sql("update seals set at = at - interval '1 minute'"))

    async def away(*asked: object) -> list[heads.Head]:
        raise OSError("nobody is there")

    monkeypatch.setattr(heads, "told", away)
    assert (await verify(toy, outside))["ok"], "the file knows"
    with pytest.raises(SystemExit, match="Kafka could not be asked"):
        await verify(toy, replace(outside, directory=None))


async def test_only_one_seals_and_nothing_is_sealed_while_nothing_grows(toy: App):
    both = [asyncio.create_task(keeper_of(toy).run()) for _ in range(2)]
    try:
        await say(toy, 2)
        await anchored(toy)
        await say(toy, 2)
        await anchored(toy)
    finally:
        for one in both:
            one.cancel()
        await asyncio.gather(*both, return_exceptions=True)
    pool = await toy.database.pool()
    assert [row[0] for row in await pool.fetch("select upto from seals order by n")] == [2, 4]
    assert await pool.fetch("select n from seal_log()") == []


async def test_an_old_log_is_sealed_in_pieces(toy: App):
    await say(toy, 25)
    pool = await toy.database.pool()
    while await pool.fetch("select n from seal_log(10)"):
        pass
    assert [row[0] for row in await pool.fetch("select upto from seals order by n")] == [10, 20, 25]
    await all_is_well(toy)


async def test_the_service_cannot_rewrite_its_seals(toy: App):
    await say(toy, 1)
    pool = await toy.database.pool()
    await pool.fetch("select n from seal_log()")
    for statement in ("update seals set root = ''", "delete from seals"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)


async def test_a_topic_that_is_not_there_knows_nothing(toy: App, outside: Outside):
    await sealed(toy, 2)
    nowhere = replace(outside, topic=f"{outside.topic}.none")
    assert await heads.told(nowhere, "toy") == []
    assert (await verify(toy, nowhere))["outside"] == {"file": 2, "kafka": None}


async def test_the_operators_command_says_what_it_found(toy: App):
    await sealed(toy, 2)
    answer = await operate(toy, "verify", [])
    assert answer["ok"] is True and sealing.MOST > 0


async def test_while_it_runs_a_new_generation_makes_it_read_again_what_is_known_outside(toy: App, outside: Outside):
    """Else it would write over the losses that `restored` has just said."""
    await sealed(toy, 3, 1)
    running = asyncio.create_task(keeper_of(toy).run())
    try:
        await say(toy, 1)
        await anchored(toy)
        await (await toy.database.pool()).execute("update log_state set generation = 2")
        await say(toy, 1)
        with pytest.raises(Anew):
            await asyncio.wait_for(running, 20)
        assert heads.kept(outside.directory, "toy")[-1].generation == 1
    finally:
        running.cancel()
    await sealed(toy, 1)
    assert heads.kept(outside.directory, "toy")[-1].generation == 2


async def test_the_service_says_how_far_its_seals_are_behind(toy: App):
    pool = await toy.database.pool()

    async def behind() -> dict[str, int]:
        found: dict[str, int] = json.loads(await pool.fetchval("select state_of('{}')"))["sealed_behind"]
        return found

    assert await behind() == {"events": 0, "seconds": 0}
    await say(toy, 2)
    await pool.fetch("select n from seal_log()")
    assert await behind() == {"events": 0, "seconds": 0}
    await say(toy, 3)
    await behind_its_back(toy, sql("update events set recorded_at = recorded_at - interval '1 minute' where position = 3"))
    found = await behind()
    assert found["events"] == 3 and 60 <= found["seconds"] < 90
