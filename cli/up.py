"""`lifang up`: starts everything, says how it goes, and ends with what to try next."""

import argparse
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import psutil

from cli import screen, status, stuck
from cli.place import HERE
from cli.stack import services, start
from cli.stack.demo import Demo
from cli.stack.processes import is_running, wait

PATIENCE = 120.0
ASKED = 5.0
"""Seconds after which what asks for an operator's command is not waited for any longer."""
LOOK = 0.15
LAST_LINES = 8


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--detach", action="store_true", help="return when everything is ready")


def run(options: argparse.Namespace) -> int:
    begun = time.monotonic()
    ran = start.supervisor(HERE) is not None
    try:
        supervisor = start.start(HERE, screen.progress)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        screen.stop(f"Could not start: {error}\nType: lifang doctor")
    if not ran and not options.detach:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, interrupted)
    try:
        found = await_ready(supervisor, screen.progress)
        if not found["ready"]:
            return failed(found)
        if options.json:
            screen.answer(found)
        else:
            panel(found, time.monotonic() - begun)
        if ran or options.detach:
            return 0
        screen.progress("Ctrl-C stops it.")
        while is_running(supervisor):
            wait([supervisor], 3600)
        screen.stop("The supervisor has ended. Type: lifang up")
    except KeyboardInterrupt:
        if not ran and not options.detach:
            start.stop(HERE, screen.progress)
            screen.progress("Everything has ended.")
        return 130


def interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def await_ready(supervisor: psutil.Process, progress: Callable[[str], None]) -> dict[str, Any]:
    """The status once it is ready; or as it is when the patience is at an end, when only a command by hand goes on, or when the
    supervisor has ended."""
    until, asked = time.monotonic() + PATIENCE, 0.0
    said: set[str] = set()
    while True:
        found = status.look(HERE)
        for step in steps(found):
            if step not in said:
                said.add(step)
                progress(f"  {step}")
        asked = (asked or time.monotonic()) if asks(found) else 0.0
        waited = asked and time.monotonic() - asked > ASKED
        if found["ready"] or waited or time.monotonic() > until or not is_running(supervisor):
            return found
        time.sleep(LOOK)


def asks(found: dict[str, Any]) -> bool:
    """Whether a service waits for `lifang restored` or `lifang republish`."""
    return any("relay refuses" in str(why) for one in stuck.processes(found).values() for why in one["why"])


def steps(found: dict[str, Any]) -> list[str]:
    servers = [f"{name} runs" for name in ("postgres", "kafka") if found[name]["pid"]]
    ready = [f"{name} is ready" for name, one in stuck.processes(found).items() if one["ready"]]
    return servers + ready + (["the demo community is seeded"] if found["community_id"] else [])


def failed(found: dict[str, Any]) -> int:
    reasons = stuck.missing(found) if stuck.processes(found) or services.names() else ["this checkout has no services yet"]
    screen.progress("Not ready:\n" + "".join(f"  · {reason}\n" for reason in reasons))
    broken = [name for name in ("postgres", "kafka") if found[name]["pid"] is None]
    broken += [name for name, one in stuck.processes(found).items() if not one["ready"]]
    for name in (*broken[:2], "supervisor"):
        log = HERE.log / f"{name}.log"
        if log.exists():
            lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
            screen.progress(f"{log}:\n" + "".join(f"  {line[:400]}\n" for line in lines))
    screen.progress("Type: lifang status, lifang doctor; or lifang down to end what runs.")
    return 1


def panel(found: dict[str, Any], seconds: float) -> None:
    gateway, demo = found["gateway"], Demo.read(HERE)
    lines = [
        "", screen.paint(f"Lifang is ready after {seconds:.1f} s.", "bold"),
        f"  API          {gateway}/openapi.json",
        f"  community    {found['community_id']}",
        *(f"  device       {one['name']} on {one['listen']}" for one in found["devices"].values()),
    ]
    lines += [f"  sign in as   {' '.join(map(str, sign_in.values()))}" for sign_in in (demo.sign_ins if demo else [])]
    lines += [
        "", "Try next:",
        "  ./lifang scenario door      a resident opens a door, from the request to the terminal's report",
        "  ./lifang scenario visitor   a guest comes by car, goes through gate, door and lift, and leaves",
        "  ./lifang scenario patrol    a guard walks a round by the tags of its points; it is judged",
        "  ./lifang scenario care      nobody answers at a home, a neighbour is asked, guards are told, all is well",
        "  ./lifang scenario fire      a smoke detector reports, a guard verifies, doors stand open, everybody is told",
        "  ./lifang tail --follow      every public event as it happens",
        f"  curl -H \"authorization: Bearer $(./lifang token resident)\" {gateway}/v1/me/doors",
        "  ./lifang status · ./lifang down", ""]
    print("\n".join(lines))
