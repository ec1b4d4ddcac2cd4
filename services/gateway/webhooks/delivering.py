"""Each webhook is told by a task of its own, one event after the other: the next is sent when the receiver has taken the one before.

One process does it, while it holds the lease of the subscription. Nothing queues: every task reads a page from where its receiver stands.
What ends a process ends attempts; the next one begins at the same event, which its receiver may then have twice, by the same id.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.eventkit.commands import Context
from libs.eventkit.envelope import public_id
from libs.eventkit.recorded import Recorded, tag_of, uuid7
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from libs.eventkit.subscriptions import Subscription, advance
from libs.eventkit.tail import set_within
from services.gateway.api.incident_events import told
from services.gateway.domain.webhooks import EVENTS, Failing, SwitchedOff, SwitchOff, TellFailing, TellRecovered
from services.gateway.publishing import SAID
from services.gateway.webhooks.address import Refused, place_of, private_allowed
from services.gateway.webhooks.answers import ATTEMPTS, Answer
from services.gateway.webhooks.book import Known, book_of
from services.gateway.webhooks.places import Course
from services.gateway.webhooks.sending import GONE, Bounds, Sender
from services.gateway.webhooks.signing import headers

log = logging.getLogger(__name__)
NAME = "webhooks"
PAGE = 50
LOOK = 5.0
"""Seconds after which one looks even though nobody woke it."""
_OWN = frozenset(map(tag_of, EVENTS))
_TOLD = frozenset(map(tag_of, SAID))
_CONCERN = _OWN | _TOLD


class Stopped(Exception):
    """It is switched off, or another than it was, or its secret is gone."""


class Delivery:
    """One webhook's task, as it was known when it began."""

    def __init__(self, app: App, known: Known, bounds: Bounds, grown: asyncio.Event, private: bool) -> None:
        self.app, self.known, self.bounds, self.grown, self.private, self.book = app, known, bounds, grown, private, book_of(app)
        self.target = known.webhook.target
        self.course = Course(app, known.webhook_id, known.community_id, self.target)
        self.since = known.webhook.since if isinstance(known.webhook, Failing) else None
        self.code = known.webhook.code if isinstance(known.webhook, Failing) else ""
        self.before = known.webhook.event_id if isinstance(known.webhook, Failing) else None

    async def run(self) -> None:
        """Until it is cancelled, or stopped. What our own side cannot do is tried again."""
        while True:
            try:
                async with Sender(self.bounds, self.private) as sender:
                    await self.course.begin()
                    await self._follow(sender)
            except Stopped:
                return
            except Exception as error:
                log.warning("webhook %s is taken up again: %s", self.known.webhook_id, type(error).__name__)
                await asyncio.sleep(self.bounds.first * random.uniform(0.5, 1.0))

    async def _follow(self, sender: Sender) -> None:
        while True:
            self.grown.clear()
            rows = await self.course.next(PAGE)
            for row in rows:
                await self._deliver(sender, row)
            if not rows:
                await set_within(self.grown, LOOK)

    async def _deliver(self, sender: Sender, row: Recorded) -> None:
        """Until it is taken. Raises Stopped."""
        attempt, body = 0, msgspec.json.encode(told(self.app, row))
        while (answer := await self._attempt(sender, row, body)).code:
            await self._failed(row, answer.code)
            await asyncio.sleep(pause(self.bounds, attempt, answer.after))
            attempt += 1
        await self.course.taken(row)
        if self.since is not None:
            await self._say(TellRecovered(public_id(row.event_id, 0), datetime.now(UTC)))
            self.since, self.code = None, ""

    async def _attempt(self, sender: Sender, row: Recorded, body: bytes) -> Answer:
        answer = await self._answer(sender, row, body)
        ATTEMPTS.labels(answer.kind).inc()
        return answer

    async def _is_as_it_was(self, row: Recorded) -> None:
        """What was said after the webhook had been changed is told as it says now, by the task that comes next. Raises Stopped."""
        known = await self.book.one(self.known.webhook_id, row.position)
        if known is None or not known.is_told_as(self.target):
            raise Stopped

    async def _answer(self, sender: Sender, row: Recorded, body: bytes) -> Answer:
        await self._is_as_it_was(row)
        now = datetime.now(UTC)
        boxes = [self.target.url, self.target.secret]
        if self.target.old_secret is not None and self.target.old_until is not None and now < self.target.old_until:
            boxes.append(self.target.old_secret)
        url, *secrets = await self._opened(boxes)
        try:
            place = place_of(url, self.private)
        except Refused as refused:
            return Answer(refused.code)
        return await sender.send(place, body, headers(secrets, str(public_id(row.event_id, 0)), int(time.time()), body))

    async def _opened(self, boxes: Sequence[Sealed]) -> list[str]:
        found = await self.app.keyring.open_all(boxes)
        if not all(isinstance(text, bytes) for text in found):
            log.error("the secret of webhook %s cannot be opened", self.known.webhook_id)
            raise Stopped
        return [text.decode() for text in found if isinstance(text, bytes)]

    async def _failed(self, row: Recorded, code: str) -> None:
        now, event_id = datetime.now(UTC), public_id(row.event_id, 0)
        if event_id != self.before:
            self.since, self.code, self.before = None, "", event_id
        gone = code == GONE
        if gone or (self.since is not None and (now - self.since).total_seconds() >= self.bounds.give_up):
            await self._say(SwitchOff("gone" if gone else "failing", code, event_id, now))
            raise Stopped
        if code != self.code:
            await self._say(TellFailing(code, event_id, now))
            self.since, self.code = self.since or now, code

    async def _say(self, command: Struct) -> None:
        context = Context(community_id=self.known.community_id, now=datetime.now(UTC), correlation=str(uuid7()))
        await self.app.commands.handle(self.known.webhook_id, command, context)


