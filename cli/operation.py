"""Operations on one service: run by `cli.operate` in a process with the service's environment."""

import argparse
import os
import subprocess

from cli import screen
from cli.place import HERE, PYTHON, ROOT
from cli.stack import keeping, services
from cli.stack.ports import Kept
from cli.stack.processes import Record, end


def service_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", choices=services.names(), metavar="SERVICE", help=" ".join(services.names()))


def start(service: str, *words: str) -> subprocess.Popen[str]:
    """Its answer comes on standard output as JSON. Ends the command when nothing has been started here."""
    ports = Kept.read(HERE).ports
    if service not in ports:
        screen.stop("Nothing has been started here. Type: lifang up")
    return subprocess.Popen(
        [PYTHON, "-m", "cli.operate", service, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env=os.environ | services.environment(service, HERE, ports) | keeping.outside(HERE))


def pass_through(service: str, *words: str) -> int:
    process = start(service, *words)
    answer, _ = process.communicate()
    print(answer, end="")
    return process.returncode


def begin_again(service: str) -> bool:
    """Ends the process of a service or of the keeper, which its supervisor starts again: it holds in memory what its log no longer says.
    False where none runs."""
    kept = Record.read(HERE).parts.get(service)
    process = kept.process() if kept is not None else None
    if process is None:
        return False
    end({service: process})
    return True
