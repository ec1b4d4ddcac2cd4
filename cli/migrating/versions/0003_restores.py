"""What was put back from a backup, and what that lost."""

from alembic import op

from cli.migrating.statements import SQL

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute((SQL / "restores.sql").read_text())
