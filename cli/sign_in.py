"""`lifang sign-in ACCOUNT`: a one-time code for somebody who works here, from whoever has the machine instead of by telephone."""

import argparse

from cli import found


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", metavar="ACCOUNT", help="its id, as `lifang found` and GET /v1/accounts tell it")


def run(options: argparse.Namespace) -> int:
    return found.answered(options.json, "sign-in", options.account)
