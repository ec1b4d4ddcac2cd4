"""How far each partition had come when a community was told last, so that a topic that has begun anew is known."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute('alter table published add column "offset" bigint not null default 0')
