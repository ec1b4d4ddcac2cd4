"""`lifang verify [SERVICE…]`: exit code 1 where a log is not what its seals say."""

import argparse
import json

from cli import operation, screen
from cli.stack import services
from cli.verifying import told


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=f"of {' '.join(services.names())}; all when none is named")


def run(options: argparse.Namespace) -> int:
    names = options.services or services.names()
    if unknown := set(names) - set(services.names()):
        screen.stop(f"no service {' '.join(sorted(unknown))}: {' '.join(services.names())}", 2)
    running = [operation.start(name, "verify") for name in names]
    answers = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        screen.stop("Not every log could be read. Type: lifang status")
    found = [json.loads(answer) for answer in answers]
    good = all(one["ok"] for one in found)
    if options.json:
        screen.answer({"ok": good, "services": {one.pop("service"): one for one in found}})
    else:
        for one in found:
            print(f"{screen.paint('ok', 'green') if one['ok'] else screen.paint('!!', 'red')} {told(one)}")
    return 0 if good else 1
