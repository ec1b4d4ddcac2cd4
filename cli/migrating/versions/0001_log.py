"""The log's tables."""

from alembic import op

from cli.migrating.statements import SQL

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute((SQL / "log.sql").read_text())
