"""The log's tables, and how it is appended to."""
from pathlib import Path
from alembic import op

revision = "0001"
down_revision = None

def upgrade() -> None:
    op.execute((Path(__file__).parents[1] / "log.sql").read_text())
