"""View: what was added to each account, as decided and as heard."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, MetaData, Table, Uuid

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from tests.toy.accounts import Added, Noted
from tests.toy.public import ToyAdded

POISON = 666
SUMS = Table(
    "sums", MetaData(),
    Column("community_id", Uuid, primary_key=True), Column("account_id", Uuid, primary_key=True),
    Column("own", BigInteger), Column("heard", BigInteger), Column("noted", BigInteger), Column("seen", BigInteger))


def account_of(event: Any, row: Recorded) -> UUID:
    return event.account_id if isinstance(event, ToyAdded) else UUID(row.subject.rpartition(":")[2])


def reads(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, Added | Noted | ToyAdded):
        yield {"account_id": account_of(event, row)}


def project(rows: Rows, event: Any, row: Recorded) -> None:
    """Adds up, so that an event taken twice or not at all shows."""
    columns = {Added: "own", ToyAdded: "heard", Noted: "noted"}
    if type(event) not in columns:
        return
    if event.amount == POISON:
        raise ValueError("poison")
    account_id, column = account_of(event, row), columns[type(event)]
    before = rows.get(account_id=account_id) or {"own": 0, "heard": 0, "noted": 0, "seen": 0}
    rows.put(account_id=account_id, **{
        **{c: before[c] for c in ("own", "heard", "noted")}, column: before[column] + event.amount, "seen": before["seen"] + 1})


VIEW = View(table=SUMS, project=project, reads=reads)
