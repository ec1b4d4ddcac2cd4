"""`lifang parked list|show|retry|skip [SERVICE]`: of one service, or of all where nothing is lost by that."""

import argparse
import getpass
import json
from typing import Any

from cli import operation, screen
from cli.stack import services


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "show", "retry", "skip"))
    parser.add_argument("service", nargs="?", choices=services.names(), metavar="SERVICE")
    parser.add_argument("--key", help="show, or retry only, this one")
    parser.add_argument("--subscription", metavar="NAME", help="of this reaction only; skip: where the event waits under several")
    parser.add_argument("--event", metavar="ID", help="the one to skip")
    parser.add_argument("--reason", metavar="TEXT", help="why it is skipped; it is kept for ever, so without names")


def run(options: argparse.Namespace) -> int:
    if options.action == "skip" and not (options.service and options.event and options.reason):
        screen.stop("Skipping loses something: lifang parked skip SERVICE --event ID --reason TEXT", 2)
    if options.action == "skip" and options.key:
        screen.stop("One event is skipped at a time, and those behind it wait until they are tried again: without --key", 2)
    if options.action == "show" and not options.key:
        screen.stop("Which key? lifang parked list tells: lifang parked show [SERVICE] --key KEY", 2)
    given = {"--key": options.key, "--event": options.event, "--reason": options.reason, "--subscription": options.subscription}
    words = [word for name, value in given.items() if value for word in (name, value)]
    words += ["--by", f"operator:{getpass.getuser()}"] if options.action == "skip" else []
    names = [options.service] if options.service else services.names()
    running = {name: operation.start(name, "parked", options.action, *words) for name in names}
    answers = {name: process.communicate()[0] for name, process in running.items()}
    if any(process.returncode for process in running.values()):
        return 1
    found = {name: json.loads(answer) for name, answer in answers.items()}
    if options.json or options.action in ("retry", "skip"):
        screen.answer(found[options.service] if options.service else found)
    elif options.action == "list":
        listed(found)
    else:
        shown(found)
    return 0


def listed(found: dict[str, Any]) -> None:
    lines = [(name, one) for name, answer in found.items() for one in answer["parked"]]
    for name, one in lines:
        print(f"{name} {one['subscription']}  {one['key']}\n    since {one['since']}  {one['reason']}  event {one['first']},"
              f" {one['behind']} behind it")
    print(f"{len(lines)} keys wait: lifang parked show SERVICE --key KEY" if lines else "Nothing is parked.")


def shown(found: dict[str, Any]) -> None:
    for name, answer in found.items():
        for one in answer["waiting"]:
            would = one["would_do"] or {}
            done = ", ".join(f"{do['command']} of {do['subject_id']}" for do in would.get("commands", ())) or would.get("error", "nothing")
            print(f"{name} {one['subscription']}  {answer['key']}\n    since {one['since']}  {one['reason']}\n    tried now: {done}")
            for event in one["events"]:
                print(f"    {event['position']:>8}  {event['type']}  {event['event_id']}  {event['subject']}  {event['reason']}")
            if one["behind"] >= len(one["events"]):
                print(f"    … {one['behind'] + 1 - len(one['events'])} more")
