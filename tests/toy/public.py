"""What others may hear of the toy service."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.eventkit.commands import Public
from libs.eventkit.recorded import Recorded
from tests.toy.accounts import Added

LARGE = 100


class ToyAdded(Struct, frozen=True, tag="toy.added"):
    account_id: UUID
    amount: int


class ToyLargeAdded(Struct, frozen=True, tag="toy.large_added"):
    account_id: UUID


CONTRACTS = (ToyAdded, ToyLargeAdded)


def publish(event: Any, row: Recorded) -> tuple[Public, ...]:
    """A large sum is told twice: two public events of one private one."""
    if not isinstance(event, Added):
        return ()
    account_id = UUID(row.subject.rpartition(":")[2])
    large = (Public(ToyLargeAdded(account_id)),) if event.amount >= LARGE else ()
    return (Public(ToyAdded(account_id, event.amount)), *large)
