"""`lifang asof SERVICE VIEW --at POSITION|MOMENT [--community ID]`: a view as it was, folded from the log in memory."""

import argparse
import json

from cli import operation, screen


def arguments(parser: argparse.ArgumentParser) -> None:
    operation.service_argument(parser)
    parser.add_argument("view", metavar="VIEW")
    parser.add_argument("--at", required=True, metavar="WHEN", help="a position of the service's log, or a moment (RFC 3339)")
    parser.add_argument("--community", metavar="ID", help="of this one only")


def run(options: argparse.Namespace) -> int:
    words = ["--at", options.at, *(["--community", options.community] if options.community else [])]
    process = operation.start(options.service, "asof", options.view, *words)
    answer, _ = process.communicate()
    if process.returncode:
        return process.returncode
    found = json.loads(answer)
    if options.json:
        screen.answer(found)
        return 0
    for row in found["rows"]:
        print(json.dumps(row, ensure_ascii=False))
    screen.progress(
        f"{len(found['rows'])} rows of {found['view']} as of position {found['as_of']['position']}, {found['as_of']['at'] or 'before all'}")
    return 0
