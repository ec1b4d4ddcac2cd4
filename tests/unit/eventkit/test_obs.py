"""What a client library says twenty times a second is logged once; what we say, always; and nothing that is said breaks the log."""

import logging

from libs.eventkit.obs import _Seldom


def record(name: str, message: object, at: float) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.WARNING, "", 0, message, None, None)
    made.created = at
    return made


def test_the_same_text_of_the_client_passes_once_in_ten_seconds() -> None:
    seldom = _Seldom()
    assert [seldom(record("aiokafka.cluster", "no broker", at)) for at in (0.0, 1.0, 9.9, 10.0, 10.1)] == [True, False, False, True, False]
    assert seldom(record("aiokafka.cluster", "another text", 1.0))


def test_what_others_say_always_passes() -> None:
    seldom = _Seldom()
    assert all(seldom(record("libs.eventkit.relay", "again", at)) for at in (0.0, 0.1, 0.2))


def test_a_message_that_is_no_text_passes_too() -> None:
    seldom = _Seldom()
    assert seldom(record("aiokafka", ["unhashable"], 0.0)) and not seldom(record("aiokafka", ["unhashable"], 1.0))
