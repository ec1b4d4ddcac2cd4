"""What a database that is not there looks like: waited for, and never taken for something that cannot be handled."""

import asyncpg
import pytest

from libs.eventkit.db import Unavailable, is_away


@pytest.mark.parametrize("error", [
    Unavailable(), OSError(), TimeoutError(), asyncpg.CannotConnectNowError(), asyncpg.TooManyConnectionsError(),
    asyncpg.ConnectionDoesNotExistError(), asyncpg.AdminShutdownError(),
    asyncpg.InternalClientError()], ids=lambda e: type(e).__name__)
def test_a_database_that_has_no_place_for_us_is_away(error: Exception):
    assert is_away(error)


@pytest.mark.parametrize(
    "error", [ValueError(), asyncpg.UniqueViolationError(), asyncpg.UndefinedTableError()], ids=lambda e: type(e).__name__)
def test_what_it_says_of_a_query_is_an_answer(error: Exception):
    assert not is_away(error)
