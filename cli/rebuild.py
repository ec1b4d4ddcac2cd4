"""`lifang rebuild SERVICE VIEW`"""

import argparse

from cli import operation


def arguments(parser: argparse.ArgumentParser) -> None:
    operation.service_argument(parser)
    parser.add_argument("view", metavar="VIEW")


def run(options: argparse.Namespace) -> int:
    return operation.pass_through(options.service, "rebuild", options.view)
