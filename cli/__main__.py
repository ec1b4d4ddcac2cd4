"""`lifang COMMAND`: each command is the module of its name in this directory, imported only when it is asked for."""

import argparse
import importlib
import sys
from typing import Protocol, cast

COMMANDS = {
    "up": "start PostgreSQL, Kafka and every service on this machine, with a demo community",
    "down": "end exactly what `up` started",
    "reset": "end it and forget its data (--yes)",
    "status": "what runs, where, and how far each part is",
    "tail": "what the services have told, one CloudEvent a line",
    "found": "a community and its operator, and the operator's first sign-in",
    "sign-in": "a one-time code for somebody who works here and whom no code reaches",
    "token": "a ten-minute token for a demo role",
    "scenario": "play a story through the real interfaces and check it",
    "explain": "why something happened, sentence by sentence, with the events behind it",
    "subscriber": "who outside may read the open topics of Kafka: add, list, remove",
    "rebuild": "fold a view again beside the live one and put it there; --check: is each view the fold of its log?",
    "asof": "a view as it was at a position of the log or a moment",
    "parked": "events that wait for a person: list, show, retry, skip",
    "republish": "tell everything again that a service has told, in order",
    "backup": "a copy of every service's log and what stands beside it, while they run",
    "restore": "services as they were when a backup was made",
    "restored": "after a restore of a service's database: begin a new generation",
    "verify": "find out whether anybody has changed a log behind the services' backs",
    "retire": "blank what has served its purpose, as every day (--dry-run: count it)",
    "rewrap": "wrap a service's keys of one purpose by the newest key-encryption key",
    "bench": "how fast the hot paths are, each beside its limit and a peer",
    "test": "check the code and run the tests, on a stack of their own",
    "doctor": "what is missing or wrong on this machine, and what to type",
}


class Command(Protocol):
    """What the module of a command has."""

    def arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, options: argparse.Namespace) -> int: ...


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lifang", description="Lifang, an open platform for residential communities.",
        epilog="Begin with: lifang up", formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, what in COMMANDS.items():
        one = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
        if argv[:1] == [name]:
            command = cast(Command, importlib.import_module(f"cli.{name.replace('-', '_')}"))
            one.add_argument("--json", action="store_true", help="answer for programs")
            command.arguments(one)
    options = parser.parse_args(argv)
    return command.run(options)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
