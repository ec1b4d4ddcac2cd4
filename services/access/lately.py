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

    def begins(self, what_id: UUID, row: Recorded) -> None:
        self._since[what_id] = row.recorded_at

    def ends(self, what_id: UUID, person_id: UUID, what: Struct | None, row: Recorded) -> None:
        if what is None or (row.community_id, person_id) in self._erased:
            return
        while self._ended and self._ended[0].until + BELIEVED < row.recorded_at:
            self._ended.popleft()
        since, until = self._since.pop(what_id, row.recorded_at), row.recorded_at
        what = replace(what, until=until) if isinstance(what, KnownCredential | KnownRight) else what
        self._ended.append(Ended(row.community_id, person_id, what_id, what, since, until))

    def forget(self, community_id: UUID, person_id: UUID) -> None:
        self._erased.add((community_id, person_id))
        self._ended = deque(one for one in self._ended if (one.community_id, one.person_id) != (community_id, person_id))

    def so(self, community_id: UUID, at: datetime, kind: type[T]) -> Iterator[tuple[Ended, T]]:
        """What was so at that moment and has ended since."""
        for one in takewhile(lambda ended: ended.until > at, reversed(self._ended)):
            if one.community_id == community_id and one.since <= at and isinstance(one.what, kind):
                yield one, one.what

    def of(self, community_id: UUID, person_id: UUID | None, at: datetime, kind: type[T]) -> list[T]:
        return [what for ended, what in self.so(community_id, at, kind) if ended.person_id == person_id]


async def revoked_since(
    app: App, lately: Lately, community_id: UUID, means: str, index: str, at: datetime,
) -> KnownCredential | None:
    """Which credential the number with this blind index was then, if it was revoked since: its index went with it, so that its number is
    asked of the log."""
    for ended, credential in lately.so(community_id, at, KnownCredential):
        rows = await app.log.stream(f"{CREDENTIALS.category}:{ended.id}") if index and credential.kind == means else []
        for issued in (event for row in rows if isinstance(event := app.catalogue.read(row), CredentialIssued)):
            number = await app.keyring.open(issued.number)
            if isinstance(number, bytes) and app.blind.of(community_id, means, number.decode()) == index:
                return credential
    return None