def pause(bounds: Bounds, attempt: int, asked: float = 0.0) -> float:
    """Seconds after the attempt (0 is the first): doubling, with jitter, so that those who failed together do not come back together; not
    less than was `asked`, where that is no more than the longest."""
    grown = min(bounds.first * 2.0 ** min(attempt, 30), bounds.longest) * random.uniform(0.75, 1.0)
    return float(max(grown, min(asked, bounds.longest)))


class Courier:
    """Keeps one task for each webhook that is to be told."""

    delivery: type[Delivery] = Delivery

    def __init__(self, app: App, bounds: Bounds | None = None, private: bool | None = None) -> None:
        self.app, self.bounds, self.book = app, bounds or Bounds(), book_of(app)
        self.private = private_allowed() if private is None else private
        self._changed = asyncio.Event()
        self._running: dict[UUID, tuple[Known, asyncio.Event, asyncio.Task[None]]] = {}

    def subscription(self) -> Subscription:
        return Subscription(NAME, self._take, start="now", beside=self.run, concerns=concerns)

    async def _take(self, rows: Sequence[Recorded], position: int) -> None:
        """Wakes whom it concerns."""
        if any(row.type in _OWN for row in rows):
            self._changed.set()
        communities = {row.community_id for row in rows if row.type in _TOLD}
        for known, grown, _ in self._running.values():
            if known.community_id in communities:
                grown.set()
        await advance(await self.app.database.folds(), NAME, position, rows[-1].position)

    async def run(self) -> None:
        try:
            while True:
                self._changed.clear()
                await self._settle()
                await set_within(self._changed, LOOK)
        finally:
            await self._end([*self._running])

    async def _settle(self) -> None:
        wanted = {known.webhook_id: known for known in await self.book.all() if not isinstance(known.webhook, SwitchedOff)}
        await self._end([i for i, (known, _, task) in self._running.items()
                         if i not in wanted or not wanted[i].is_told_as(known.webhook.target) or task.done()])
        for webhook_id in wanted.keys() - self._running.keys():
            self._begin(wanted[webhook_id])

    def _begin(self, known: Known) -> None:
        grown = asyncio.Event()
        task = asyncio.create_task(self.delivery(self.app, known, self.bounds, grown, self.private).run())
        self._running[known.webhook_id] = known, grown, task

    async def _end(self, ids: Sequence[UUID]) -> None:
        """When they have ended, so that a webhook never has two tasks."""
        tasks = [self._running.pop(webhook_id)[2] for webhook_id in ids]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def concerns(row: Recorded) -> bool:
    return row.source is None and row.type in _CONCERN
