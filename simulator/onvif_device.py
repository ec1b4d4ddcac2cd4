"""One simulated ONVIF camera: what it sees, and for each subscription what that has not fetched yet."""

import asyncio
from collections import Counter, deque
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from simulator.onvif_bodies import Event, Items

KEPT = 500
"""Notifications that a subscription holds."""


class CameraConfig(Struct, frozen=True, kw_only=True):
    """Addresses are host:port. `sign_in`: what it wants of every request but that for the time. `clock_seconds`: how far its clock is
    ahead. `lasts`: seconds, the longest that a subscription is granted. `inner`: the address that it tells of itself, as
    http://host; its own where that is empty. `old`: without GetServices, else without GetCapabilities. `told_apart_by`: where the
    number of a subscription stands."""

    device_id: str
    name: str
    listen: str
    control: str
    password_file: str
    user: str = "admin"
    sign_in: Literal["digest", "wsse"] = "digest"
    clock_seconds: float = 0.0
    lasts: float = 60.0
    renews: bool = True
    inner: str = ""
    old: bool = True
    told_apart_by: Literal["parameter", "query"] = "parameter"


class Seen(Struct, frozen=True):
    """What the camera sees; `operation` empty: no property, but something that happened."""

    topic: str = "tns1:RuleEngine/CellMotionDetector/Motion"
    operation: Literal["Initialized", "Changed", "Deleted", ""] = "Changed"
    source: Items = field(default_factory=lambda: {"VideoSourceConfigurationToken": "1"})
    data: Items = field(default_factory=lambda: {"IsMotion": "true"})


class Subscription:
    def __init__(self, number: str, ends: float) -> None:
        self.number, self.ends = number, ends
        self.queue = deque[Event](maxlen=KEPT)
        self.waiting = asyncio.Event()

    def tell(self, event: Event) -> None:
        self.queue.append(event)
        self.waiting.set()


class Camera:
    def __init__(self, config: CameraConfig) -> None:
        self.config = config
        self.done = Counter[str]()
        self.stopped = False
        self._subscriptions: dict[str, Subscription] = {}
        self._number = 0
        self._properties: dict[tuple[str, tuple[str, ...]], Event] = {}
        for topic, source, data in (
            ("tns1:RuleEngine/CellMotionDetector/Motion", {"VideoSourceConfigurationToken": "1"}, {"IsMotion": "false"}),
            ("tns1:Device/Trigger/DigitalInput", {"InputToken": "1"}, {"LogicalState": "false"}),
        ):
            self.sees(Seen(topic, "Changed", source, data))

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.config.clock_seconds)

    @property
    def living(self) -> list[Subscription]:
        """What ended because nobody renewed it is gone."""
        now = asyncio.get_running_loop().time()
        for each in [each for each in self._subscriptions.values() if each.ends <= now]:
            self.end(each, "lapsed")
        return [*self._subscriptions.values()]

    def find(self, number: str) -> Subscription | None:
        return next((each for each in self.living if each.number == number), None)

    def sees(self, seen: Seen) -> None:
        event = Event(seen.topic, seen.operation, seen.source, seen.data, self.now)
        key = (event.topic, tuple(event.source.values()))
        if event.operation == "Deleted":
            self._properties.pop(key, None)
        elif event.operation:
            self._properties[key] = event
        for each in self.living if self._subscriptions else ():
            each.tell(event)

    def subscribe(self, asked: float) -> Subscription:
        """It begins with how everything stands."""
        self._number += 1
        found = Subscription(str(self._number), 0.0)
        self.prolong(found, asked)
        self._subscriptions[found.number] = found
        for event in self._properties.values():
            found.tell(replace(event, operation="Initialized"))
        return found

    def prolong(self, subscription: Subscription, asked: float) -> None:
        subscription.ends = asyncio.get_running_loop().time() + min(asked, self.config.lasts)

    def end(self, subscription: Subscription, why: str) -> None:
        self.done[why] += 1
        del self._subscriptions[subscription.number]
        subscription.waiting.set()

    def restart(self) -> int:
        """Forgets all subscriptions; how many there were."""
        gone = self.living
        for each in gone:
            self.end(each, "forgotten")
        return len(gone)

    def stop(self) -> None:
        self.stopped = True
        for each in self._subscriptions.values():
            each.waiting.set()
