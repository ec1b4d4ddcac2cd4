"""`lifang subscriber add NAME [--topics TOPIC …] | list | remove NAME`: who outside may read the open topics, and no others."""

import argparse
import asyncio
import os
import secrets as random
from pathlib import Path
from typing import Any

from cli import screen
from cli.place import HERE, Place
from cli.stack import secrets
from cli.stack.kafka_rules import ADMIN, KEEPER, OPEN, Rule, of_subscriber
from cli.stack.ports import HOST, Kept
from libs.contracts.topics import TOPICS


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="a user with a password of its own; once more: other topics, the same password")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--topics", nargs="+", default=[], metavar="TOPIC", help=f"some only, each beginning with {OPEN}")
    actions.add_parser("list", help="all of them, and what each may read")
    remove = actions.add_parser("remove", help="the user, its password and what it was allowed")
    remove.add_argument("name", metavar="NAME")
    for action in (add, remove, actions.choices["list"]):
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer for programs")


def run(options: argparse.Namespace) -> int:
    if "kafka" not in Kept.read(HERE).ports:
        screen.stop("Nothing has been started here. Type: lifang up")
    from aiokafka.errors import KafkaError

    from cli.stack.kafka_admin import NotDone

    try:
        found = asyncio.run(act(HERE, options))
    except ValueError as error:
        screen.stop(str(error), 2)
    except (KafkaError, NotDone, OSError) as error:
        screen.stop(f"Kafka does not do it: {error}. Type: lifang status")
    if options.json:
        screen.answer(found)
    else:
        for one in found:
            reads = " ".join(one["topics"]) or "nothing"
            print(f"{one['name']:<20} reads {reads}   groups {one['groups']}   password in {one['password_file']}")
    return 0


async def act(place: Place, options: argparse.Namespace) -> list[dict[str, Any]]:
    if options.action == "add":
        return [await add(place, options.name, options.topics)]
    if options.action == "remove":
        await remove(place, options.name)
    return await listed(place)


async def add(place: Place, name: str, topics: list[str]) -> dict[str, Any]:
    """What it may read from now on, and no more. Raises ValueError for a name or topic that cannot be."""
    from cli.stack.kafka_admin import administering

    wanted = of_subscriber(name, topics)
    secrets.write(place, f"kafka-{name}", random.token_urlsafe(24))
    async with administering(place) as admin:
        there = {rule for rule in await admin.rules() if rule.user == name}
        await admin.change(wanted - there, there - wanted)
        await admin.set_passwords({name: secrets.read(place, f"kafka-{name}")})
    return shown(place, name, wanted)


async def remove(place: Place, name: str) -> None:
    """Its rules first: a connection that it has open reads nothing more from then on. Raises ValueError where it is none."""
    from cli.stack.kafka_admin import administering

    of_subscriber(name)
    async with administering(place) as admin:
        await admin.change(set(), {rule for rule in await admin.rules() if rule.user == name})
        await admin.set_passwords({}, [name])
    (place.secrets / f"kafka-{name}").unlink(missing_ok=True)


async def listed(place: Place) -> list[dict[str, Any]]:
    from cli.stack.kafka_admin import administering

    async with administering(place) as admin:
        rules = {rule for rule in await admin.rules() if rule.user not in (*TOPICS, ADMIN, KEEPER)}
    return [shown(place, name, {rule for rule in rules if rule.user == name}) for name in sorted({rule.user for rule in rules})]


def shown(place: Place, name: str, rules: set[Rule]) -> dict[str, Any]:
    named = sorted(rule.name + "*" * rule.prefix for rule in rules if rule.kind == "topic")
    return {
        "name": name, "topics": named, "groups": f"{name}.*", "bootstrap": f"{HOST}:{Kept.read(place).ports['kafka']}",
        "protocol": "SASL_PLAINTEXT", "mechanism": "SCRAM-SHA-512",
        "password_file": str(Path(os.path.relpath(place.secrets / f"kafka-{name}")))}
