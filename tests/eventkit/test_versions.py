"""Code of version N and of N+1 side by side, on topics and on one database; and back by one."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import Struct, json
from msgspec.structs import replace

from cli.migrating.database import migrate_for
from cli.waiting import retried
from libs.eventkit import problems, views
from libs.eventkit.commands import Context, Public
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded, UnknownVersion
from libs.eventkit.service import App
from libs.eventkit.views import Rows, View
from tests.eventkit.topics import Message, chain, is_chained, topic_of
from tests.eventkit.writers import append
from tests.kit import caught_up, everything, folded, held, until
from tests.toy import accounts, sums
from tests.toy.accounts import Add, Note
from tests.toy.main import ECHO, service
from tests.toy.public import ToyAdded, publish

AppOf = Callable[..., Awaitable[App]]


class NewToyAdded(Struct, frozen=True, tag="toy.added"):
    """Version 2: `sum` was called `amount`."""

    VERSION = 2
    account_id: UUID
    sum: int


async def new_note(event: NewToyAdded, row: Recorded) -> list[Do]:
    return [Do("note", event.account_id, Note(row.event_id, event.sum))]


OLD = replace(ECHO, views=())
NEW = replace(
    ECHO, views=(), contracts=(NewToyAdded,), reactions=lambda app: (Reaction("notes", on={NewToyAdded: new_note}),),
    upcasts={("toy.added", 1): lambda body: {"account_id": body["account_id"], "sum": body["amount"]}})


async def noted(app: App, community: UUID) -> list[int]:
    pool = await app.database.pool()
    return [int(r[0]) for r in await pool.fetch(
        "select data->>'amount' from events where type = 'noted' and community_id = $1 order by position", community)]


async def does(app: App, community: UUID, *amounts: int) -> None:
    async def done() -> bool:
        return await noted(app, community) == list(amounts)

    await until(done)


def as_of(message: Message, version: int, **body: Any) -> Message:
    known = json.decode(message.body or b"{}")
    return replace(message.having(ce_lifangschema=str(version).encode()), body=json.encode({**known, **body}))


# own events of a newer writer


class Painted(Struct, frozen=True, tag="painted"):
    colour: str


async def test_an_old_relay_waits_before_what_a_newer_writer_said_and_the_newer_one_tells_it(app_of: AppOf, community: UUID):
    """To pass over it would be for good: the next event's chain goes over it, and whoever hears it later takes it for known."""
    tells = replace(service(), reactions=lambda app: (), readers=lambda app: (), timers=lambda app: (), views=())
    old = await app_of(tells)
    newer = await app_of(replace(tells, events=(*tells.events, Painted), publish=lambda event, row: (
        Public(ToyAdded(row.event_id, 5)),) if isinstance(event, Painted) else publish(event, row)), beside=old)
    await old.log.append(append(community, data=b'{"amount":1}'))
    await old.log.append(append(community, type="painted", data=b'{"colour":"red"}'))
    await old.log.append(append(community, data=b'{"amount":2}'))
    old.start_relay()
    await until(lambda: "UnknownVersion" in old.supervisor.failing.get("relay", ""))
    await old.supervisor.stop()
    async with topic_of(old.settings) as topic:
        assert await topic.heard() == [], "of a batch all is told, or nothing"
        newer.start_relay()
        await caught_up(await newer.database.pool(), "relay")
        found = await topic.heard()
    assert is_chained(found) and [h.number.position for h in found] == [1, 2, 3]


async def test_old_code_decides_nothing_on_a_stream_that_a_newer_writer_has_been_to(app_of: AppOf, community: UUID):
    old, account = await app_of(ECHO), uuid4()
    context = Context(community_id=community, now=datetime.now(UTC))
    await old.commands.handle(account, Add(1), context)
    await old.log.append(append(community, stream=f"account:{account}", expected=1, type="painted", data=b'{"colour":"red"}'))
    with pytest.raises(UnknownVersion):
        await old.commands.handle(account, Add(1), context)
    assert (await old.commands.handle(uuid4(), Add(1), context)).outcome.version == 1


# a listener and what it hears


