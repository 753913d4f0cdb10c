"""An index of erased predictions: every batch that comes in asks which of its ids are among them"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ERASED = sa.text("erased_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_prediction_erased",
        "prediction",
        ["queue_id", "external_id"],
        unique=False,
        postgresql_where=ERASED,
        sqlite_where=ERASED,
    )


def downgrade() -> None:
    op.drop_index("ix_prediction_erased", table_name="prediction")
