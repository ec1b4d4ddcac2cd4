"""Seals over the log, and what is left of the content of a row that retention has blanked."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("alter table events add column hash bytea")
    op.execute(
        "create table seals (n bigint primary key, upto bigint not null, previous bytea not null, hashes bytea not null,"
        " root bytea not null, at timestamptz not null default clock_timestamp())")
    op.execute("alter table seals alter column hashes set storage external")  # hashes do not compress
