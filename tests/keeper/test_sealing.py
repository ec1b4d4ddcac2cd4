"""I10: whatever is done to sealed history behind the service's back is found and located, and an untouched log is well.

Each broken twin changes what is production's, and fails the same assertion."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec.structs import replace

from cli import sealing
from cli.keeper import heads
from cli.keeper.heads import Outside
from cli.keeper.retiring import retire
from cli.keeper.sealing import Anew, NotOurs, Sealing
from cli.operate import operate
from cli.verifying import acknowledge_loss, verify
from libs.eventkit.recorded import Retention
from libs.eventkit.service import App
from tests.eventkit.writers import append, patch_function
from tests.keeper.outside import is_anchored, outside_of
from tests.kit import until
from tests.toy.main import service

AppOf = Callable[..., Awaitable[App]]
Change = Callable[[asyncpg.Connection], Awaitable[Any]]


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    return await app_of(service())


@pytest.fixture(autouse=True)
async def outside(toy: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outside:
    monkeypatch.setenv("LIFANG_SEALS", str(tmp_path))
    found = await outside_of(toy, tmp_path)
    assert Outside.of(toy.settings) == found
    return found


def keeper_of(app: App) -> Sealing:
    return Sealing(app.service.name, app.database, app.wake, Outside.of(app.settings))


async def say(app: App, events: int, community: UUID | None = None) -> str:
    stream = f"account:{uuid4()}"
    data = '{"amount":1,"who":"张三 \\"x\\" \\u00e9"}'.encode()
    await app.log.append(append(community or uuid4(), stream=stream, events=events, data=data))
    return stream


async def sealed(app: App, *sizes: int) -> None:
    """Events in so many groups, each sealed and known outside before the next is said."""
    sealing_ = asyncio.create_task(keeper_of(app).run())
    try:
        for size in sizes:
            await say(app, size)
            await anchored(app)
    finally:
        sealing_.cancel()
        await asyncio.gather(sealing_, return_exceptions=True)


async def anchored(app: App) -> None:
    outside = Outside.of(app.settings)
    await until(lambda: is_anchored(app, outside))


async def behind_its_back(app: App, change: Change) -> None:
    owner = await asyncpg.connect(app.settings.database_url)
    try:
        await change(owner)
    finally:
        await owner.close()


async def all_is_well(app: App) -> dict[str, Any]:
    found = await verify(app, Outside.of(app.settings))
    assert found["findings"] == [], "I10: nobody touched the log"
    return found


async def is_found(app: App, position: int, what: str) -> None:
    found = await verify(app, Outside.of(app.settings))
    assert found["findings"], "I10: history was changed, and nothing was found"
    first = found["findings"][0]
    assert first["position"] <= position and first["what"] == what, f"I10: {first}"


def sql(*statements: str) -> Change:
    async def change(owner: asyncpg.Connection) -> None:
        for statement in statements:
            await owner.execute(statement)
    return change


async def recompute(owner: asyncpg.Connection) -> None:
    """What somebody does who knows how seals are made, and can write every table."""
    ends = [row["upto"] for row in await owner.fetch("select upto from seals order by n")]
    await owner.execute("delete from seals")
    for before, upto in zip((0, *ends), ends, strict=False):
        await owner.execute("select seal_log($1::int)", upto - before)


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
