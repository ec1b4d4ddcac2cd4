"""Load, decide, append: the only way by which a service says something new."""
import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from itertools import chain, count
from typing import Any
from uuid import UUID, uuid5
from weakref import WeakValueDictionary
import msgspec
from sqlalchemy.util import LRUCache
from libs.eventkit.db import Unavailable
from libs.eventkit.decider import Decider, NotFound, Refused, Take, VersionMismatch
from libs.eventkit.log import Append, Key, Log, NewEvent
from libs.eventkit.recorded import Catalogue, Meta, Number, Recorded, tag_of, uuid7

CACHED, TRIES, LARGEST = 20_000, 8, 900_000  # bytes of a body that a topic takes; the broker's own limit is 1 MiB with headers
class KeyReused(Exception):
    """The idempotency key stood for another body before (422)."""
class Public(msgspec.Struct, frozen=True):
    """A public event: the contract and what it is about (by default the stream of the private event)."""
    body: msgspec.Struct
    subject: str = ""
Publish = Callable[[Any, Recorded], Sequence[Public]]
class Context(Meta, frozen=True, kw_only=True):
    """Who asks, when, and on what it rests."""
    community_id: UUID
    now: datetime
    event_id: UUID | None = None  # the id of the first event, where something was sealed for it beforehand
    name: str = ""  # with `cause`: ids come from both and the service, so that a rerun after a crash says the same, and nobody else does
    cause: UUID | None = None
    def ids(self, service: str) -> Iterable[UUID]:
        made = (uuid5(self.cause, f"{service}:{self.name}:{n}") if self.cause else uuid7() for n in count())
        return chain([self.event_id], made) if self.event_id else made
