"""Users, rules and topics of a stack's Kafka, made what the table says: `python -m cli.stack.kafka_admin --state …`.

Run by the supervisor whenever Kafka has started; a rule that the table no longer has is taken away.
"""

import argparse
import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from cli.migrating.topics import wanted
from cli.place import Place
from cli.stack import kafka_wire, secrets
from cli.stack.kafka_rules import ADMIN, KEEPER, KEYS, SEALS, Rule, of_the_stack, topics
from cli.stack.ports import HOST, Kept
from libs.contracts.topics import TOPICS

PATIENCE = 60.0
KINDS = {"topic": 2, "group": 3}
PATTERNS = {False: 3, True: 4}
VERBS = {"read": 3, "write": 4}
ALLOW, EVERYWHERE, PRINCIPAL = 3, "*", "User:"
EXISTS = 36


class NotDone(Exception):
    """Kafka refused something; its own words."""


class Admin:
    """Asks Kafka as the stack's administrator."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def _ask(self, request: Any) -> dict[str, Any]:
        await self._client._client.force_metadata_update()
        answer: dict[str, Any] = (await self._client._send_request(request)).to_object()
        return answer

    async def set_passwords(self, passwords: dict[str, str], gone: Iterable[str] = ()) -> None:
        answer = await self._ask(kafka_wire.AlterScram(passwords, list(gone)))
        refuse(answer["results"], kafka_wire.UNKNOWN_USER)

    async def rules(self) -> set[Rule]:
        """Those that are in force, of all users."""
        answer = await self._ask(kafka_wire.EVERY_RULE)
        refuse([answer])
        return {rule for resource in answer["resources"] for acl in resource["acls"] if (rule := read(resource, acl))}

    async def change(self, add: set[Rule], drop: set[Rule]) -> None:
        if add:
            refuse((await self._ask(kafka_wire.AddRules([row(rule) for rule in add])))["creation_responses"])
        if drop:
            refuse((await self._ask(kafka_wire.DropRules([row(rule) for rule in drop])))["filter_responses"])

    async def make_topics(self, names: Iterable[str]) -> None:
        answer = (await self._client.create_topics(wanted(names, KEYS, SEALS))).to_object()
        refuse([each for each in answer["topic_errors"] if each["error_code"] != EXISTS])


def row(rule: Rule) -> tuple[Any, ...]:
    return (KINDS[rule.kind], rule.name, PATTERNS[rule.prefix], PRINCIPAL + rule.user, EVERYWHERE, VERBS[rule.verb], ALLOW)


def read(resource: dict[str, Any], acl: dict[str, Any]) -> Rule | None:
    """None for what is no rule of ours."""
    kinds, verbs = {v: k for k, v in KINDS.items()}, {v: k for k, v in VERBS.items()}
    kind, verb = kinds.get(resource["resource_type"]), verbs.get(acl["operation"])
    if kind is None or verb is None or acl["permission_type"] != ALLOW:
        return None
    prefix = resource["resource_pattern_type"] == PATTERNS[True]
    return Rule(acl["principal"].removeprefix(PRINCIPAL), verb, kind, resource["resource_name"], prefix)  # type: ignore[arg-type]


def refuse(answers: Iterable[dict[str, Any]], but: int = 0) -> None:
    for answer in answers:
        if answer["error_code"] not in (0, but):
            raise NotDone(f"error {answer['error_code']}: {answer.get('error_message')}")


@asynccontextmanager
async def asking(bootstrap: str, password: str, first: bool = False) -> AsyncIterator[Admin]:
    """`first`: by the password that is in Kafka's own settings, which works before there is any user. Raises KafkaError, OSError."""
    client = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap, client_id="lifang-stack", request_timeout_ms=10_000, security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN" if first else "SCRAM-SHA-512", sasl_plain_username=ADMIN, sasl_plain_password=password)
    try:
        await client.start()
        yield Admin(client)
    finally:
        await client.close()


def administering(place: Place, first: bool = False) -> AbstractAsyncContextManager[Admin]:
    """The same of a stack's Kafka."""
    return asking(f"{HOST}:{Kept.read(place).ports['kafka']}", secrets.read(place, f"kafka-{ADMIN}"), first)


async def provide_by(admin: Admin, secret: Callable[[str], str]) -> None:
    """All of it, as often as one likes. Raises KafkaError or NotDone."""
    bound, rules = (*TOPICS, KEEPER), of_the_stack()
    await admin.set_passwords({user: secret(f"kafka-{user}") for user in (*bound, ADMIN)})
    there = {rule for rule in await admin.rules() if rule.user in bound}
    await admin.change(rules - there, there - rules)
    await admin.make_topics(topics())


async def provide(place: Place) -> None:
    async with administering(place, first=True) as admin:
        await provide_by(admin, lambda name: secrets.read(place, name))
    place.provided.touch()


def patiently(work: Callable[[], Coroutine[Any, Any, None]], patience: float = PATIENCE) -> None:
    """Until Kafka takes it. Raises NotDone at once, KafkaError and OSError after so many seconds."""
    until = time.monotonic() + patience
    logging.disable()  # what fails is tried again, or raised
    while True:
        try:
            return asyncio.run(work())
        except (KafkaError, OSError):
            if time.monotonic() > until:
                raise
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    place = Place(parser.parse_args().state)
    patiently(lambda: provide(place))


if __name__ == "__main__":
    main()
