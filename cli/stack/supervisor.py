"""Keeps one stack alive: PostgreSQL, Kafka, the services, their keeper and the simulated terminals, each in a session of its own.

Runs in a session of its own too (`lifang up` starts it) and stops everything, in order, on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from cli.call import Away, call
from cli.place import PYTHON, ROOT, Place
from cli.stack import demo, keeping, postgres, services
from cli.stack.held import Held
from cli.stack.kafka import Kafka
from cli.stack.nursery import Birth, Forked, bear, closed, take_orphans
from cli.stack.part import Keeper, Part, log_of
from cli.stack.ports import Ports, answers, place_at
from cli.stack.processes import MARK, Record, Running, end, manner, orphans

LOOK = 0.05
"""Seconds between two looks at something that is not ready yet."""
KAFKA_PATIENCE = 15.0
"""Seconds after which the services are started even though Kafka does not answer or has no users yet."""
KEEPER_PATIENCE = 30.0
"""Seconds that the keeper gives the services to become ready: what it imports would keep them waiting."""


class Supervisor:
    """`bare`: PostgreSQL and Kafka only."""

    def __init__(self, place: Place, bare: bool) -> None:
        self.place = place
        self.services = [] if bare else services.names()
        self.ports = Ports(place)
        self.me = Running.of(os.getpid())
        self.keepers: dict[str, Keeper] = {}
        self._said = ""
        self._provided, self._provided_for = asyncio.Event(), 0
        self._providing: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        for made in (self.place.provided, *map(self.place.migrated, self.services)):
            made.unlink(missing_ok=True)
        starting = asyncio.create_task(self._start())
        starting.add_done_callback(report)
        await stop.wait()
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        for turn in sorted({manner(name).turn for name in self.keepers}):
            await asyncio.gather(*(k.stop() for name, k in self.keepers.items() if manner(name).turn == turn))
        await asyncio.to_thread(lambda: end(orphans(self.place)))
        self.place.record.unlink(missing_ok=True)

    async def _start(self) -> None:
        terminals = demo.ports_of_devices() if self.services else []
        ports = self.ports.choose(["postgres", "kafka", "controller", *self.services, *terminals])
        self._changed()
        self._keep(postgres.part(self.place, ports["postgres"]))
        self._keep(Kafka.ensure(print).part(self.place, ports["kafka"], ports["controller"]))
        nursery = await self._nursery() if self.services and take_orphans() else None
        await self._until(lambda: self._databases_are_made(ports["postgres"]))
        if self.services:
            # A service that comes before Kafka backs off, and is then late by that.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._provided.wait(), KAFKA_PATIENCE)
        parts = [services.part(name, self.place, ports) for name in self.services]
        births = [self._birth(part, f"services.{part.name}", ["all"], str(self.place.migrated(part.name))) for part in parts]
        born = await bear(nursery, births)
        for part in parts:
            self._keep(part, born.get(part.name))
        if self.services:
            await asyncio.gather(self._keep_logs(ports, nursery), self._settle(ports))

    async def _nursery(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            PYTHON, "-m", "cli.stack.nursery", stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
            env=os.environ | {MARK: str(self.place.state), "LIFANG_PART": "nursery"})

    def _birth(self, part: Part, module: str, arguments: list[str], migrated: str = "") -> Birth:
        return Birth(part.name, log_of(self.place, part.name), part.environment, module, arguments, migrated)

    async def _provide(self) -> None:
        """Whenever Kafka has started: it may have lost what it knew, or the table says something else than before."""
        process = await asyncio.create_subprocess_exec(
            PYTHON, "-m", "cli.stack.kafka_admin", "--state", str(self.place.state), stdin=subprocess.DEVNULL, cwd=ROOT,
            env=os.environ | {MARK: str(self.place.state), "LIFANG_PART": "kafka-admin"})
        if await process.wait() == 0:
            self._provided.set()
        else:
            self._say("Kafka's users, rules and topics could not be made; why stands above")

    async def _keep_logs(self, ports: dict[str, int], nursery: asyncio.subprocess.Process | None) -> None:
        """Once nobody waits for the services any more, ready or not. It is the last to be born."""
        with suppress(TimeoutError):
            async with asyncio.timeout(KEEPER_PATIENCE):
                for name in self.services:
                    await self._until(partial(is_ready, name, ports))
        part = keeping.part(self.services, self.place, ports)
        born: dict[str, Forked] = {}
        with suppress(Held):
            part.before()
            born = await bear(nursery, [self._birth(part, keeping.MODULE, [])])
        self._keep(part, born.get(part.name))
        if nursery is not None:
            await closed(nursery)

    async def _settle(self, ports: dict[str, int]) -> None:
        """The simulated terminals need to know who they are: that is known once the community has been seeded."""
        if not demo.SEEDED.issubset(self.services):
            return
        known = demo.Demo.read(self.place)
        if known is None or not known.is_at(ports):
            for name in self.services:
                await self._until(partial(is_ready, name, ports))
            await self._until(partial(self._is_seeded, ports))
            known = demo.Demo.read(self.place)
        if known is not None and known.terminals and demo.has_simulator():
            self._keep(demo.simulator(self.place, ports, known))
            self._keep(demo.cameras(self.place, ports, known))
            self._keep(demo.panels(self.place, ports, known))

    def _databases_are_made(self, port: int) -> bool:
        if not answers(port):
            return False
        try:
            postgres.make_databases(port, self.services)
        except subprocess.CalledProcessError as error:
            if "starting up" not in error.stderr:
                self._say(f"the databases could not be made: {error.stderr.strip()}")
            return False
        return True

    def _is_seeded(self, ports: dict[str, int]) -> bool:
        try:
            demo.seed(self.place, ports)
        except (Away, demo.NotSeeded) as error:
            self._say(f"the demo community is not seeded yet: {error}")
            return False
        return True

    def _say(self, text: str) -> None:
        """Once, however often it is tried again."""
        if text != self._said:
            print(text, flush=True)
        self._said = text

    async def _until(self, holds: Callable[[], bool]) -> None:
        delay = LOOK
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(delay)
            delay = min(delay * 1.2, 1.0)

    def _keep(self, part: Part, born: Forked | None = None) -> None:
        self.keepers[part.name] = Keeper(self.place, part, self._changed, born)

    def _changed(self) -> None:
        running = {name: keeper.running for name, keeper in self.keepers.items() if keeper.running is not None}
        Record(self.me, running).write(self.place)
        kafka = running.get("kafka")
        if kafka is not None and kafka.pid != self._provided_for:
            self._provided_for = kafka.pid
            task = asyncio.create_task(self._provide())
            self._providing.add(task)
            task.add_done_callback(self._providing.discard)


def is_ready(name: str, ports: dict[str, int]) -> bool:
    try:
        return call("GET", f"{services.url(name, ports)}/readyz", timeout=2)[0] == 200
    except Away:
        return False


def report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        traceback.print_exception(error)
        sys.stderr.flush()


async def supervise(place: Place, bare: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    await Supervisor(place, bare).run(stop)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    place = place_at(options.state)
    lock = os.open(place.run, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("another supervisor keeps this stack", file=sys.stderr)
        return 3
    asyncio.run(supervise(place, options.bare))
    return 0


if __name__ == "__main__":
    sys.exit(main())
