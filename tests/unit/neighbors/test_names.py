"""The name under which somebody is registered: what is raised while its key is on its way."""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest

from libs.contracts.fields import SealedField
from libs.contracts.identity import ResidentRegistered
from libs.eventkit.db import Unavailable
from libs.eventkit.decider import NotYet
from libs.eventkit.privacy import Erased, Pending
from services.neighbors.names import own_name
from tests.kit import PartOfApp
from tests.unit.neighbors.test_book import ANN, HERE, book_of


async def test_a_name_is_waited_for_and_nothing_is_put_aside_while_the_keys_are_read_that_came_before_this_process():
    book, found = book_of(ResidentRegistered(ANN, SealedField(uuid4(), uuid4(), "name", "box"))), [Pending()]

    async def opened(sealed):
        return found[0]

    app = PartOfApp(keyring=SimpleNamespace(open=opened))
    for reading, raised in ((None, NotYet), (asyncio.Event(), Unavailable)):
        app.keys_heard = reading
        with pytest.raises(raised):
            await own_name(app, book, HERE, ANN)
    app.keys_heard.set()
    with pytest.raises(NotYet):
        await own_name(app, book, HERE, ANN)
    for opens, name in (("王安然".encode(), "王安然"), (Erased(), "")):
        found[0] = opens
        assert await own_name(app, book, HERE, ANN) == name
