"""`lifang scenario NAME`: a story played through the real interfaces; `scenario` alone lists them.

A story is a module in cli/scenarios/ with a docstring and `async def run(context) -> list[Step]`.
"""

import argparse
import asyncio
import importlib
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from cli import screen, status, tokens
from cli.outside import Desk, NotOpen, WithKey
from cli.place import HERE, ROOT, Place
from cli.stack.demo import Demo


class Step(Struct):
    """`ms`: how long it took. `events`: ids of the public events that it led to."""

    step: str
    ok: bool
    ms: float
    detail: str = ""
    events: list[str] = []


@dataclass(frozen=True)
class Context:
    """What a story works with. `controls`: the control address of each simulated device, by its id. `desk`: of another
    installation than this machine's."""

    status: dict[str, Any]
    client: httpx.AsyncClient
    controls: dict[str, str]
    place: Place = HERE
    desk: Desk | None = None

    async def token(self, role: str, person: str | None = None) -> str:
        """Raises tokens.NoToken, NotOpen."""
        if self.desk is not None:
            return await asyncio.to_thread(self.desk.token, role, person)
        return await asyncio.to_thread(tokens.token, self.place, role, person)

    @property
    def demo(self) -> Demo | None:
        return self.desk.demo if self.desk is not None else Demo.read(self.place)


def names() -> list[str]:
    return sorted(path.stem for path in (ROOT / "cli" / "scenarios").glob("*.py"))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", choices=names(), metavar="NAME", help=" ".join(names()))
    parser.add_argument("--gateway", metavar="URL", help="of an installation elsewhere, which has a demo desk")
    parser.add_argument("--desk", metavar="URL", help="where that is not beside the gateway, at 8090")
    parser.add_argument("--key", type=Path, metavar="FILE", help="with the desk's key, its secret `demo`; - for standard input")


def run(options: argparse.Namespace) -> int:
    if options.name is None:
        return show_all(options.json)
    found, desk = here() if options.gateway is None else elsewhere(options)
    begun = time.monotonic()
    steps = asyncio.run(play(options.name, found, desk=desk))
    ok = bool(steps) and all(step.ok for step in steps)
    seconds = round(time.monotonic() - begun, 3)
    if options.json:
        screen.answer({"scenario": options.name, "ok": ok, "seconds": seconds, "steps": msgspec.to_builtins(steps)})
    else:
        for step in steps:
            mark = screen.paint("ok  ", "green") if step.ok else screen.paint("FAIL", "red")
            print(f"{mark} {step.ms:7.0f} ms  {step.step}{': ' + step.detail if step.detail else ''}")
        print(f"{options.name}: {'ok' if ok else 'failed'} after {seconds} s")
    return 0 if ok else 1


def here() -> tuple[dict[str, Any], None]:
    found = status.look(HERE)
    if found["community_id"] is None:
        screen.stop("There is no community to play in. Type: lifang up")
    return found, None


def elsewhere(options: argparse.Namespace) -> tuple[dict[str, Any], Desk]:
    try:
        desk = Desk.beside(options.gateway, options.desk, options.key)
        return desk.status(options.gateway), desk
    except NotOpen as error:
        screen.stop(str(error))


async def play(name: str, found: dict[str, Any], place: Place = HERE, desk: Desk | None = None) -> list[Step]:
    """A story that breaks off is a failed step, not a stack trace."""
    story = importlib.import_module(f"cli.scenarios.{name}")
    begun, mounts = time.monotonic(), {desk.url: WithKey(desk)} if desk is not None else {}
    async with httpx.AsyncClient(base_url=found["gateway"] or "", timeout=15, trust_env=False, mounts=mounts) as client:
        try:
            told = desk.controls if desk is not None else controls(place)
            steps: list[Step] = await story.run(Context(found, client, told, place, desk))
        except Exception as error:
            after = (time.monotonic() - begun) * 1000
            return [Step("the story broke off", False, after, f"{type(error).__name__}: {error}")]
    return steps


def controls(place: Place) -> dict[str, str]:
    found: dict[str, str] = {}
    for file, kind in ((place.terminals, "terminals"), (place.cameras, "cameras"), (place.panels, "panels")):
        with suppress(OSError, ValueError):
            found |= {one["device_id"]: f"http://{one['control']}" for one in json.loads(file.read_text())[kind]}
    return found


def show_all(as_json: bool) -> int:
    stories = {name: (importlib.import_module(f"cli.scenarios.{name}").__doc__ or "").strip() for name in names()}
    if as_json:
        screen.answer([{"scenario": name, "about": about} for name, about in stories.items()])
    for name, about in stories.items() if not as_json else ():
        print(f"{name:<12} {about.splitlines()[0] if about else ''}")
    return 0
