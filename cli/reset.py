"""`lifang reset --yes`"""

import argparse

from cli import screen
from cli.place import HERE
from cli.stack import start


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="really forget the data")


def run(options: argparse.Namespace) -> int:
    if not options.yes:
        screen.stop("This forgets the community, every event and every key of this stack. Type: lifang reset --yes", 2)
    start.stop(HERE, screen.progress)
    with start.alone(HERE):
        start.forget(HERE)
    if options.json:
        screen.answer({"reset": True})
    else:
        print("Forgotten. `lifang up` begins anew.")
    return 0
