"""`lifang down`"""

import argparse

from cli import screen
from cli.place import HERE
from cli.stack import start


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> int:
    stopped = start.stop(HERE, screen.progress)
    if options.json:
        screen.answer({"stopped": stopped})
    else:
        print("Everything has ended." if stopped else "Nothing was running.")
    return 0
