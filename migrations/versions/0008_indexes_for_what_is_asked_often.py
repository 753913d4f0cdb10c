"""Indexes for what is asked often, so that it does not become slower with the rows that are stored"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# name, table, columns, condition on PostgreSQL, on SQLite
PARTIAL = (
    (
        "ix_correction_error",
        "correction",
        ["queue_id", "label"],
        "is_current AND NOT model_was_right",
        "is_current = 1 AND model_was_right = 0",
    ),
    ("ix_prediction_unguessed", "prediction", ["queue_id"], "label IS NULL", "label IS NULL"),
    ("ix_flag_audit", "flag", ["prediction_id"], "reason = 'audit'", "reason = 'audit'"),
    ("ix_posting_claimed", "posting", ["claimed_until"], "claimed_until IS NOT NULL", "claimed_until IS NOT NULL"),
    ("ix_posting_broken", "posting", ["channel", "broken"], "broken != ''", "broken != ''"),
    ("ix_notice_claimed", "notice", ["claimed_until"], "claimed_until IS NOT NULL", "claimed_until IS NOT NULL"),
    ("ix_notice_broken", "notice", ["channel", "broken"], "broken != ''", "broken != ''"),
)


def upgrade() -> None:
    op.create_index("ix_correction_item_id", "correction", ["item_id"], unique=False)
    op.create_index("ix_correction_queue_id_id", "correction", ["queue_id", "id"], unique=False)
    op.create_index("ix_review_item_queue_id_state_id", "review_item", ["queue_id", "state", "id"], unique=False)
    op.drop_index("ix_review_item_queue_id_state", table_name="review_item")
    for name, table, columns, postgres, sqlite in PARTIAL:
        op.create_index(
            name, table, columns, unique=False, postgresql_where=sa.text(postgres), sqlite_where=sa.text(sqlite)
        )


def downgrade() -> None:
    for name, table, *_rest in PARTIAL:
        op.drop_index(name, table_name=table)
    op.create_index("ix_review_item_queue_id_state", "review_item", ["queue_id", "state"], unique=False)
    op.drop_index("ix_review_item_queue_id_state_id", table_name="review_item")
    op.drop_index("ix_correction_queue_id_id", table_name="correction")
    op.drop_index("ix_correction_item_id", table_name="correction")
