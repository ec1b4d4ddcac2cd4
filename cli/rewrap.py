"""`lifang rewrap SERVICE PURPOSE`: after a new key-encryption key has been added as the last line of `kek-PURPOSE`."""

import argparse

from cli import operation


def arguments(parser: argparse.ArgumentParser) -> None:
    operation.service_argument(parser)
    parser.add_argument("purpose", metavar="PURPOSE", help="contact, credential, …")


def run(options: argparse.Namespace) -> int:
    return operation.pass_through(options.service, "rewrap", options.purpose)
