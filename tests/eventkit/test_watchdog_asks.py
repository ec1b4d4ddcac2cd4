"""What the watchdog finds when it asks the real broker and the real database."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit import db, watchdog
from libs.eventkit.service import App
from tests.eventkit.topics import chain, topic_of
from tests.kit import until
from tests.toy.main import ECHO

AppOf = Callable[..., Awaitable[App]]
LISTENER = replace(ECHO, reactions=lambda app: (), views=())


async def test_a_listener_that_fetches_nothing_more_is_behind_and_one_that_has_all_is_not(app_of: AppOf, community: UUID):
    echo = await app_of(LISTENER)
    pool, hearing = await echo.database.pool(), echo.hearing
    assert hearing is not None
    async with topic_of(echo.settings) as topic:
        echo.start_worker()
        await topic.put(*chain(community, [1, 2]))
        await until(lambda: pool.fetchval("select count(*) = 2 from events"))
        assert await watchdog.asked(echo, True) == (False, False)
        assert hearing._consumer is not None
        hearing._consumer.pause(*hearing._consumer.assignment())
        await topic.put(*chain(community, [1, 2, 3])[2:])
        assert await watchdog.asked(echo, True) == (False, True)
        assert await watchdog.asked(echo, False) == (False, False), "a process that only answers hears nothing"


async def test_a_new_generation_is_seen_and_who_is_away_is_said_to_be(app_of: AppOf):
    echo = await app_of(LISTENER)
    pool = await echo.database.pool()
    await pool.execute("update log_state set generation = 2")
    assert await watchdog.asked(echo, False) == (True, False)
    gone = App(LISTENER, echo.settings.model_copy(update={"kafka": "127.0.0.1:1"}))
    with pytest.raises(Exception, match="127"):
        await watchdog.asked(gone, True)
    await gone.close()
    away = App(LISTENER, echo.settings.model_copy(update={"database_url": "postgresql://echo_owner@127.0.0.1:1/x"}))
    with pytest.raises(db.AWAY):
        await watchdog.asked(away, False)
    await away.close()
