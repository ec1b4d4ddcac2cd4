"""`lifang retire SERVICE [--dry-run]`"""

import argparse

from cli import operation


def arguments(parser: argparse.ArgumentParser) -> None:
    operation.service_argument(parser)
    parser.add_argument("--dry-run", action="store_true", help="only count")


def run(options: argparse.Namespace) -> int:
    return operation.pass_through(options.service, "retire", *(["--dry-run"] if options.dry_run else []))
