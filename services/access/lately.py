"""What has ended lately, and since when it had been so.

Whom a reader has let in by itself is judged as of then, though we hear of it when their card is revoked or their right is over
(`domain/admission.py`, 10). As far back as a device's clock is believed (decision 28), and nothing of who is erased.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.access.domain.admission import KnownCredential, KnownRight
from services.access.domain.credentials import CREDENTIALS, CredentialIssued

BELIEVED = timedelta(days=31)
T = TypeVar("T", bound=Struct)


class Ended(Struct, frozen=True):
    community_id: UUID
    person_id: UUID
    id: UUID
    what: Struct
    since: datetime
    until: datetime


class Lately:
    """A fold of the log, in its order."""

    def __init__(self) -> None:
        self._since: dict[UUID, datetime] = {}
        self._ended: deque[Ended] = deque()
        self._erased: set[tuple[UUID, UUID]] = set()
        self._indexes: dict[UUID, frozenset[str]] = {}

    def begins(self, what_id: UUID, row: Recorded) -> None:
        self._since[what_id] = row.recorded_at

    def ends(self, what_id: UUID, person_id: UUID, what: Struct | None, row: Recorded) -> None:
        if what is None or (row.community_id, person_id) in self._erased:
            return
        while self._ended and self._ended[0].until + BELIEVED < row.recorded_at:
            self._indexes.pop(self._ended.popleft().id, None)
        since, until = self._since.pop(what_id, row.recorded_at), row.recorded_at
        what = replace(what, until=until) if isinstance(what, KnownCredential | KnownRight) else what
        self._ended.append(Ended(row.community_id, person_id, what_id, what, since, until))

    def forget(self, community_id: UUID, person_id: UUID) -> None:
        self._erased.add((community_id, person_id))
        for one in self._ended:
            if (one.community_id, one.person_id) == (community_id, person_id):
                self._indexes.pop(one.id, None)
        self._ended = deque(one for one in self._ended if (one.community_id, one.person_id) != (community_id, person_id))

    def so(self, community_id: UUID, at: datetime, kind: type[T]) -> Iterator[tuple[Ended, T]]:
        """What was so at that moment and has ended since."""
        for one in takewhile(lambda ended: ended.until > at, reversed(self._ended)):
            if one.community_id == community_id and one.since <= at and isinstance(one.what, kind):
                yield one, one.what

    def of(self, community_id: UUID, person_id: UUID | None, at: datetime, kind: type[T]) -> list[T]:
        return [what for ended, what in self.so(community_id, at, kind) if ended.person_id == person_id]

    async def indexes_of(self, app: App, ended: Ended, scope: str) -> frozenset[str]:
        """Of the numbers that a credential had: the claim went with it, so that they are asked of the log, once."""
        if (known := self._indexes.get(ended.id)) is not None:
            return known
        rows = await app.log.stream(f"{CREDENTIALS.category}:{ended.id}")
        issued = [event.number for row in rows if isinstance(event := app.catalogue.read(row), CredentialIssued)]
        numbers = [number for number in await app.keyring.open_all(issued) if isinstance(number, bytes)]
        found = frozenset(app.blind.of(ended.community_id, scope, number.decode()) for number in numbers)
        if len(numbers) == len(issued) and (ended.community_id, ended.person_id) not in self._erased:
            self._indexes[ended.id] = found
        return found


async def revoked_since(
    app: App, lately: Lately, community_id: UUID, means: str, index: str, at: datetime,
) -> KnownCredential | None:
    """Which credential the number with this blind index was then, if it was revoked since."""
    for ended, credential in list(lately.so(community_id, at, KnownCredential)) if index else ():
        if credential.kind == means and index in await lately.indexes_of(app, ended, means):
            return credential
    return None
