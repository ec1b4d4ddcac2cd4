"""Who may sign in, and as what?"""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import Column, DateTime, MetaData, Select, String, Table, Uuid, select

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.identity.domain.accounts import AccountClosed, AccountOpened

TABLE = Table(
    "accounts", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("account_id", Uuid, primary_key=True),
    Column("person_id", Uuid), Column("role", String), Column("opened_at", DateTime(timezone=True)))


def reads(event: object, row: Recorded) -> Iterable[Where]:
    return [{"account_id": event.account_id}] if isinstance(event, AccountOpened | AccountClosed) else []


def project(rows: Rows, event: object, row: Recorded) -> None:
    match event:
        case AccountOpened():
            rows.put(
                account_id=event.account_id, person_id=event.person_id, role=event.role, opened_at=row.recorded_at)
        case AccountClosed(account_id=account_id):
            rows.remove({"account_id": account_id})


def page_of(roles: Collection[str], after: UUID | None, limit: int) -> Select[tuple[object, ...]]:
    c = TABLE.c
    query = select(c.account_id.label("id"), c.person_id, c.role, c.opened_at).where(c.role.in_(sorted(roles)))
    return (query.where(c.account_id > after) if after else query).order_by(c.account_id).limit(limit)


def of_person(person_id: UUID, limit: int) -> Select[tuple[object, ...]]:
    c = TABLE.c
    return select(c.account_id.label("id"), c.role, c.opened_at).where(c.person_id == person_id).order_by(c.account_id).limit(limit)


VIEW = View(table=TABLE, project=project, reads=reads)
