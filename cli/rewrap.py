"""`lifang rewrap SERVICE PURPOSE`: after a new key-encryption key has been added as the last line of the secret `kek-PURPOSE`
and every service has been started again with it: before that, one could not open what is wrapped anew (it would be pending)."""

import argparse

from cli import operation


def arguments(parser: argparse.ArgumentParser) -> None:
    operation.service_argument(parser)
    parser.add_argument("purpose", metavar="PURPOSE", help="contact, credential, …")


def run(options: argparse.Namespace) -> int:
    return operation.pass_through(options.service, "rewrap", options.purpose)
