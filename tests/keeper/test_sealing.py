"""I10: whatever is done to sealed history behind the service's back is found and located, and an untouched log is well.

Each broken twin changes what is production's, and fails the same assertion."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from cli.keeper import heads
from cli.keeper.heads import Outside
from cli.keeper.retiring import retire
from cli.keeper.sealing import NotOurs
from cli.verifying import acknowledge_loss
from libs.eventkit.recorded import Retention
from libs.eventkit.service import App
from tests.eventkit.writers import patch_function
from tests.keeper.logs import all_is_well, behind_its_back, is_found, keeper_of, outside, recompute, say, sealed, sql, toy

__all__ = ["outside", "toy"]



async def test_an_untouched_log_is_well_and_the_database_and_the_command_line_agree_on_every_hash(toy: App):
    await sealed(toy, 3, 1, 4)
    found = await all_is_well(toy)
    assert (found["events"], found["seals"], found["sealed"], found["unsealed"]) == (8, 3, 8, 0)
    assert found["outside"] == {"file": 8, "kafka": 8}


@pytest.mark.fault(row="tampered", invariants="I10")
@pytest.mark.parametrize(("what", "at", "statement"), [
    ("changed", 4, "update events set data = replace(data::text, '1', '2')::json where position = 4"),
    ("changed", 4, "update events set recorded_at = recorded_at + interval '1 microsecond' where position = 4"),
    ("changed", 4, "update events set community_id = gen_random_uuid() where position = 4"),
    ("changed", 4, "update events set hash = content_hash(data, meta), data = '{}' where position = 4"),
    ("missing", 4, "delete from events where position = 4"),
    ("cut off", 5, "delete from events where position >= 5"),
    ("seal changed", 4, "update seals set root = sha256(root) where n = 2"),
    ("seal changed", 4, "delete from seals where n = 2"),
])
async def test_what_is_changed_is_found_where_it_was(toy: App, what: str, at: int, statement: str):
    await sealed(toy, 3, 1, 4)
    await behind_its_back(toy, sql(statement))
    await is_found(toy, at, what)


@pytest.mark.fault(row="tampered", invariants="I10")
@pytest.mark.twin(row="tampered", caught_by="I10")
async def test_who_computes_all_seals_anew_is_found_by_what_is_known_outside(toy: App, monkeypatch: pytest.MonkeyPatch):
    await sealed(toy, 3, 1, 4)
    await behind_its_back(toy, sql("update events set data = '{\"amount\":9}' where position = 2"))
    await behind_its_back(toy, recompute)
    await is_found(toy, 2, "seals rewritten")
    for place in ("file", "topic"):  # either of them is enough
        with monkeypatch.context() as patched:
            patched.setattr(heads, *(("kept", lambda *_: []) if place == "file" else ("told", no_heads)))
            await is_found(toy, 2, "seals rewritten")
    await broken_twin_without_anchors(toy, monkeypatch)


async def no_heads(*_: Any) -> list[heads.Head]:
    return []


async def broken_twin_without_anchors(toy: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain that nobody outside knows."""
    monkeypatch.setattr(heads, "kept", lambda *_: [])
    monkeypatch.setattr(heads, "told", no_heads)
    with pytest.raises(AssertionError, match="I10: history was changed"):
        await is_found(toy, 2, "seals rewritten")


async def test_a_seal_covers_what_one_snapshot_shows_and_no_more(toy: App):
    """A writer that holds a number without having committed is not sealed over."""
    async with asyncpg.create_pool(toy.settings.role_url("log"), min_size=2, max_size=2) as pool, pool.acquire() as slow:
        await say(toy, 2)
        async with slow.transaction():
            await slow.execute(
                "insert into events select 3, generation, community_id, stream, 3, gen_random_uuid(), type, schema, data, meta"
                " from events where position = 2")
            assert await pool.fetch("select upto from seal_log()") == [(2,)]
        assert await pool.fetch("select upto from seal_log()") == [(3,)]
    await all_is_well(toy)


@pytest.mark.twin(row="tampered", caught_by="I10")
async def test_broken_twin_a_seal_that_moves_before_its_rows_are_visible(toy: App):
    await patch_function(toy.settings, "seal_log", {
        r"max\(e\.position\) as upto": "max(e.position) + 1 as upto", r"where found\.events = found\.upto - last\.upto": ""})
    pool = await toy.database.pool()
    for _ in range(2):
        await say(toy, 2)
        await pool.fetch("select n from seal_log()")
    with pytest.raises(AssertionError, match="I10: nobody touched"):
        await all_is_well(toy)


async def retired(app: App) -> None:
    """Forty days on; told of no readers, it waits for none."""
    now = datetime.now(UTC) + timedelta(days=40)
    await retire(app.database, [Retention("accounts", 30, own=("account",))], [], now)


async def test_retention_breaks_no_seal_and_what_is_blanked_without_it_is_found(toy: App):
    await sealed(toy, 3, 1, 4)
    await retired(toy)
    assert (await all_is_well(toy))["retired"] == 8
    await say(toy, 1)
    await (await toy.database.pool()).fetch("select n from seal_log()")
    blank = ("update events set hash = content_hash(data, meta), data = '{}',"
             " meta = (select meta from events where position = 1) where stream like 'account:%' and hash is null")
    at = await toy.log.last()
    await behind_its_back(toy, sql(blank))
    await is_found(toy, at, "changed")


async def test_broken_twin_retention_without_a_hash(toy: App):
    await sealed(toy, 3)
    await patch_function(toy.settings, "retire_page", {r"set hash = content_hash\(e\.data, e\.meta\), data": "set data"})
    await retired(toy)
    with pytest.raises(AssertionError, match="I10: nobody touched"):
        await all_is_well(toy)


async def test_who_restored_without_saying_so_is_found_and_may_not_write_over_what_is_known(toy: App, outside: Outside):
    await sealed(toy, 3, 1, 4)
    await behind_its_back(toy, sql("delete from events where position > 3", "delete from seals where n > 1"))
    await is_found(toy, 4, "cut off")
    await say(toy, 3)
    with pytest.raises(NotOurs):
        await asyncio.wait_for(keeper_of(toy).run(), 20)
    assert [one.upto for one in heads.kept(outside.directory, "toy")][-1] == 8
    await is_found(toy, 4, "cut off")


async def test_after_restored_the_loss_is_known_and_everything_else_is_still_guarded(toy: App):
    await sealed(toy, 3, 1, 4)
    await behind_its_back(toy, sql("delete from events where position > 3", "delete from seals where n > 1"))
    await say(toy, 2)
    pool = await toy.database.pool()
    await pool.execute("update log_state set generation = 2")
    loss = await acknowledge_loss(toy, Outside.of(toy.settings), 2)
    assert loss is not None and loss.generation == 2
    found = await all_is_well(toy)
    assert len(found["known_losses"]) == 1
    await sealed(toy, 2, 2, 2, 2)
    assert len((await all_is_well(toy))["known_losses"]) == 1
    await behind_its_back(toy, sql("update events set type = 'named' where position = 2"))
    await behind_its_back(toy, recompute)
    await is_found(toy, 2, "seals rewritten")


async def test_restored_on_a_log_that_lost_nothing_acknowledges_nothing(toy: App):
    await sealed(toy, 3)
    assert await acknowledge_loss(toy, Outside.of(toy.settings), 2) is None
    assert (await all_is_well(toy))["known_losses"] == []
