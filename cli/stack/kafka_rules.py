"""Who may do what on Kafka, as one table: what the contracts say each service publishes and hears, and no more."""

import re
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from libs.contracts.topics import HEARS, TOPICS

ADMIN = "admin"
"""The stack's own user, whom no rule binds."""
KEEPER = "keeper"
"""Who takes the heads of the seals outside."""
PREFIX = "lifang"
KEYS, SEALS = f"{PREFIX}.keys.v1", f"{PREFIX}.seals.v1"
OPEN = "gov."
"""What begins so is for others outside."""
NAME = re.compile(r"[a-z][a-z0-9-]{1,40}")


class Rule(Struct, frozen=True):
    """Allows; whatever no rule allows is denied. `prefix`: it is about every name that begins so."""

    user: str
    verb: Literal["read", "write"]
    kind: Literal["topic", "group"]
    name: str
    prefix: bool = False


def topic_of(service: str) -> str:
    name = TOPICS[service]
    return f"{name}.v1" if "." in name else f"{PREFIX}.{name}.v1"


def topics() -> list[str]:
    return [*map(topic_of, TOPICS), KEYS, SEALS]


def of_service(service: str) -> Iterable[Rule]:
    """Its own topic also to read: its relay looks at what it said last. Keys are everybody's."""
    own = topic_of(service)
    for topic in (own, KEYS):
        yield Rule(service, "write", "topic", topic)
    for topic in (own, KEYS, *map(topic_of, HEARS[service])):
        yield Rule(service, "read", "topic", topic)
    yield Rule(service, "read", "group", f"{PREFIX}.{service}.", prefix=True)


def of_the_stack() -> set[Rule]:
    """Of the services and the keeper, which alone knows the seals."""
    keeping = {Rule(KEEPER, "write", "topic", SEALS), Rule(KEEPER, "read", "topic", SEALS)}
    return keeping | {rule for service in TOPICS for rule in of_service(service)}


def of_subscriber(name: str, only: Iterable[str] = ()) -> set[Rule]:
    """Every open topic, or the named ones; consumer groups that begin with its name. Raises ValueError."""
    if not NAME.fullmatch(name) or name in (*TOPICS, KEEPER, ADMIN):
        raise ValueError(f"{name} is no name for a subscriber: small letters, digits and dashes, and nobody's yet")
    if closed := [topic for topic in only if not topic.startswith(OPEN)]:
        raise ValueError(f"not open to subscribers: {', '.join(closed)}")
    named = {Rule(name, "read", "topic", topic) for topic in only}
    return (named or {Rule(name, "read", "topic", OPEN, prefix=True)}) | {Rule(name, "read", "group", f"{name}.", prefix=True)}
