"""A queue remembers under which policy its open cards were drawn: with other labels they are drawn anew."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queue", sa.Column("drawn_under", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("queue", "drawn_under")
