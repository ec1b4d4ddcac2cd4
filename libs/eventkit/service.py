"""One service, wired: what `main.py` declares becomes a running process.

    python -m services.<name> api | worker | relay | all | migrate"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from fastapi import APIRouter
from msgspec import Struct

from libs.eventkit.auth import Verifier
from libs.eventkit.commands import Commands, Publish
from libs.eventkit.db import Database
from libs.eventkit.decider import Decider
from libs.eventkit.hear import Hearing
from libs.eventkit.keys_topic import KEY_EVENTS, KeyErased, announce, hear_keys
from libs.eventkit.log import Log
from libs.eventkit.memory import Memory
from libs.eventkit.migrate import ensure_topics, migrate
from libs.eventkit.privacy import BlindIndex, Keks, KeyRing, secret_bytes, unbase64url
from libs.eventkit.reactions import Reaction, Reactor
from libs.eventkit.recorded import Catalogue
from libs.eventkit.relay import Relay
from libs.eventkit.settings import Settings
from libs.eventkit.subscriptions import Subscription, follow
from libs.eventkit.supervise import Supervisor
from libs.eventkit.tail import Wake
from libs.eventkit.timers import Timer, Timers
from libs.eventkit.views import View, follow_views


class Service(Struct, frozen=True):
    """The composition root's result. Functions of the app are called once, when the process starts.

    `signing_key` is the event that brings identity's keys (own or heard); `permissions_of` what a role may do; `topic`: where it
    publishes, if not under its own name."""
    name: str
    events: tuple[type[Struct], ...]
    permissions_of: Callable[[str], frozenset[str]]
    signing_key: type[Struct]
    hears: tuple[str, ...] = ()
    contracts: tuple[type[Struct], ...] = ()
    upcasts: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}
    deciders: tuple[Decider[Any, Any], ...] = ()
    publish: Publish | None = None
    views: tuple[View, ...] = ()
    memories: Callable[["App"], Iterable[Memory]] = lambda app: ()
    reactions: Callable[["App"], Iterable[Reaction]] = lambda app: ()
    timers: Callable[["App"], Iterable[Timer]] = lambda app: ()
    readers: Callable[["App"], Iterable[Subscription]] = lambda app: ()
    tasks: Callable[["App"], dict[str, Callable[[], Awaitable[None]]]] = lambda app: {}
    routes: Callable[["App"], APIRouter] = lambda app: APIRouter()
    raw_routes: tuple[str, ...] = ()
    topic: str = ""

    def catalogue(self) -> Catalogue:
        return Catalogue((*self.events, *self.contracts, *KEY_EVENTS), self.upcasts)

class App:
    """A service at run time. `keyring` exists once `open` has reached the database."""
    keyring: KeyRing

    def __init__(self, service: Service, settings: Settings) -> None:
        self.service, self.settings, self.catalogue = service, settings, service.catalogue()
        self.topic = service.topic or service.name
        self.database = Database(settings)
        self.wake = Wake()
        self.log = Log(self.database, self.wake)
        self.commands = Commands(self.log, self.catalogue, service.deciders, service.publish)
        self.verifier = Verifier(service.name, service.permissions_of)
        self.blind = BlindIndex(secret_bytes(settings.secret("blind-index"), "blind-index"))
        self.supervisor = Supervisor()
        self.memories = [
            Memory("signing_keys", (service.signing_key,), lambda event, row: self.verifier.learn(
                event.kid, unbase64url(event.public_key), event.not_before, event.expires)),
            Memory("erased_keys", (KeyErased,), lambda event, row: self.keyring.forget(event.key_id)),
            *service.memories(self)]
        for memory in self.memories:
            memory.bind(self.log, self.catalogue)
        self.reactors = [Reactor(self.commands, r) for r in service.reactions(self)]
        self.subscriptions: tuple[Subscription, ...] = (
            *(reactor.subscription() for reactor in self.reactors),
            *(Timers(self.commands, timer).subscription() for timer in service.timers(self)), *service.readers(self))
        names = [*(view.name for view in service.views), *(s.name for s in self.subscriptions)]
        if len(set(names)) < len(names):
            raise RuntimeError(f"two readers would move one checkpoint: {names}")
        self.hearing = Hearing(settings, self.database, service.hears) if service.hears else None
        self.relay = Relay(
            settings, self.log, self.wake, self.catalogue, service.publish,
            lambda producer, rows: announce(settings, self.keyring, producer, rows), self.topic) if service.publish else None
        self.opened = False

    def checkpoints(self) -> Mapping[str, str]:
        """Who reads this log, and from where on."""
        views = dict.fromkeys((view.name for view in self.service.views), "beginning")
        return views | {s.name: s.start for s in self.subscriptions} | ({"relay": "beginning"} if self.relay else {})

    async def migrate(self) -> bool:
        return await migrate(self.settings, self.service.views, self.checkpoints())

    async def open(self) -> None:
        """Connects; raises what the database says while it cannot be reached."""
        if self.settings.migrate:
            await self.migrate()
        pool = await self.database.pool()
        self.keyring = KeyRing(pool, self.service.name, Keks.load(self.settings.secrets))
        self.commands.generation = await pool.fetchval("select generation from log_state")
        self.opened = True

    def start_api(self) -> None:
        """Memories: in every process that answers."""
        for memory in self.memories:
            self.supervisor.start(f"memory:{memory.name}", lambda m=memory: m.run(self.wake))  # type: ignore[misc]
        for name, work in self.service.tasks(self).items():
            self.supervisor.start(name, work)

    def start_worker(self) -> None:
        """Hearing, views, reactions, what else reads the log, and the daily cleaning."""
        if views := self.service.views:
            self.supervisor.start("views", lambda: follow_views(self.log, self.wake, self.catalogue, views))
        for s in self.subscriptions:
            self.supervisor.start(s.name, lambda s=s: follow(self.log, self.wake, s))  # type: ignore[misc]
        if (hearing := self.hearing) is not None:
            self.supervisor.start("hear", lambda: self._with_topics(hearing.run))
            self.supervisor.start("keys", lambda: self._with_topics(lambda: hear_keys(self.settings, self.keyring)))
        self.supervisor.start("cleaning", self._clean)

    def start_relay(self) -> None:
        if (relay := self.relay) is not None:
            self.supervisor.start("relay", lambda: self._with_topics(relay.run))

    async def _with_topics(self, work: Callable[[], Awaitable[None]]) -> None:
        own = (self.topic,) if self.relay else ()
        await ensure_topics(self.settings, (*own, *self.service.hears))
        await work()

    async def _clean(self) -> None:
        while True:
            await (await self.database.pool()).execute("delete from outcomes where recorded_at < now() - interval '7 days'")
            await asyncio.sleep(3600)

    async def close(self) -> None:
        await self.supervisor.stop()
        await self.database.close()
