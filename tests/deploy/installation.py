"""One installation by compose on a real engine, under a project, ports and a version of its own."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cli.stack.ports import is_free
from tests.deploy.compose_file import BASE, DEMO
from tests.deploy.making import ROOT, docker

PROJECT, VERSION = "lifang-tested", "tested"
STANDINS = "tests/deploy/compose.yml"
FILES = (BASE, DEMO, STANDINS)
PATIENCE = 240.0
LABEL = "com.docker.compose.project"


def compose_command() -> list[str]:
    """The engine's own, where it can build too; else the old one."""
    new = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    builds = subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode == 0
    return ["docker", "compose"] if new and builds else ["docker-compose"]


def free(first: int) -> int:
    return next(port for port in range(first, first + 1000) if is_free(port))


class Installation:
    def __init__(self, scratch: Path) -> None:
        self.gateway_port, self.devices_port, self.panels_port, self.desk_port = map(free, (18080, 19083, 19130, 19190))
        self._environment = os.environ | {
            "LIFANG_VERSION": VERSION, "LIFANG_PORT_GATEWAY": str(self.gateway_port), "LIFANG_PORT_DEVICES": str(self.devices_port),
            "LIFANG_PORT_PANELS": str(self.panels_port), "LIFANG_PORT_DESK": str(self.desk_port),
            "COMPOSE_BAKE": "false"}  # it would have to be allowed the builder's network by a word that cannot be passed on
        self._command = compose_command()
        self.key = scratch / "key"
        self.took = 0.0

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def desk(self) -> str:
        return f"http://127.0.0.1:{self.desk_port}"

    def compose(self, *words: str, files: Iterable[str] = FILES) -> str:
        """What it says on standard output. Raises AssertionError with all of it."""
        named = [word for file in files for word in ("-f", file)]
        done = subprocess.run(
            [*self._command, "-p", PROJECT, *named, *words], cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"compose {' '.join(words)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def up(self) -> float:
        """Seconds until everything is healthy."""
        begun = time.monotonic()
        self.compose("up", "--detach")
        self.settle()
        self.key.write_text(self.inside("demo", "cat /run/secrets/lifang/demo"))
        return time.monotonic() - begun

    def down(self, *words: str) -> None:
        self.compose("down", "--remove-orphans", *words)

    def containers(self) -> dict[str, dict[str, Any]]:
        """By the name that compose has for it: what the engine says of it."""
        ids = docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}={PROJECT}").split()
        found = json.loads(docker("inspect", *ids)) if ids else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def sick(self) -> dict[str, str]:
        """Who is not (yet) as it should be: healthy, or ended with 0."""
        states = {name: one["State"] for name, one in self.containers().items()}
        how = {name: state.get("Health", {}).get("Status") or f"{state['Status']} {state['ExitCode']}" for name, state in states.items()}
        return {name: what for name, what in how.items() if what not in ("healthy", "exited 0")}

    def settle(self) -> None:
        self.until(lambda: not self.sick(), lambda: f"not ready: {self.sick()}")

    def until(self, holds: Callable[[], object], otherwise: Callable[[], str]) -> None:
        """Looked at whenever the engine tells of a container's start, end or health."""
        now = time.time()
        kinds = [word for kind in ("health_status", "start", "die") for word in ("--filter", f"event={kind}")]
        span = ("--since", str(int(now)), "--until", str(int(now + PATIENCE)))
        events = subprocess.Popen(
            ["docker", "events", *span, "--filter", f"label={LABEL}={PROJECT}", *kinds], stdout=subprocess.PIPE, text=True)
        with events:
            assert events.stdout is not None
            try:
                assert holds() or any(holds() for _ in events.stdout), otherwise()
            finally:
                events.terminate()

    def inside(self, name: str, script: str) -> str:
        return docker("exec", f"{self.containers()[name]['Id']}", "sh", "-c", script)

    def crash(self, name: str) -> None:
        """Its first process is killed as by a lack of memory; not by the engine, which would not start again what it was told to kill."""
        self.inside(name, "kill -9 $(cat /proc/1/task/1/children)")

    def starts(self, name: str) -> int:
        return int(self.containers()[name]["RestartCount"])

    def logs(self) -> str:
        return "".join(docker_says("logs", one["Id"]) for one in self.containers().values())


def docker_says(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
