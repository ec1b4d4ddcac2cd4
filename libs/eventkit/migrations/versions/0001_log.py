"""The log's tables and its two functions."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("select 1")  # opens the transaction that the script below has to run in
    script = (Path(__file__).parents[1] / "log.sql").read_text()
    connection = op.get_bind().connection.dbapi_connection
    assert connection is not None
    connection.run_async(lambda c: c.execute(script))
