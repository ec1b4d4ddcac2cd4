"""One service, wired: what `main.py` declares becomes a running process, `python -m services.<name> api | worker | relay | all`."""
import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cached_property, partial
from typing import Any
from fastapi import APIRouter
from msgspec import Struct
from starlette.types import ASGIApp
from libs.eventkit import auth, erasing, hear, keys_topic, privacy, recorded, relay, subscriptions, supervise, tail
from libs.eventkit.commands import Commands, Publish
from libs.eventkit.db import Database, Unavailable
from libs.eventkit.decider import Decider, NotYet
from libs.eventkit.log import Log
from libs.eventkit.memory import Memory
from libs.eventkit.reactions import Reaction, Reactor
from libs.eventkit.settings import Settings
from libs.eventkit.timers import Timer, Timers
from libs.eventkit.views import View, follow_views

class Service(Struct, frozen=True):
    """The composition root's result. Functions of the app are called once, when the process starts. `signing_key` is the event that brings
    identity's keys (own or heard); `permissions_of` what a role may do; `topic`: where it publishes, if not under its own name."""
    name: str
    events: tuple[type[Struct], ...]
    permissions_of: Callable[[str], frozenset[str]]
    signing_key: type[Struct]
    hears: tuple[str, ...] = ()
    contracts: tuple[type[Struct], ...] = ()
    upcasts: dict[tuple[str, int], recorded.Upcast] = {}
    deciders: tuple[Decider[Any, Any], ...] = ()
    publish: Publish | None = None
    views: tuple[View, ...] = ()
    memories: Callable[["App"], Iterable[Memory]] = lambda app: ()
    reactions: Callable[["App"], Iterable[Reaction]] = lambda app: ()
    timers: Callable[["App"], Iterable[Timer]] = lambda app: ()
    readers: Callable[["App"], Iterable[subscriptions.Subscription]] = lambda app: ()
    tasks: Callable[["App"], dict[str, Callable[[], Awaitable[None]]]] = lambda app: {}
    routes: Callable[["App"], APIRouter] = lambda app: APIRouter()
    raw_routes: tuple[str, ...] = ()
    within: Callable[["App", ASGIApp], ASGIApp] = lambda app, asgi: asgi
    around: Callable[[ASGIApp], ASGIApp] = lambda asgi: asgi
    topic: str = ""
    retention: tuple[recorded.Retention, ...] = ()
    def catalogue(self) -> recorded.Catalogue:
        return recorded.Catalogue((*self.events, *self.contracts, *keys_topic.KEY_EVENTS, *erasing.EVENTS, recorded.Retired), self.upcasts)
class App:
    """A service at run time. `keyring` exists once `open` has reached the database."""
    keyring: privacy.KeyRing
    keys_heard: asyncio.Event | None = None
    def __init__(self, service: Service, settings: Settings) -> None:
        self.service, self.settings, self.catalogue = service, settings, service.catalogue()
        self.topic, self.database, self.wake = service.topic or service.name, Database(settings), tail.Wake()
        self.log, self.verifier = Log(self.database, self.wake), auth.Verifier(service.name, service.permissions_of)
        self.commands = Commands(self.log, self.catalogue, (*service.deciders, *erasing.DECIDERS), service.publish)
        self.keks, _ = privacy.Keks.load(settings.secrets), settings.broker  # a placeholder among them ends the start
        self.supervisor, self.opened = supervise.Supervisor(), False
        self.memories = [Memory("signing_keys", (service.signing_key,), lambda event, row: self.verifier.learn(
                event.kid, privacy.unbase64url(event.public_key), event.not_before, event.expires)),
            Memory("erased_keys", (keys_topic.KeyErased,), lambda event, row: self.keyring.forget(event.key_id)),
            Memory("retired", (recorded.Retired,), lambda event, row: self.commands.forget()),
            *service.memories(self)]
        for memory in self.memories:
            memory.bind(self.log, self.catalogue)
        self.reactors = [Reactor(self.commands, r) for r in service.reactions(self)]
        self.subscriptions: tuple[subscriptions.Subscription, ...] = (*(reactor.subscription() for reactor in self.reactors),
            *(Timers(self.commands, timer).subscription() for timer in service.timers(self)), *service.readers(self))
        names = [*(view.name for view in service.views), *(s.name for s in self.subscriptions)]
        if len(set(names)) < len(names):
            raise RuntimeError(f"two readers would move one checkpoint: {names}")
        self.hearing = hear.Hearing(settings, self.database, service.hears, self.catalogue.types) if service.hears else None
        self.relay = relay.Relay(settings, self.log, self.wake, self.catalogue, service.publish,
            lambda producer, rows: keys_topic.announce(settings, self.keyring, producer, rows), self.topic) if service.publish else None
    @cached_property
    def blind(self) -> privacy.BlindIndex:  # who migrates or keeps a log is not given its key, whoever answers has to have it
        return privacy.BlindIndex(privacy.secret_bytes(self.settings.secret("blind-index"), "blind-index"))
    def key_missing(self, what: str) -> Exception:
        """To be raised for a key that is not here. While those of before are read, long after a restore, nothing is parked for one."""
        return NotYet(what) if self.keys_heard is None or self.keys_heard.is_set() else Unavailable(what)
    def checkpoints(self) -> Mapping[str, str]:
        """Who reads this log, and from where on."""
        views = dict.fromkeys((view.name for view in self.service.views), "beginning")
        return views | {s.name: s.start for s in self.subscriptions} | ({"relay": "beginning"} if self.relay else {})
    async def open(self) -> None:
        """Connects; raises what the database says while it cannot be reached, or lacks what `migrate` makes for this code."""
        pool = await self.database.pool()
        await subscriptions.checkpoints(self.database, [*self.checkpoints()])
        shapes = {view.name: view.shape[0] for view in self.service.views}
        if missing := await pool.fetchval("select not_made($1, $2)", [*shapes], [*shapes.values()]):
            raise LookupError(f"no table of this version for {', '.join(missing)}: migrate has not run")
        self.keyring = privacy.KeyRing(pool, self.service.name, self.keks)
        self.commands.generation, self.opened = await pool.fetchval("select generation from log_state"), True
    def start_api(self) -> None:
        """Memories: in every process that answers."""
        memories = {f"memory:{memory.name}": partial(memory.run, self.wake) for memory in self.memories}
        for name, work in (memories | self.service.tasks(self)).items():
            self.supervisor.start(name, work)
    def start_worker(self) -> None:
        """Hearing, views, reactions, and what else reads the log."""
        if views := self.service.views:
            self.supervisor.start("views", lambda: follow_views(self.log, self.wake, self.catalogue, views))
        for s in self.subscriptions:
            self.supervisor.start(s.name, lambda s=s: subscriptions.follow(self.log, self.wake, s))  # type: ignore[misc]
        if self.hearing is not None:
            self.supervisor.start("hear", self.hearing.run)
            self._start_keys()
    def start_relay(self) -> None:
        if self.relay is not None:
            self.supervisor.start("relay", self.relay.run)
            if self.hearing is None:
                self._start_keys()
    def _start_keys(self) -> None:
        self.keys_heard = heard = asyncio.Event()
        self.supervisor.start("keys", lambda: keys_topic.hear_keys(self.settings, self.keyring, heard))
    async def close(self) -> None:
        await self.supervisor.stop()
        await self.database.close()
