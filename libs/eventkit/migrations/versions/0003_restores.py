"""What was put back from a backup, and what that lost."""
from pathlib import Path
from alembic import op

revision = "0003"
down_revision = "0002"

def upgrade() -> None:
    op.execute((Path(__file__).parents[1] / "restores.sql").read_text())
