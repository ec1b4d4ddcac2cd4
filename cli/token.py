"""`lifang token ROLE [--as ID]`"""

import argparse

from cli import screen, tokens
from cli.place import HERE


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("role", choices=tokens.ROLES, metavar="ROLE", help=" ".join(tokens.ROLES))
    parser.add_argument("--as", dest="person", metavar="ID", help="another person of that role")


def run(options: argparse.Namespace) -> int:
    try:
        issued = tokens.issue(HERE, options.role, options.person)
    except tokens.NoToken as error:
        screen.stop(str(error))
    if options.json:
        screen.answer(issued)
    else:
        print(issued["access_token"])
    return 0
