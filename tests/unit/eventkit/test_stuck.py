"""A process whose loop stands still is ended and says where it stood; one whose loop turns is not, however long. Each in a process of its
own, so that no timer is ever set in this one."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI

from cli.place import ROOT
from libs.eventkit import run

PROGRAM = """
import asyncio, threading
import uvloop
from libs.eventkit import run

run.STUCK, run.BEAT = 3.5, 0.2
{twin}

def stands_in_here(seconds):
    threading.Event().wait(seconds)

async def turns(seconds):
    done = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, done.set)
    await done.wait()

async def main():
    run.end_where_it_stands(asyncio.get_running_loop())
    {work}
    print("went on")

uvloop.run(main())
"""
TURNS, STANDS, A_WHILE = "await turns(8.0)", "stands_in_here(6.0)", "await turns(0.5); stands_in_here(1.0); await turns(3.5)"
UNWATCHED = "run.end_where_it_stands = lambda loop: None"
ONCE = "run.end_where_it_stands = lambda loop: run.faulthandler.dump_traceback_later(2.5, exit=True)"


def ended(work: str, twin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROGRAM.format(work=work, twin=twin)], cwd=ROOT, capture_output=True, text=True)


def stuck(twin: str = "") -> None:
    process = ended(STANDS, twin)
    assert (process.returncode, process.stdout) == (1, ""), process.stderr
    assert "in stands_in_here" in process.stderr and "Timeout" in process.stderr


def alive(work: str, twin: str = "") -> None:
    process = ended(work, twin)
    assert (process.returncode, process.stdout, process.stderr) == (0, "went on\n", "")


@pytest.mark.fault(row="stuck", invariants="I14")
def test_a_loop_that_stands_still_ends_the_process_and_says_where():
    stuck()


@pytest.mark.twin(row="stuck", caught_by="I14")
def test_twin_that_nobody_watches_is_caught():
    with pytest.raises(AssertionError):
        stuck(UNWATCHED)


@pytest.mark.fault(row="stuck", invariants="I14")
@pytest.mark.parametrize("work", [TURNS, A_WHILE], ids=["it turns", "it stands for less than that, and goes on"])
def test_a_loop_that_turns_for_several_times_as_long_is_left_alone(work: str):
    alive(work)


@pytest.mark.twin(row="stuck", caught_by="I14")
def test_twin_that_gives_no_sign_of_life_is_caught():
    with pytest.raises(AssertionError):
        alive(TURNS, ONCE)


@pytest.mark.parametrize("mode", ["api", "worker", "relay", "all"])
async def test_every_process_is_watched_and_looks_at_its_generation(monkeypatch: pytest.MonkeyPatch, mode: str):
    watched, begun = list[Any](), dict[str, Callable[[], Awaitable[None]]]()

    async def nothing(*_: Any) -> None:
        pass

    monkeypatch.setattr(run, "end_where_it_stands", watched.append)
    monkeypatch.setattr(run, "web", lambda app: FastAPI())
    monkeypatch.setattr(run.signal, "signal", lambda *_: None)
    monkeypatch.setattr(run.uvicorn.Server, "serve", nothing)
    app: Any = SimpleNamespace(
        settings=SimpleNamespace(host="", port=0, operations_port=0), supervisor=SimpleNamespace(start=begun.__setitem__),
        open=nothing, close=nothing, start_api=lambda: None, start_worker=lambda: None, start_relay=lambda: None)
    await run.serve(app, mode)
    assert watched == [asyncio.get_running_loop()]
    await begun["open"]()
    assert "generation" in begun
