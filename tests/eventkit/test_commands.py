"""Commands on a real log: what a caller hears the first time, again, too late, and beside others."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from libs.eventkit.commands import Commands, Context, KeyReused, VersionMismatch
from libs.eventkit.db import Database
from libs.eventkit.decider import NotFound, NotYet, Refused
from libs.eventkit.log import Key, Log
from libs.eventkit.service import App
from tests.faults.proxy import proxy_to
from tests.kit import everything
from tests.toy.accounts import ACCOUNTS, Add, Name, Note, Unname
from tests.toy.main import TOY
from tests.toy.public import publish

AppOf = Callable[..., Awaitable[App]]


@pytest.fixture
async def toy(app_of: AppOf) -> App:
    return await app_of(TOY)


def key(text: str = "k", body: str = "") -> Key:
    return Key("p", "r", text, body)


@pytest.fixture
def context(community: UUID) -> Context:
    return Context(community_id=community, now=datetime.now(UTC))


async def types(app: App) -> list[str]:
    return [row.type for row in await everything(await app.database.pool())]


def as_another_process(app: App, database: Database | None = None) -> Commands:
    """The same service in a process that remembers nothing of this one."""
    return Commands(Log(database or app.database), app.catalogue, TOY.deciders, publish)


async def test_a_command_is_stored_and_answered(toy: App, context: Context):
    subject = uuid4()
    done = await toy.commands.handle(subject, Add(5, twice=True), context)
    assert (done.outcome.stream, done.outcome.version, done.outcome.position) == (f"account:{subject}", 2, 2)
    assert await types(toy) == ["added", "added"]
    assert str(done.outcome.published(1)) == "1.2.0"


async def test_what_a_command_said_is_known_also_to_whoever_repeats_it(toy: App, context: Context):
    subject = uuid4()
    done = await toy.commands.handle(subject, Add(5, twice=True), context, key=key())
    again = await as_another_process(toy).handle(subject, Add(5, twice=True), context, key=key())
    stored = [toy.catalogue.read(row) for row in await everything(await toy.database.pool())]
    assert len(stored) == 2 and list(done.said) == stored and not again.said
    assert await toy.commands.said(done) == await toy.commands.said(again) == stored
    assert await toy.commands.said(await toy.commands.handle(subject, Add(0), context)) == []


async def test_of_a_command_that_is_run_again_what_it_said_first_counts(toy: App, context: Context):
    """As a reaction after a crash: its ids are the same, what it decides need not be."""
    rerun, subject = replace(context, cause=uuid4()), uuid4()
    await toy.commands.handle(subject, Add(5), rerun)
    again = await as_another_process(toy).handle(uuid4(), Add(7), rerun)
    assert [event.amount for event in await toy.commands.said(again)] == [5]


async def test_nothing_to_say_stores_nothing(toy: App, context: Context):
    done = await toy.commands.handle(uuid4(), Add(0), context)
    assert done.outcome.events == () and done.outcome.published(1) is None
    assert await types(toy) == []


async def test_the_same_key_gets_the_same_answer(toy: App, context: Context):
    subject = uuid4()
    first = await toy.commands.handle(subject, Add(5), context, key=key())
    for commands in (toy.commands, as_another_process(toy)):
        again = await commands.handle(subject, Add(5), context, key=key())
        assert again.replayed and again.outcome == first.outcome
    assert await types(toy) == ["added"]


async def test_a_command_that_said_nothing_says_nothing_again(toy: App, context: Context):
    subject = uuid4()
    await toy.commands.handle(subject, Unname(), context, key=key())
    await toy.commands.handle(subject, Name("tang"), context)
    again = await toy.commands.handle(subject, Unname(), context, key=key())
    assert again.replayed and await types(toy) == ["named"]


async def test_the_same_key_with_another_body_is_refused(toy: App, context: Context):
    subject = uuid4()
    await toy.commands.handle(subject, Add(5), context, key=key(body="a"))
    for commands in (toy.commands, as_another_process(toy)):
        with pytest.raises(KeyReused):
            await commands.handle(subject, Add(6), context, key=key(body="b"))
    with pytest.raises(KeyReused):
        await toy.commands.handle(uuid4(), Add(6), context, key=key(body="b"))
    assert await types(toy) == ["added"]


async def test_what_is_said_to_be_new_is_decided_once_whoever_repeats_it(toy: App, context: Context):
    subject = uuid4()
    first = await toy.commands.handle(subject, Add(5), context, key=key(), new=True)
    for commands in (toy.commands, as_another_process(toy)):
        again = await commands.handle(subject, Add(5), context, key=key(), new=True)
        assert again.replayed and again.outcome == first.outcome
        with pytest.raises(KeyReused):
            await commands.handle(subject, Add(5), context, key=replace(key(), body_hash="other"), new=True)
    assert await types(toy) == ["added"]


async def test_what_is_said_to_be_new_and_is_not_is_decided_on_what_is(toy: App, context: Context):
    """The log finds out: what was decided on nothing is not stored."""
    subject = uuid4()
    await toy.commands.handle(subject, Add(5), context)
    for commands in (toy.commands, as_another_process(toy)):
        await commands.handle(subject, Add(2, twice=True), context, new=True)
    state, version = await toy.commands.state(ACCOUNTS, subject, context.community_id)
    assert (state.total, version) == (13, 5)


async def test_a_refusal_stays_one_though_the_reason_is_gone(toy: App, context: Context):
    subject = uuid4()
    with pytest.raises(Refused):
        await toy.commands.handle(subject, Add(-5), context, key=key())
    await toy.commands.handle(subject, Add(9), context)
    for commands in (toy.commands, as_another_process(toy)):
        with pytest.raises(Refused) as refused:
            await commands.handle(subject, Add(-5), context, key=key())
        assert (refused.value.code, refused.value.facts) == ("negative", {"total": 0})
    await toy.commands.handle(subject, Add(-5), context, key=key("another"))
    assert await types(toy) == ["added", "added"]


@pytest.mark.parametrize("error", [NotYet, VersionMismatch, NotFound])
async def test_what_is_no_decision_leaves_the_key_free(toy: App, context: Context, error: type[Exception]):
    subject, command, more = uuid4(), Note(uuid4(), 404 if error is NotYet else 1), dict[str, Any]()
    if error is VersionMismatch:
        more["expected"] = 7
    if error is NotFound:
        await toy.commands.handle(subject, Add(1), replace(context, community_id=uuid4()))
    with pytest.raises(error):
        await toy.commands.handle(subject, command, context, key=key(), **more)
    assert not (await toy.commands.handle(uuid4(), Add(1), context, key=key())).replayed


async def test_fifty_at_once_with_one_key_decide_once(toy: App, context: Context):
    subject = uuid4()
    processes = [toy.commands, as_another_process(toy), as_another_process(toy)]
    done = await asyncio.gather(*(processes[n % 3].handle(subject, Add(5), context, key=key()) for n in range(50)))
    assert len({d.outcome.position for d in done}) == 1 and await types(toy) == ["added"]
    assert [d.replayed for d in done].count(False) == 1


async def test_fifty_at_once_on_one_thing_each_decide_on_what_is(toy: App, context: Context):
    """Nine are there to be taken; whoever decides on an old sum would take a tenth."""
    subject = uuid4()
    await toy.commands.handle(subject, Add(9), context)
    processes = [toy.commands, as_another_process(toy)]
    done = await asyncio.gather(
        *(processes[n % 2].handle(subject, Add(-1), context, key=key(str(n))) for n in range(50)), return_exceptions=True)
    assert sum(isinstance(d, Refused) for d in done) == 41, done
    assert await types(toy) == ["added"] * 10


# what another process has done meanwhile


async def test_a_caller_who_saw_the_newest_version_is_believed(toy: App, context: Context):
    subject, other = uuid4(), as_another_process(toy)
    await toy.commands.handle(subject, Add(1), context)
    assert (await other.handle(subject, Add(1), context, expected=1)).outcome.version == 2
    assert (await toy.commands.handle(subject, Add(1), context, expected=2)).outcome.version == 3
    with pytest.raises(VersionMismatch):
        await other.handle(subject, Add(1), context, expected=2)


async def test_no_decision_rests_on_what_another_process_has_changed(toy: App, context: Context):
    subject, other = uuid4(), as_another_process(toy)
    await toy.commands.handle(subject, Name("tang"), context)
    await other.handle(subject, Name("song"), context)
    await toy.commands.handle(subject, Name("tang"), context)
    assert (await other.state(ACCOUNTS, subject, context.community_id))[0].name == "tang"
    assert await types(toy) == ["named", "unnamed", "named", "unnamed", "named"]


async def test_a_name_is_refused_while_another_has_it(toy: App, context: Context):
    mine, theirs = uuid4(), uuid4()
    await toy.commands.handle(mine, Name("tang"), context)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            await toy.commands.handle(theirs, Name("tang"), context, key=key())
        assert refused.value.code == "name_taken"
    await toy.commands.handle(mine, Unname(), context)
    await toy.commands.handle(theirs, Name("tang"), context)


async def test_a_thing_of_another_community_is_not_there(toy: App, context: Context):
    subject = uuid4()
    await toy.commands.handle(subject, Add(1), context)
    for commands in (toy.commands, as_another_process(toy)):
        with pytest.raises(NotFound):
            await commands.handle(subject, Add(1), replace(context, community_id=uuid4()))


# the answer gets lost


@pytest.mark.parametrize("with_key", [True, False])
async def test_a_reply_lost_after_the_commit_makes_one_event(toy: App, context: Context, with_key: bool):
    async with proxy_to(toy.settings.database_url) as (proxy, url):
        database = Database(toy.settings.model_copy(update={"database_url": url}))
        commands, subject = as_another_process(toy, database), uuid4()
        await commands.handle(uuid4(), Add(1), context)
        proxy.drop_reply = lambda data: b"SELECT 1\0" in data and b"ok" in data
        done = await commands.handle(subject, Add(5), context, key=key() if with_key else None)
        assert proxy.dropped.is_set()
        assert done.outcome.position == 2 and len(await types(toy)) == 2
        assert (await commands.handle(subject, Add(2), context)).outcome.version == 2
        await database.close()


async def test_a_lost_reply_gives_each_command_of_the_batch_its_own_answer(toy: App, context: Context):
    async with proxy_to(toy.settings.database_url) as (proxy, url):
        database = Database(toy.settings.model_copy(update={"database_url": url}))
        commands, poor = as_another_process(toy, database), uuid4()
        await commands.handle(uuid4(), Add(1), context)
        proxy.drop_reply = lambda data: b"SELECT" in data and b"ok" in data
        asked = [commands.handle(uuid4(), Add(n, twice=True), context, key=key(str(n))) for n in range(1, 20)]
        *done, refused = await asyncio.gather(
            *asked, commands.handle(poor, Add(-1), context, key=key("poor")), return_exceptions=True)
        assert proxy.dropped.is_set() and isinstance(refused, Refused)
        positions = [d.outcome.position for d in done if not isinstance(d, BaseException)]
        assert sorted(positions) == list(range(3, 41, 2))
        rows = await everything(await toy.database.pool())
        assert [rows[d.outcome.position - 1].event_id for d in done] == [d.outcome.events[-1] for d in done]  # type: ignore[union-attr]
        await database.close()
