"""`lifang parked list|retry|skip [SERVICE]`: of one service, or `list` and `retry` of all."""

import argparse
import json

from cli import operation, screen
from cli.stack import services


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "retry", "skip"))
    parser.add_argument("service", nargs="?", choices=services.names(), metavar="SERVICE")
    parser.add_argument("--key", help="retry only this one")
    parser.add_argument("--event", metavar="ID", help="the one to skip")
    parser.add_argument("--reason", metavar="TEXT", help="why it is skipped")


def run(options: argparse.Namespace) -> int:
    if options.action == "skip" and not (options.service and options.event and options.reason):
        screen.stop("Skipping loses something: lifang parked skip SERVICE --event ID --reason TEXT", 2)
    given = {"--key": options.key, "--event": options.event, "--reason": options.reason}
    words = [word for name, value in given.items() if value for word in (name, value)]
    if options.service is not None:
        return operation.pass_through(options.service, "parked", options.action, *words)
    running = {name: operation.start(name, "parked", options.action, *words) for name in services.names()}
    answers = {name: process.communicate()[0] for name, process in running.items()}
    if any(process.returncode for process in running.values()):
        return 1
    screen.answer({name: json.loads(answer) for name, answer in answers.items()})
    return 0
