"""`lifang found NAME --division CODE --phone NUMBER`: a community and its operator, who opens the accounts of everybody else."""

import argparse
import getpass
import json
from typing import Any

from cli import operation, screen
from cli.place import HERE
from cli.stack import services
from cli.stack.ports import Kept


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="of the community")
    parser.add_argument("--division", required=True, metavar="CODE", help="of its administrative division, GB/T 2260, six digits")
    parser.add_argument("--zone", default="Asia/Shanghai", metavar="ZONE", help="its time zone (IANA)")
    parser.add_argument("--phone", required=True, metavar="NUMBER", help="the operator's")
    parser.add_argument("--further", action="store_true", help="beside communities that are there")


def run(options: argparse.Namespace) -> int:
    words = [options.name, "--division", options.division, "--zone", options.zone, "--phone", options.phone]
    return answered(options.json, "found", *words, *(["--further"] if options.further else []))


def answered(as_json: bool, name: str, *words: str) -> int:
    """Does it and shows what came of it."""
    process = operation.start("identity", name, *words, "--by", f"operator:{getpass.getuser()}")
    answer, _ = process.communicate()
    if process.returncode:
        return process.returncode
    if as_json:
        print(answer, end="")
    else:
        show(json.loads(answer))
    return 0


def show(found: dict[str, Any]) -> None:
    if "community_id" in found:
        screen.progress("" if found["founded"] else "It was founded before; nothing was done.")
        print(f"community {found['community_id']}\noperator  {found['person_id']}, account {found['account_id']}")
    if sign_in := found.get("sign_in"):
        gateway = services.url("gateway", Kept.read(HERE).ports)
        print(f"A sign-in, once, until {sign_in['expires_at']}; its code is not shown again:\n"
              f"  curl -X POST {gateway}/v1/sign-ins/{sign_in['id']}/tokens -H 'content-type: application/json'"
              f" -d '{{\"code\": \"{sign_in['code']}\"}}'")
