"""`lifang rebuild SERVICE VIEW`, `lifang rebuild --check [SERVICE [VIEW]]`"""

import argparse
import json
from typing import Any

from cli import operation, screen
from cli.stack import services


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", choices=services.names(), metavar="SERVICE", help=" ".join(services.names()))
    parser.add_argument("view", nargs="?", metavar="VIEW")
    parser.add_argument("--check", action="store_true", help="change nothing: compare the view, or all of them, with the fold of the log")


def run(options: argparse.Namespace) -> int:
    words = [*([options.view] if options.view else []), *(["--check"] if options.check else [])]
    if options.check:
        return check([options.service] if options.service else services.names(), words, options.json)
    if options.service is None or options.view is None:
        screen.stop("lifang rebuild SERVICE VIEW, or lifang rebuild --check", 2)
    process = operation.start(options.service, "rebuild", *words)
    answer, _ = process.communicate()
    if process.returncode == 0:
        done = json.loads(answer)["rebuilt"]
        if options.json:
            screen.answer(done)
        else:
            print(f"{done['view']} is folded anew up to {done['position']}: {done['rows']} rows, {done['communities']} communities,"
                  f" {done['seconds']} s{', resumed' if done['resumed'] else ''}; {done['damaged']} communities damaged")
    return process.returncode


def check(names: list[str], words: list[str], as_json: bool) -> int:
    """1 when a view is not the fold of its log."""
    running = {name: operation.start(name, "rebuild", *words) for name in names}
    answers = {name: process.communicate()[0] for name, process in running.items()}
    if any(process.returncode for process in running.values()):
        return 1
    found = [json.loads(answer) for answer in answers.values()]
    if as_json:
        screen.answer(found)
    else:
        for one in found:
            show(one)
    return 0 if all(one["same"] for one in found) else 1


def show(one: dict[str, Any]) -> None:
    for view in one["views"]:
        mark = screen.paint("same", "green") if not view["differences"] else screen.paint(f"{view['differences']} differences", "red")
        print(f"{one['service']:<10} {view['view']:<32} {mark}  position {view['position']}, {view['rows']} rows")
        for each in view["first"]:
            where = " ".join(f"{name}={value}" for name, value in each.get("key", {}).items()) or f"position {each.get('position')}"
            print(f"    {each['what']}: community {each['community_id']} {where} {' '.join(each.get('columns', []))}".rstrip())
