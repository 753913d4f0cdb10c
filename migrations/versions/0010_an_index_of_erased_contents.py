"""The index of contents holds those of erased predictions alone: nobody asks for another, and whatever comes in paid for it"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ERASED = sa.text("erased_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_prediction_erased_content",
        "prediction",
        ["queue_id", "content_hash"],
        unique=False,
        postgresql_where=ERASED,
        sqlite_where=ERASED,
    )
    op.drop_index("ix_prediction_queue_id_content_hash", table_name="prediction")


def downgrade() -> None:
    op.create_index("ix_prediction_queue_id_content_hash", "prediction", ["queue_id", "content_hash"], unique=False)
    op.drop_index("ix_prediction_erased_content", table_name="prediction")