async def test_an_old_listener_passes_over_new_types_and_fields_and_waits_with_new_versions(app_of: AppOf, community: UUID):
    old, other = await app_of(OLD), uuid4()
    pool = await old.database.pool()
    async with topic_of(old.settings) as topic:
        old.start_worker()
        first, second, third, fourth = chain(community, [1, 2, 3, 4])
        await topic.put(
            replace(first.having(ce_type=b"toy.painted"), body=b'{"colour":"red"}'), as_of(second, 1, colour="red"),
            as_of(third, 2, sum=1), fourth, *chain(other, [5]))
        await does(old, community, 1, 1)
        await does(old, other, 1)
        assert old.hearing is not None
        assert (old.hearing.counts["taken"], old.hearing.counts["unknown"]) == (5, 1)
        parked = await pool.fetch("select position, reason from parked")
        assert [r["reason"] for r in parked] == ["UnknownVersion: toy.added version 2, known up to 1"]
        assert len([r for r in await everything(pool) if r.source]) == 5, "what it does not know it keeps all the same"


async def test_a_new_listener_reads_old_events_and_what_the_old_one_had_parked(app_of: AppOf, community: UUID):
    """Version by version, in one topic that both kinds of writers have written to."""
    old = await app_of(OLD)
    pool = await old.database.pool()
    async with topic_of(old.settings) as topic:
        first, second, third = chain(community, [1, 2, 3])
        old.start_worker()
        await topic.put(first, as_of(second, 2, sum=7), third)
        await until(lambda: pool.fetchval("select count(*) = 1 from parked"))
        await old.supervisor.stop()
        new = await app_of(NEW, beside=old)
        new.start_worker()
        await topic.put(as_of(chain(community, [3, 4])[1], 2, sum=9))
        await until(lambda: _len(noted(new, community), 3))
        await retried(new, None)
        assert sorted(await noted(new, community)) == [1, 1, 7, 9]
        assert await pool.fetchval("select count(*) from parked") == 0


async def _len(found: Awaitable[list[int]], wanted: int) -> bool:
    return len(await found) == wanted


# two processes on one database


def doubled(rows: Rows, event: Any, row: Recorded) -> None:
    sums.project(rows, replace(event, amount=event.amount * 2) if isinstance(event, accounts.Added) else event, row)


OLD_TOY = replace(service(), readers=lambda app: ())
NEW_TOY = replace(OLD_TOY, views=(View(table=sums.SUMS, project=doubled, reads=sums.reads, version=2),))
CATALOGUE = OLD_TOY.catalogue()


async def add(app: App, community: UUID, times: int = 1) -> None:
    for _ in range(times):
        await app.log.append(append(community))


async def migrated(app: App, service_: Any) -> App:
    """The new code's `migrate`, while the old process works."""
    new = App(service_, app.settings)
    await migrate_for(new)
    return new


