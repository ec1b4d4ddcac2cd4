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
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from cli import screen, status, tokens
from cli.place import HERE, ROOT, Place


class Step(Struct):
    """`ms`: how long it took. `events`: ids of the public events that it led to."""

    step: str
    ok: bool
    ms: float
    detail: str = ""
    events: list[str] = []


@dataclass(frozen=True)
class Context:
    """What a story works with. `controls`: the control address of each simulated device, by its id."""

    status: dict[str, Any]
    client: httpx.AsyncClient
    controls: dict[str, str]
    place: Place = HERE

    async def token(self, role: str, person: str | None = None) -> str:
        """Raises tokens.NoToken."""
        return await asyncio.to_thread(tokens.token, self.place, role, person)


def names() -> list[str]:
    return sorted(path.stem for path in (ROOT / "cli" / "scenarios").glob("*.py"))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", choices=names(), metavar="NAME", help=" ".join(names()))


def run(options: argparse.Namespace) -> int:
    if options.name is None:
        return show_all(options.json)
    found = status.look(HERE)
    if found["community_id"] is None:
        screen.stop("There is no community to play in. Type: lifang up")
    begun = time.monotonic()
    steps = asyncio.run(play(options.name, found))
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


async def play(name: str, found: dict[str, Any], place: Place = HERE) -> list[Step]:
    """A story that breaks off is a failed step, not a stack trace."""
    story = importlib.import_module(f"cli.scenarios.{name}")
    begun = time.monotonic()
    async with httpx.AsyncClient(base_url=found["gateway"] or "", timeout=15, trust_env=False) as client:
        try:
            steps: list[Step] = await story.run(Context(found, client, controls(place), place))
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
