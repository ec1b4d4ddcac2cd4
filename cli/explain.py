"""`lifang explain ID`: the sentences, and with --json the chain of events that they rest on."""

import argparse

from cli import screen, tokens
from cli.call import Away, call
from cli.place import HERE
from cli.stack import services
from cli.stack.ports import Kept


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="of an event, for example from `lifang tail`")
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="of the sentences")


def run(options: argparse.Namespace) -> int:
    headers = {**tokens.bearer(HERE, "staff"), "accept-language": options.language}
    url = f"{services.url('gateway', Kept.read(HERE).ports)}/v1/events/{options.id}/explanation"
    try:
        status, answer = call("GET", url, headers=headers, timeout=30)
    except Away as error:
        screen.stop(f"{error}. Type: lifang status")
    if status != 200:
        screen.stop(f"The gateway answered {status}: {answer}")
    if options.json:
        screen.answer(answer)
    else:
        for sentence in answer["text"]:
            print(sentence)
    return 0