async def a_newer_view_is_folded_by_its_own_code_alone(
    app_of: AppOf, community: UUID, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, from_the_beginning = views.take, list[int]()

    async def take(database: Any, catalogue: Any, taken: Any, rows: Any, position: int, *work: Any) -> None:
        try:
            await real(database, catalogue, taken, rows, position, *work)
        finally:
            from_the_beginning.extend([rows[-1].position] * (position == 0))

    monkeypatch.setattr(views, "take", take)
    old = await app_of(OLD_TOY)
    pool = await old.database.pool()
    old.start_worker()
    await add(old, community, before)
    await caught_up(pool, "sums")
    new = await migrated(old, NEW_TOY)
    await add(old, community, 3)
    await until(lambda: max(from_the_beginning, default=0) > before)
    new_view = new.service.views[0]
    assert await held(pool, new_view) == {}, "the old process still writes it"
    await old.supervisor.stop()
    await new.open()
    new.start_worker()
    await caught_up(pool, "sums")
    assert await held(pool, new_view) == folded(new_view, CATALOGUE, await everything(pool))
    await new.close()


@pytest.mark.parametrize("before", [0, 4])
async def test_a_view_of_a_new_version_is_not_written_by_the_process_of_the_old_one(
    app_of: AppOf, community: UUID, before: int, monkeypatch: pytest.MonkeyPatch
):
    await a_newer_view_is_folded_by_its_own_code_alone(app_of, community, before, monkeypatch)


async def test_a_view_that_a_newer_code_has_folded_some_of_is_not_gone_on_with_by_the_older_one(
    app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    """The lease of the views goes back to it: its worker is the one that is left."""
    old = await app_of(OLD_TOY)
    pool = await old.database.pool()
    await add(old, community, 2)
    new = await migrated(old, NEW_TOY)
    await new.open()
    new.start_worker()
    await caught_up(pool, "sums")
    await new.supervisor.stop()
    new_view, real, refused = NEW_TOY.views[0], views.take, list[bool]()

    async def take(*what: Any) -> None:
        try:
            await real(*what)
        except views.Superseded:
            refused.append(True)
            raise

    monkeypatch.setattr(views, "take", take)
    before = await held(pool, new_view)
    old.start_worker()
    await add(old, community, 3)
    await until(lambda: len(refused) > 1)
    assert await held(pool, new_view) == before and await pool.fetchval("select position from checkpoints where name = 'sums'") == 2
    await old.supervisor.stop()
    new.start_worker()
    await caught_up(pool, "sums")
    assert await held(pool, new_view) == folded(new_view, CATALOGUE, await everything(pool))
    await new.close()


async def test_twin_that_folds_whatever_table_is_there_is_caught(app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch):
    real = views.take

    async def take(database: Any, catalogue: Any, taken: Any, rows: Any, position: int, *work: Any) -> None:
        comment = await (await database.pool()).fetchval("select obj_description('sums'::regclass)")
        with monkeypatch.context() as patch:
            patch.setattr(View, "shape", property(lambda self: (comment, "")))
            await real(database, catalogue, taken, rows, position, *work)

    monkeypatch.setattr(views, "take", take)
    with pytest.raises(AssertionError):
        await a_newer_view_is_folded_by_its_own_code_alone(app_of, community, 4, monkeypatch)


async def test_an_older_code_starts_on_a_log_that_a_newer_one_has_migrated(app_of: AppOf, community: UUID):
    """Back by one: what the newer one has added stays; its view is folded anew as the older one means it."""
    old = await app_of(OLD_TOY)
    pool = await old.database.pool()
    await add(old, community, 2)
    owner = await asyncpg.connect(old.settings.database_url)
    await (await migrated(old, NEW_TOY)).close()
    await owner.execute("update log_version set version_num = '9999'; alter table events add column added_later text")
    definition = (await owner.fetchval("select pg_get_viewdef('state_of_the_log')")).rstrip(";")
    await owner.execute(f"create or replace view state_of_the_log as select s.*, 1 as added_later from ({definition}) s")
    await owner.close()
    again = App(OLD_TOY, old.settings)
    assert await migrate_for(again)
    await again.open()
    again.start_worker()
    await add(again, community)
    await caught_up(pool, "sums")
    view = OLD_TOY.views[0]
    assert await held(pool, view) == folded(view, CATALOGUE, await everything(pool))
    assert await pool.fetchval("select added_later from state_of_the_log") == 1, "what the newer code needs is still there"
    await again.close()


async def test_a_command_on_a_stream_that_a_newer_code_has_written_waits_for_it_and_others_do_not(app_of: AppOf, community: UUID):
    old, stream = await app_of(OLD_TOY), uuid4()
    await old.log.append(append(community, stream=f"account:{stream}", schema=2))
    with pytest.raises(UnknownVersion) as unknown:
        await old.commands.state(accounts.ACCOUNTS, stream, community)
    answer = problems.translate(unknown.value)
    assert answer.status_code == 503 and json.decode(answer.body)["code"] == "not_ready"
    state, version = await old.commands.state(accounts.ACCOUNTS, uuid4(), community)
    assert (state.total, version) == (0, 0)


def test_what_a_table_has_no_more_is_no_error_of_ours():
    assert problems.translate(asyncpg.UndefinedColumnError("x")).status_code == 503
