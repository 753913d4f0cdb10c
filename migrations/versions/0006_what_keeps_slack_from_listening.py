"""What keeps Slack from listening, whose turn it is to speak, and whether a notice may have been said"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)

    op.create_table(
        "trouble",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("held_until", moment, nullable=True),
        sa.Column("posts_only", sa.Boolean(), nullable=False),
        sa.Column("mended_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trouble")),
    )
    with op.batch_alter_table("trouble", schema=None) as batch_op:
        batch_op.create_index(
            "uq_trouble_open",
            ["channel", "reason"],
            unique=True,
            postgresql_where=sa.text("mended_at IS NULL"),
            sqlite_where=sa.text("mended_at IS NULL"),
        )

    op.create_table(
        "turn",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_turn")),
    )

    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("unconfirmed", sa.Boolean(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_column("unconfirmed")
    op.drop_table("turn")
    op.drop_table("trouble")
