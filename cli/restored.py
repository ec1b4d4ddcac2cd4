"""`lifang restored SERVICE`"""

import argparse

from cli import operation


def arguments(parser: argparse.ArgumentParser) -> None:
    operation.service_argument(parser)


def run(options: argparse.Namespace) -> int:
    return operation.pass_through(options.service, "restored")
