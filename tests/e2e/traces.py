"""Where something personal is to be found in a whole stack: in the clear (S11), or in a box for which there still is a key (S12).

`in_the_clear` and `in_boxes` are given what was planted and answer where it lies; nothing is what they are to answer."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from libs.eventkit.privacy import KEY_COLUMNS, Keks, KeyRecord, MissingKek, Tampered, open_box
from libs.eventkit.sealed import Sealed
from tests.e2e.conftest import Stack
from tests.e2e.plain_text import everywhere

BOX = re.compile(r'\{[^{}]*"box"[^{}]*\}')
FIELDS = {"key_id", "event_id", "slot", "box"}


class Trace(Struct, frozen=True):
    """`subject`: whose key opened the box; of what lies in the clear nobody's."""

    place: str
    value: str
    subject: str = ""


class Found(Struct):
    """All that a stack has written down, and the keys that there are, each with its subject."""

    places: dict[str, str]
    keys: dict[UUID, tuple[str, bytes]]

    def in_the_clear(self, planted: Sequence[str]) -> list[Trace]:
        return [Trace(place, value) for place, text in self.places.items() for value in planted if value in text]

    def in_boxes(self, planted: Sequence[str]) -> list[Trace]:
        wanted = {value: value.encode() for value in planted}
        return [
            Trace(place, value, subject) for place, text in self.places.items() for subject, plain in self._opened(boxes_in(text))
            for value, raw in wanted.items() if raw in plain]

    def _opened(self, boxes: Iterable[Sealed]) -> Iterable[tuple[str, bytes]]:
        for box in set(boxes):
            if (key := self.keys.get(box.key_id)) is not None:
                yield key[0], open_box(key[1], box)


def boxes_in(text: str) -> Iterable[Sealed]:
    for found in BOX.findall(text):
        try:
            fields: dict[str, Any] = json.loads(found)
        except ValueError:
            continue
        if fields.keys() == FIELDS:
            yield Sealed(UUID(fields["key_id"]), UUID(fields["event_id"]), fields["slot"], fields["box"])


async def traces(stack: Stack) -> Found:
    places = await everywhere(stack)
    keys, keks = dict[UUID, tuple[str, bytes]](), Keks.load(stack.place.secrets)
    for name, owner in stack.status["databases"].items():
        connection = await asyncpg.connect(owner.replace(f"{name}_owner@", "postgres@"))
        try:
            for row in await connection.fetch(f"select {KEY_COLUMNS} from keys where wrapped is not null"):
                record = KeyRecord(*row)
                try:
                    keys[record.key_id] = (record.subject, keks.unwrap(record))
                except (MissingKek, Tampered):
                    continue
        finally:
            await connection.close()
    return Found(places, keys)
