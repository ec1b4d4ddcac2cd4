"""What a database that is not there looks like: waited for, and never taken for something that cannot be handled."""

import asyncpg
import pytest

from libs.eventkit.db import Unavailable, is_away
from libs.eventkit.problems import translate


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


@pytest.mark.parametrize(("error", "status", "code"), [
    (Unavailable(), 503, b"unavailable"), (asyncpg.InternalClientError(), 503, b"unavailable"),
    (asyncpg.QueryCanceledError(), 503, b"unavailable"), (asyncpg.UniqueViolationError(), 500, b"internal")],
    ids=lambda value: type(value).__name__)
def test_who_asks_hears_whether_to_ask_again(error: Exception, status: int, code: bytes):
    answer = translate(error)
    assert answer.status_code == status and b'"code":"%s"' % code in answer.body
    assert ("retry-after" in answer.headers) is (status == 503)


def test_a_query_that_took_too_long_is_an_answer_to_whoever_reads_the_log():
    assert not is_away(asyncpg.QueryCanceledError()), "a reaction that waited for it would keep all others waiting"