class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a command: ids and versions, no personal data; the answer is rendered from it again."""
    stream: str
    version: int
    position: int = 0
    events: tuple[UUID, ...] = ()
    back: int = -1
    n: int = 0
    refused: str = ""
    facts: dict[str, Any] = {}
    @property
    def id(self) -> UUID:
        return UUID(self.stream.rpartition(":")[2])
    def published(self, generation: int) -> Number | None:
        """The number of the last public event of this command, if it said anything to others."""
        return None if self.back < 0 else Number(generation, self.position - self.back, self.n)
class Done(msgspec.Struct, frozen=True):
    outcome: Outcome
    replayed: bool = False
    said: Sequence[msgspec.Struct] = ()  # as it was decided just now; nothing where somebody had stored it before

class Commands:
    """`deciders`: which decider takes which command is found by the command's type."""
    def __init__(self, log: Log, catalogue: Catalogue, deciders: Iterable[Decider[Any, Any]], publish: Publish | None) -> None:
        self.log, self.catalogue, self.publish, self.service = log, catalogue, publish, log.database.settings.service
        self._decider: Mapping[type, Decider[Any, Any]] = {c: d for d in deciders for c in d.decide}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # gone with the last who uses one
        self.generation, self._known = 1, LRUCache[str, tuple[UUID, Any, int]](CACHED)
    async def handle(self, subject_id: UUID, command: msgspec.Struct, context: Context, *, key: Key | None = None,
                     expected: int | None = None, first: Sequence[msgspec.Struct] = (), new: bool = False) -> Done:
        """Decides and stores. `expected` is the version the caller saw; `first` are events that go in before the decided ones (a key made
        for the subject). `new`: nothing has happened to the subject, if this is no repetition: so nothing is read first, and the log
        finds out. Raises Refused, NotYet, NotFound, KeyReused, VersionMismatch, Unavailable."""
        decider = self._decider[type(command)]
        stream = f"{decider.category}:{subject_id}"
        async with self._locks.setdefault(stream, asyncio.Lock()):
            asked = (fresh := stream not in self._known) or new or key is None
            if fresh and not new and key is not None and (prior := await self.log.outcome(context.community_id, key)):
                return self._replay(key, *prior)
            for attempt in range(TRIES):
                nothing = new and fresh and attempt == 0
                state, version = (decider.initial, 0) if nothing else await self.state(decider, subject_id, context.community_id, fresh)
                refusal: Refused | None = None
                try:
                    if expected not in (None, version):
                        raise VersionMismatch(stream)
                    events = decider.decide[type(command)](command, state)
                except Refused as error:
                    refusal, events = error, []
                except Exception:
                    if not asked and key is not None and (prior := await self.log.outcome(context.community_id, key)):
                        return self._replay(key, *prior)  # else the append would have said so
                    if fresh:
                        raise
                    fresh = True
                    continue
                if not (events or key or fresh):  # no append will tell whether another process was here
                    fresh = True
                    continue
                events = [*first, *events] if events else []
                if done := await self._store(decider, stream, state, version, command, events, refusal, context, key):
                    return done
                self._known.pop(stream, None)
                await asyncio.sleep(random.uniform(0, 0.02))  # else two processes in step could lose to each other for ever
            raise Unavailable(f"{stream} kept changing")
    async def _store(self, decider: Decider[Any, Any], stream: str, state: Any, version: int, command: msgspec.Struct,
                     events: Sequence[msgspec.Struct], refusal: Refused | None, context: Context, key: Key | None) -> Done | None:
        if not events and key is None:
            if refusal is not None:
                raise refusal
            return Done(Outcome(stream=stream, version=version))
        meta = Meta(correlation=context.correlation, caused_by=context.caused_by, requested_at=context.requested_at or context.now,
            occurred_at=context.occurred_at, principal=context.principal, traceparent=context.traceparent)
        new = [NewEvent(i, tag_of(e), self.catalogue.versions[tag_of(e)], msgspec.json.encode(e), meta)
               for e, i in zip(events, context.ids(self.service), strict=False)]
        outcome = self._outcome(stream, version, events, new, refusal, context)
        claims = [(c.scope, c.value if isinstance(c, Take) else None) for e in events for c in decider.claims(command, e)]
        answer = await self.log.append(Append(community_id=context.community_id, stream=stream, expected=version, events=new, claims=claims,
            key=key, outcome=msgspec.json.encode(outcome)))
        match answer.verdict:
            case "ok" | "stored":
                if answer.verdict == "ok":
                    self._known[stream] = context.community_id, reduce(decider.evolve, events, state), version + len(events)
                if refusal is not None:
                    raise refusal
                return Done(msgspec.structs.replace(outcome, position=answer.position), said=events if answer.verdict == "ok" else ())
            case "replayed" if key is not None:
                return self._replay(key, answer.body_hash or "", answer.outcome or "{}")
            case "claimed":
                codes = [c.code for e in events for c in decider.claims(command, e) if isinstance(c, Take)]
                claimed = Refused(codes[0] if codes else "already_taken")
                if key is None:
                    raise claimed
                return await self._store(decider, stream, state, version, command, (), claimed, context, key)
            case _:
                return None
    def _outcome(self, stream: str, version: int, events: Sequence[msgspec.Struct], new: Sequence[NewEvent], refusal: Refused | None,
                 context: Context) -> Outcome:
        back, n = -1, 0
        for i, (event, row) in reversed([*enumerate(zip(events, new, strict=True), 1)]):
            if self.publish and (back < 0 or len(row.data) > LARGEST // 4) and (said := self.publish(event, Recorded(0, 0,
                    context.community_id, stream, version + i, row.event_id, row.type, row.schema, "", row.meta, None, None, context.now))):
                back, n = (len(events) - i, len(said) - 1) if back < 0 else (back, n)
                if len(row.data) > LARGEST // 4 and max(len(msgspec.json.encode(public.body)) for public in said) > LARGEST:
                    raise Refused("too_large_to_tell")  # else the relay would stand before it for ever
        return Outcome(stream=stream, version=version + len(events), events=tuple(e.event_id for e in new), back=back, n=n,
                       refused=refusal.code if refusal else "", facts=refusal.facts if refusal else {})
    def _replay(self, key: Key, body_hash: str, stored: str) -> Done:
        if key.body_hash and body_hash != key.body_hash:
            raise KeyReused(key.key)
        outcome = msgspec.json.decode(stored, type=Outcome)
        if outcome.refused:
            raise Refused(outcome.refused, **outcome.facts)
        return Done(outcome, replayed=True)
    async def said(self, done: Done) -> Sequence[Any]:
        """The events of a command: as they were decided, or as they are stored where they were before."""
        return done.said or [self.catalogue.read(row) for i in done.outcome.events if (row := await self.log.event(i)) is not None]
    async def state(self, decider: Decider[Any, Any], subject_id: UUID, community_id: UUID, fresh: bool = True) -> tuple[Any, int]:
        """What is, and its version; the decider's initial state and 0 where nothing has happened. From memory, and from
        the log what has come since when it must be `fresh`. Raises NotFound for what is another community's."""
        stream = f"{decider.category}:{subject_id}"
        owner, state, version = self._known.get(stream, (None, decider.initial, 0))
        if (owner is None or fresh) and (rows := await self.log.stream(stream, version)):
            owner, version = rows[0].community_id, rows[-1].version or 0
            state = reduce(decider.evolve, (e for row in rows if (e := self.catalogue.read(row, True)) is not None), state)
            self._known[stream] = owner, state, version
        if owner not in (None, community_id):
            raise NotFound(decider.category)
        return state, version
    def forget(self) -> None:
        """Of a stream that is retired nothing may be remembered."""
        self._known.clear()
