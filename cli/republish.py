"""`lifang republish SERVICE`, or `--all` of them, as after Kafka's files were lost"""

import argparse
import json

from cli import operation, screen
from cli.stack import services


def arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("service", nargs="?", choices=services.names(), metavar="SERVICE", help=" ".join(services.names()))
    which.add_argument("--all", action="store_true", help="every service")


def run(options: argparse.Namespace) -> int:
    if not options.all:
        return operation.pass_through(options.service, "republish")
    running = {name: operation.start(name, "republish") for name in services.names()}
    answers = {name: process.communicate()[0] for name, process in running.items()}
    if failed := [name for name, process in running.items() if process.returncode]:
        screen.stop(f"Not republished: {', '.join(failed)}")
    screen.answer({name: json.loads(answer) for name, answer in answers.items()})
    return 0
