"""The tables of the whole loop."""

import sqlalchemy as sa
from alembic import op

revision = "initial"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)

    op.create_table(
        "group_member",
        sa.Column("id", big_id, nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_member")),
        sa.UniqueConstraint("group_id", "person", name=op.f("uq_group_member_group_id_person")),
    )
    op.create_table(
        "incident",
        sa.Column("id", big_id, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("held_until", moment, nullable=True),
        sa.Column("posts_only", sa.Boolean(), nullable=False),
        sa.Column("resolved_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index(
        "uq_incident_open",
        "incident",
        ["channel", "reason"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
        sqlite_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "job",
        sa.Column("id", big_id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("mutex", sa.String(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("parent_id", big_id, nullable=True),
        sa.Column("shard", sa.Integer(), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", moment, nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=False),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.Column("leased_until", moment, nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["job.id"], name=op.f("fk_job_parent_id_job")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
    )
    op.create_index(op.f("ix_job_parent_id"), "job", ["parent_id"])
    op.create_index(
        "ix_job_ready",
        "job",
        ["priority", "next_attempt_at", "id"],
        postgresql_where=sa.text("state = 'ready'"),
        sqlite_where=sa.text("state = 'ready'"),
    )
    op.create_index(
        "uq_job_mutex_running",
        "job",
        ["mutex"],
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
        sqlite_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.Column("leased_until", moment, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "notice",
        sa.Column("id", big_id, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("delivered_at", moment, nullable=True),
        sa.Column("unconfirmed", sa.Boolean(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", moment, nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=False),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.Column("leased_until", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")),
    )
    op.create_index(
        "ix_notice_due",
        "notice",
        ["next_attempt_at"],
        postgresql_where=sa.text("delivered_at IS NULL AND failure_reason = ''"),
        sqlite_where=sa.text("delivered_at IS NULL AND failure_reason = ''"),
    )
    op.create_index(
        "ix_notice_given_up",
        "notice",
        ["channel", "failure_reason"],
        postgresql_where=sa.text("failure_reason != ''"),
        sqlite_where=sa.text("failure_reason != ''"),
    )
    op.create_index(
        "ix_notice_leased",
        "notice",
        ["leased_until"],
        postgresql_where=sa.text("leased_until IS NOT NULL"),
        sqlite_where=sa.text("leased_until IS NOT NULL"),
    )
    op.create_table(
        "policy_version",
        sa.Column("id", big_id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("stored_at", moment, nullable=False),
        sa.Column("stored_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint("version", name=op.f("uq_policy_version_version")),
    )
    op.create_table(
        "queue",
        sa.Column("id", big_id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("leads_channel", sa.String(), nullable=False),
        sa.Column("guideline_version", sa.Integer(), nullable=False),
        sa.Column("cards_policy_fingerprint", sa.String(), server_default="", nullable=False),
        sa.Column("paused_at", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue")),
        sa.UniqueConstraint("name", name=op.f("uq_queue_name")),
    )
    op.create_table(
        "received_event",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_received_event")),
    )
    op.create_table(
        "reviewer",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("paused_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_reviewer")),
    )
    op.create_table(
        "running_process",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("parts", sa.String(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("policy_problem", sa.Text(), nullable=False),
        sa.Column("seen_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_running_process")),
    )
    op.create_table(
        "schedule",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("last_slot", moment, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_schedule")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", big_id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("queue_id", big_id, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("last_used_at", moment, nullable=True),
        sa.Column("revoked_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_api_token_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
        sa.UniqueConstraint("name", name=op.f("uq_api_token_name")),
    )
    op.create_table(
        "daily_reading",
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("began_at", moment, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("none_of_these", sa.Integer(), nullable=False),
        sa.Column("settled", sa.JSON(), nullable=False),
        sa.Column("wrong", sa.JSON(), nullable=False),
        sa.Column("confidences", sa.JSON(), nullable=False),
        sa.Column("looked_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_daily_reading_queue_id_queue")),
        sa.PrimaryKeyConstraint("queue_id", "began_at", name=op.f("pk_daily_reading")),
    )
    op.create_table(
        "event",
        sa.Column("id", big_id, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("addressed_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_event_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("key", name=op.f("uq_event_key")),
    )
    op.create_index(
        "ix_event_unaddressed",
        "event",
        ["id"],
        postgresql_where=sa.text("addressed_at IS NULL"),
        sqlite_where=sa.text("addressed_at IS NULL"),
    )
    op.create_table(
        "flag_cut",
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("cut", sa.Double(), nullable=False),
        sa.Column("others_cut", sa.Double(), nullable=False),
        sa.Column("budget_cut", sa.Double(), nullable=False),
        sa.Column("scores", sa.Integer(), nullable=False),
        sa.Column("volume", sa.Integer(), nullable=True),
        sa.Column("policy_fingerprint", sa.String(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_flag_cut_queue_id_queue")),
        sa.PrimaryKeyConstraint("queue_id", name=op.f("pk_flag_cut")),
    )
    op.create_table(
        "guideline",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_guideline_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guideline")),
        sa.UniqueConstraint("queue_id", "version", name=op.f("uq_guideline_queue_id_version")),
    )
    op.create_table(
        "label_suspect",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("about", sa.String(32), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("suggested", sa.String(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("found_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_label_suspect_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_suspect")),
    )
    op.create_index("ix_label_suspect_queue_id", "label_suspect", ["queue_id"])
    op.create_index(
        "uq_label_suspect_listed",
        "label_suspect",
        ["queue_id", "about", "source", "subject_id"],
        unique=True,
        postgresql_where=sa.text("item_id IS NULL"),
        sqlite_where=sa.text("item_id IS NULL"),
    )
    op.create_table(
        "member",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("inactive_because", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_member_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("queue_id", "person", "role", name=op.f("uq_member_queue_id_person_role")),
    )
    op.create_index(op.f("ix_member_person"), "member", ["person"])
    op.create_table(
        "picture",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("grey", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("erased_at", moment, nullable=True),
        sa.Column("file_id", sa.String(), nullable=True),
        sa.Column("upload_began_at", moment, nullable=True),
        sa.Column("file_ready_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_picture_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture")),
        sa.UniqueConstraint("queue_id", "sha256", name=op.f("uq_picture_queue_id_sha256")),
    )
    op.create_index(
        "ix_picture_erased_at",
        "picture",
        ["erased_at"],
        postgresql_where=sa.text("erased_at IS NOT NULL"),
        sqlite_where=sa.text("erased_at IS NOT NULL"),
    )
    op.create_table(
        "picture_set",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_picture_set_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_set")),
        sa.UniqueConstraint("queue_id", "sha256", "address", name=op.f("uq_picture_set_queue_id_sha256_address")),
    )
    op.create_index("ix_picture_set_address", "picture_set", ["queue_id", "address"])
    op.create_table(
        "posting",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("card", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("recipient_kind", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("requested_version", sa.Integer(), nullable=False),
        sa.Column("delivered_version", sa.Integer(), nullable=False),
        sa.Column("requested_at", moment, nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("unconfirmed", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", moment, nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=False),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.Column("leased_until", moment, nullable=True),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_posting_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting")),
        sa.UniqueConstraint("card", "subject_id", "recipient", name=op.f("uq_posting_card_subject_id_recipient")),
        sa.UniqueConstraint("channel", "ts", name=op.f("uq_posting_channel_ts")),
    )
    op.create_index(
        "ix_posting_due",
        "posting",
        ["urgent", "next_attempt_at"],
        postgresql_where=sa.text("requested_version > delivered_version AND failure_reason = ''"),
        sqlite_where=sa.text("requested_version > delivered_version AND failure_reason = ''"),
    )
    op.create_index(
        "ix_posting_given_up",
        "posting",
        ["channel", "failure_reason"],
        postgresql_where=sa.text("failure_reason != ''"),
        sqlite_where=sa.text("failure_reason != ''"),
    )
    op.create_index(
        "ix_posting_leased",
        "posting",
        ["leased_until"],
        postgresql_where=sa.text("leased_until IS NOT NULL"),
        sqlite_where=sa.text("leased_until IS NOT NULL"),
    )
    op.create_table(
        "prediction",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("image_url", sa.String(), nullable=True),
        sa.Column("group", sa.String(), nullable=True),
        sa.Column("link", sa.String(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("probabilities", sa.JSON(), nullable=True),
        sa.Column("suspicion", sa.Double(), nullable=True),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("lot_probability", sa.Double(), nullable=False),
        sa.Column("flag_probability", sa.Double(), nullable=False),
        sa.Column("held_back_probability", sa.Double(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("erased_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_prediction_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prediction")),
        sa.UniqueConstraint(
            "queue_id", "external_id", "model_version", name=op.f("uq_prediction_queue_id_external_id_model_version")
        ),
        postgresql_with={
            "autovacuum_vacuum_insert_scale_factor": 0,
            "autovacuum_vacuum_insert_threshold": 10_000,
        },
    )
    op.create_index(
        "ix_prediction_erased",
        "prediction",
        ["queue_id", "external_id"],
        postgresql_where=sa.text("erased_at IS NOT NULL"),
        sqlite_where=sa.text("erased_at IS NOT NULL"),
    )
    op.create_index(
        "ix_prediction_erased_content",
        "prediction",
        ["queue_id", "content_hash"],
        postgresql_where=sa.text("erased_at IS NOT NULL"),
        sqlite_where=sa.text("erased_at IS NOT NULL"),
    )
    op.create_index(
        "ix_prediction_image_url",
        "prediction",
        ["queue_id", "image_url"],
        postgresql_where=sa.text("image_url IS NOT NULL"),
        sqlite_where=sa.text("image_url IS NOT NULL"),
    )
    op.create_index("ix_prediction_queue_id_created_at", "prediction", ["queue_id", "created_at"])
    op.create_index(
        "ix_prediction_traffic",
        "prediction",
        ["queue_id", "model_version", "created_at", "label", "lot_probability", "flag_probability"],
    )
    op.create_index(
        "ix_prediction_unguessed",
        "prediction",
        ["queue_id"],
        postgresql_where=sa.text("label IS NULL"),
        sqlite_where=sa.text("label IS NULL"),
    )
    op.create_table(
        "promise_state",
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("promised", sa.Double(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("cut", sa.Double(), nullable=True),
        sa.Column("audits_then", sa.Integer(), nullable=False),
        sa.Column("said", sa.Boolean(), nullable=False),
        sa.Column("audits", sa.Integer(), nullable=False),
        sa.Column("audits_needed", sa.Integer(), nullable=False),
        sa.Column("items_a_day", sa.Integer(), nullable=True),
        sa.Column("within_budget", sa.Double(), nullable=False),
        sa.Column("agreed_items", sa.Integer(), nullable=True),
        sa.Column("agreed_by", sa.String(), nullable=True),
        sa.Column("agreed_at", moment, nullable=True),
        sa.Column("made_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_promise_state_queue_id_queue")),
        sa.PrimaryKeyConstraint("queue_id", name=op.f("pk_promise_state")),
    )
    op.create_table(
        "seed_example",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("image_url", sa.String(), nullable=True),
        sa.Column("group", sa.String(), nullable=True),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("erased_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_seed_example_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seed_example")),
        sa.UniqueConstraint("queue_id", "content_hash", name=op.f("uq_seed_example_queue_id_content_hash")),
    )
    op.create_index(op.f("ix_seed_example_image_url"), "seed_example", ["image_url"])
    op.create_table(
        "snapshot",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("near_golden_left_out", sa.Integer(), nullable=False),
        sa.Column("graduated", sa.Integer(), nullable=False),
        sa.Column("graduates_left_out", sa.Integer(), nullable=False),
        sa.Column("golden_up_to", sa.BigInteger(), nullable=False),
        sa.Column("policy_fingerprint", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_snapshot_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
    )
    op.create_index(op.f("ix_snapshot_queue_id"), "snapshot", ["queue_id"])
    op.create_table(
        "synthetic_batch",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("mistaken_for", sa.String(), nullable=True),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("prompt_version", sa.String(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", moment, nullable=False),
        sa.Column("written_at", moment, nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("retired_by", sa.String(), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("problem_values", sa.JSON(), nullable=False),
        sa.Column("policy_fingerprint", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_synthetic_batch_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synthetic_batch")),
    )
    op.create_index(
        "uq_synthetic_batch_unfinished",
        "synthetic_batch",
        ["queue_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('requested', 'sampled')"),
        sqlite_where=sa.text("state IN ('requested', 'sampled')"),
    )
    op.create_table(
        "unknown_label",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_unknown_label_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unknown_label")),
        sa.UniqueConstraint("queue_id", "label", name=op.f("uq_unknown_label_queue_id_label")),
    )
    op.create_table(
        "weak_slice",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("others", sa.Double(), nullable=False),
        sa.Column("p_value", sa.Double(), nullable=False),
        sa.Column("whys", sa.JSON(), nullable=False),
        sa.Column("missed", sa.String(), nullable=True),
        sa.Column("familiar", sa.JSON(), nullable=False),
        sa.Column("is_weak", sa.Boolean(), nullable=False),
        sa.Column("found_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_weak_slice_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weak_slice")),
        sa.UniqueConstraint("queue_id", "model_version", "key", name=op.f("uq_weak_slice_queue_id_model_version_key")),
    )
    op.create_table(
        "event_delivery",
        sa.Column("id", big_id, nullable=False),
        sa.Column("event_id", big_id, nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", moment, nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=False),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.Column("leased_until", moment, nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_event_delivery_event_id_event")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_delivery")),
        sa.UniqueConstraint("event_id", "endpoint", name=op.f("uq_event_delivery_event_id_endpoint")),
    )
    op.create_index(
        "ix_event_delivery_dead",
        "event_delivery",
        ["endpoint"],
        postgresql_where=sa.text("state = 'dead'"),
        sqlite_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_event_delivery_due",
        "event_delivery",
        ["next_attempt_at"],
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_event_delivery_leased",
        "event_delivery",
        ["leased_until"],
        postgresql_where=sa.text("leased_until IS NOT NULL"),
        sqlite_where=sa.text("leased_until IS NOT NULL"),
    )
    op.create_table(
        "flag",
        sa.Column("id", big_id, nullable=False),
        sa.Column("prediction_id", big_id, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("inclusion_probability", sa.Double(), nullable=False),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("policy_fingerprint", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["prediction_id"], ["prediction.id"], name=op.f("fk_flag_prediction_id_prediction")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag")),
        sa.UniqueConstraint("prediction_id", "reason", name=op.f("uq_flag_prediction_id_reason")),
    )
    op.create_index(
        "ix_flag_audit",
        "flag",
        ["prediction_id"],
        postgresql_where=sa.text("reason = 'audit'"),
        sqlite_where=sa.text("reason = 'audit'"),
    )
    op.create_table(
        "golden_example",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("image_url", sa.String(), nullable=True),
        sa.Column("group", sa.String(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("stratum", sa.String(32), nullable=False),
        sa.Column("origin", sa.String(32), nullable=False),
        sa.Column("inclusion_probability", sa.Double(), nullable=False),
        sa.Column("correction_id", sa.BigInteger(), nullable=True),
        sa.Column("revised_by", sa.BigInteger(), nullable=True),
        sa.Column("label_as_of", sa.BigInteger(), nullable=False),
        sa.Column("graduated_in", big_id, nullable=True),
        sa.Column("withdrawn_at", moment, nullable=True),
        sa.Column("pin", sa.Integer(), nullable=True),
        sa.Column("pinned_by", sa.String(), nullable=True),
        sa.Column("pinned_at", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("erased_at", moment, nullable=True),
        sa.CheckConstraint("pin BETWEEN 1 AND 10", name=op.f("ck_golden_example_pin")),
        sa.CheckConstraint(
            "pin IS NULL OR (withdrawn_at IS NULL AND erased_at IS NULL)", name=op.f("ck_golden_example_pin_measures")
        ),
        sa.ForeignKeyConstraint(
            ["graduated_in"], ["snapshot.id"], name=op.f("fk_golden_example_graduated_in_snapshot")
        ),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_golden_example_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_golden_example")),
        sa.UniqueConstraint("queue_id", "content_hash", name=op.f("uq_golden_example_queue_id_content_hash")),
        sa.UniqueConstraint("queue_id", "pin", name=op.f("uq_golden_example_queue_id_pin")),
    )
    op.create_index(op.f("ix_golden_example_image_url"), "golden_example", ["image_url"])
    op.create_table(
        "slice_request",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("slice_id", big_id, nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("policy_fingerprint", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_slice_request_queue_id_queue")),
        sa.ForeignKeyConstraint(["slice_id"], ["weak_slice.id"], name=op.f("fk_slice_request_slice_id_weak_slice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slice_request")),
    )
    op.create_index(
        "ix_slice_request_open",
        "slice_request",
        ["queue_id"],
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "uq_slice_request_open",
        "slice_request",
        ["slice_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "snapshot_row",
        sa.Column("snapshot_id", big_id, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_snapshot_row_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("snapshot_id", "position", name=op.f("pk_snapshot_row")),
    )
    op.create_table(
        "synthetic_call",
        sa.Column("id", big_id, nullable=False),
        sa.Column("batch_id", big_id, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sent", sa.JSON(), nullable=False),
        sa.Column("sent_tokens", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=True),
        sa.Column("tokens_out", sa.Integer(), nullable=True),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("answered_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["synthetic_batch.id"], name=op.f("fk_synthetic_call_batch_id_synthetic_batch")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synthetic_call")),
        sa.UniqueConstraint("batch_id", "position", name=op.f("uq_synthetic_call_batch_id_position")),
    )
    op.create_table(
        "synthetic_text",
        sa.Column("id", big_id, nullable=False),
        sa.Column("batch_id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("dropped_because", sa.String(), nullable=False),
        sa.Column("erased_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["synthetic_batch.id"], name=op.f("fk_synthetic_text_batch_id_synthetic_batch")
        ),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_synthetic_text_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synthetic_text")),
        sa.UniqueConstraint("batch_id", "content_hash", name=op.f("uq_synthetic_text_batch_id_content_hash")),
    )
    op.create_index("ix_synthetic_text_queue_id_content_hash", "synthetic_text", ["queue_id", "content_hash"])
    op.create_table(
        "training_run",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("trigger", sa.String(32), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=True),
        sa.Column("requested_at", moment, nullable=False),
        sa.Column("last_correction_id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", big_id, nullable=True),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("progress", sa.String(), nullable=False),
        sa.Column("progress_values", sa.JSON(), nullable=False),
        sa.Column("weighing", sa.String(), nullable=False),
        sa.Column("weighing_values", sa.JSON(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("problem_values", sa.JSON(), nullable=False),
        sa.Column("policy_fingerprint", sa.String(), nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_training_run_queue_id_queue")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_training_run_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_run")),
    )
    op.create_index("ix_training_run_queue_id", "training_run", ["queue_id"])
    op.create_index(
        "uq_training_run_requested",
        "training_run",
        ["queue_id"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
        sqlite_where=sa.text("state = 'requested'"),
    )
    op.create_table(
        "waiting_prediction",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("prediction_id", big_id, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("scored_by", sa.String(), nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("came_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["prediction.id"], name=op.f("fk_waiting_prediction_prediction_id_prediction")
        ),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_waiting_prediction_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_prediction")),
        sa.UniqueConstraint("prediction_id", "reason", name=op.f("uq_waiting_prediction_prediction_id_reason")),
    )
    op.create_index("ix_waiting_prediction_line", "waiting_prediction", ["queue_id", "ended_at", "score"])
    op.create_table(
        "delivery_attempt",
        sa.Column("id", big_id, nullable=False),
        sa.Column("delivery_id", big_id, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["event_delivery.id"], name=op.f("fk_delivery_attempt_delivery_id_event_delivery")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempt")),
    )
    op.create_index(op.f("ix_delivery_attempt_delivery_id"), "delivery_attempt", ["delivery_id"])
    op.create_table(
        "drift_alarm",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("began_at", moment, nullable=False),
        sa.Column("signs", sa.JSON(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("run_id", big_id, nullable=True),
        sa.Column("policy_fingerprint", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_drift_alarm_queue_id_queue")),
        sa.ForeignKeyConstraint(["run_id"], ["training_run.id"], name=op.f("fk_drift_alarm_run_id_training_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift_alarm")),
        sa.UniqueConstraint("queue_id", "began_at", name=op.f("uq_drift_alarm_queue_id_began_at")),
    )
    op.create_table(
        "golden_change",
        sa.Column("id", big_id, nullable=False),
        sa.Column("golden_id", big_id, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("former_label", sa.String(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["golden_id"], ["golden_example.id"], name=op.f("fk_golden_change_golden_id_golden_example")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_golden_change")),
    )
    op.create_index(op.f("ix_golden_change_golden_id"), "golden_change", ["golden_id"])
    op.create_table(
        "hand_out",
        sa.Column("run_id", big_id, nullable=False),
        sa.Column("snapshot_id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("handed_out_at", moment, nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("submitted_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_hand_out_queue_id_queue")),
        sa.ForeignKeyConstraint(["run_id"], ["training_run.id"], name=op.f("fk_hand_out_run_id_training_run")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_hand_out_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_hand_out")),
        sa.UniqueConstraint("snapshot_id", name=op.f("uq_hand_out_snapshot_id")),
    )
    op.create_index(op.f("ix_hand_out_queue_id"), "hand_out", ["queue_id"])
    op.create_table(
        "model_version",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("run_id", big_id, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("learner", sa.String(), nullable=False),
        sa.Column("parameters_fingerprint", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("asked_at", moment, nullable=True),
        sa.Column("reminded_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_model_version_queue_id_queue")),
        sa.ForeignKeyConstraint(["run_id"], ["training_run.id"], name=op.f("fk_model_version_run_id_training_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_version")),
        sa.UniqueConstraint("queue_id", "version", name=op.f("uq_model_version_queue_id_version")),
        sa.UniqueConstraint("run_id", name=op.f("uq_model_version_run_id")),
    )
    op.create_table(
        "artifact",
        sa.Column("model_id", big_id, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("purged_at", moment, nullable=True),
        sa.Column("runtime", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model_version.id"], name=op.f("fk_artifact_model_id_model_version")),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_artifact")),
    )
    op.create_table(
        "canary",
        sa.Column("model_id", big_id, nullable=False),
        sa.Column("former_model_id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("alpha", sa.Double(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("looks_taken", sa.Integer(), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=False),
        sa.Column("first_after", sa.BigInteger(), nullable=False),
        sa.Column("done_up_to", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("regressions", sa.Integer(), nullable=False),
        sa.Column("improvements", sa.Integer(), nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["former_model_id"], ["model_version.id"], name=op.f("fk_canary_former_model_id_model_version")
        ),
        sa.ForeignKeyConstraint(["model_id"], ["model_version.id"], name=op.f("fk_canary_model_id_model_version")),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_canary_queue_id_queue")),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_canary")),
    )
    op.create_index(
        "uq_canary_unfinished",
        "canary",
        ["queue_id"],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
        sqlite_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "evaluation",
        sa.Column("id", big_id, nullable=False),
        sa.Column("model_id", big_id, nullable=False),
        sa.Column("live_model_id", big_id, nullable=True),
        sa.Column("live_changes", sa.Integer(), nullable=False),
        sa.Column("golden_hash", sa.String(), nullable=False),
        sa.Column("scorecard", sa.JSON(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("blocks", sa.JSON(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("policy_fingerprint", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["live_model_id"], ["model_version.id"], name=op.f("fk_evaluation_live_model_id_model_version")
        ),
        sa.ForeignKeyConstraint(["model_id"], ["model_version.id"], name=op.f("fk_evaluation_model_id_model_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation")),
    )
    op.create_index(op.f("ix_evaluation_model_id"), "evaluation", ["model_id"])
    op.create_table(
        "held_out_answers",
        sa.Column("model_id", big_id, nullable=False),
        sa.Column("not_right", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["model_version.id"], name=op.f("fk_held_out_answers_model_id_model_version")
        ),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_held_out_answers")),
    )
    op.create_table(
        "live",
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("model_id", big_id, nullable=True),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("changed_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["model_version.id"], name=op.f("fk_live_model_id_model_version")),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_live_queue_id_queue")),
        sa.PrimaryKeyConstraint("queue_id", name=op.f("pk_live")),
    )
    op.create_table(
        "parallel_prediction",
        sa.Column("model_id", big_id, nullable=False),
        sa.Column("prediction_id", big_id, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["model_version.id"], name=op.f("fk_parallel_prediction_model_id_model_version")
        ),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["prediction.id"], name=op.f("fk_parallel_prediction_prediction_id_prediction")
        ),
        sa.PrimaryKeyConstraint("model_id", "prediction_id", name=op.f("pk_parallel_prediction")),
    )
    op.create_index(op.f("ix_parallel_prediction_prediction_id"), "parallel_prediction", ["prediction_id"])
    op.create_table(
        "review_item",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("about", sa.String(32), nullable=False),
        sa.Column("prediction_id", big_id, nullable=True),
        sa.Column("golden_id", big_id, nullable=True),
        sa.Column("seed_id", big_id, nullable=True),
        sa.Column("synthetic_id", big_id, nullable=True),
        sa.Column("asked_by", sa.String(), nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("disputed_because", sa.String(), nullable=False),
        sa.Column("disputed_values", sa.JSON(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("settled_at", moment, nullable=True),
        sa.Column("closed_for", big_id, nullable=True),
        sa.CheckConstraint(
            "(about = 'synthetic') = (synthetic_id IS NOT NULL) AND ((about = 'prediction' AND prediction_id IS NOT NULL AND golden_id IS NULL AND seed_id IS NULL) OR (about = 'golden' AND golden_id IS NOT NULL AND prediction_id IS NULL AND seed_id IS NULL) OR (about = 'training_row' AND golden_id IS NULL AND (prediction_id IS NULL) != (seed_id IS NULL)) OR (about = 'synthetic' AND prediction_id IS NULL AND golden_id IS NULL AND seed_id IS NULL))",
            name=op.f("ck_review_item_about_one_row"),
        ),
        sa.ForeignKeyConstraint(
            ["closed_for"], ["model_version.id"], name=op.f("fk_review_item_closed_for_model_version")
        ),
        sa.ForeignKeyConstraint(
            ["golden_id"], ["golden_example.id"], name=op.f("fk_review_item_golden_id_golden_example")
        ),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["prediction.id"], name=op.f("fk_review_item_prediction_id_prediction")
        ),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_review_item_queue_id_queue")),
        sa.ForeignKeyConstraint(["seed_id"], ["seed_example.id"], name=op.f("fk_review_item_seed_id_seed_example")),
        sa.ForeignKeyConstraint(
            ["synthetic_id"], ["synthetic_text.id"], name=op.f("fk_review_item_synthetic_id_synthetic_text")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_item")),
    )
    op.create_index(
        "ix_review_item_closed_for",
        "review_item",
        ["closed_for"],
        postgresql_where=sa.text("closed_for IS NOT NULL"),
        sqlite_where=sa.text("closed_for IS NOT NULL"),
    )
    op.create_index(
        "ix_review_item_golden_id",
        "review_item",
        ["golden_id"],
        postgresql_where=sa.text("golden_id IS NOT NULL"),
        sqlite_where=sa.text("golden_id IS NOT NULL"),
    )
    op.create_index("ix_review_item_prediction_id", "review_item", ["prediction_id"])
    op.create_index("ix_review_item_queue_id_opened_at", "review_item", ["queue_id", "opened_at"])
    op.create_index("ix_review_item_queue_id_state_id", "review_item", ["queue_id", "state", "id"])
    op.create_index(
        "ix_review_item_seed_id",
        "review_item",
        ["seed_id"],
        postgresql_where=sa.text("seed_id IS NOT NULL"),
        sqlite_where=sa.text("seed_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_review_item_settled_at"), "review_item", ["settled_at"])
    op.create_index(
        "uq_review_item_golden",
        "review_item",
        ["golden_id"],
        unique=True,
        postgresql_where=sa.text("about != 'prediction' AND state IN ('open', 'disputed')"),
        sqlite_where=sa.text("about != 'prediction' AND state IN ('open', 'disputed')"),
    )
    op.create_index(
        "uq_review_item_prediction",
        "review_item",
        ["prediction_id"],
        unique=True,
        postgresql_where=sa.text("about = 'prediction'"),
        sqlite_where=sa.text("about = 'prediction'"),
    )
    op.create_index(
        "uq_review_item_prediction_again",
        "review_item",
        ["prediction_id"],
        unique=True,
        postgresql_where=sa.text("about != 'prediction' AND state IN ('open', 'disputed')"),
        sqlite_where=sa.text("about != 'prediction' AND state IN ('open', 'disputed')"),
    )
    op.create_index(
        "uq_review_item_seed",
        "review_item",
        ["seed_id"],
        unique=True,
        postgresql_where=sa.text("about != 'prediction' AND state IN ('open', 'disputed')"),
        sqlite_where=sa.text("about != 'prediction' AND state IN ('open', 'disputed')"),
    )
    op.create_index(
        "uq_review_item_synthetic",
        "review_item",
        ["synthetic_id"],
        unique=True,
        postgresql_where=sa.text("synthetic_id IS NOT NULL"),
        sqlite_where=sa.text("synthetic_id IS NOT NULL"),
    )
    op.create_table(
        "scan",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("model_id", big_id, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("text_column", sa.String(), nullable=False),
        sa.Column("id_column", sa.String(), nullable=True),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("foreign", sa.Boolean(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("processes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", moment, nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("clusters", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("problem_values", sa.JSON(), nullable=False),
        sa.Column("policy_fingerprint", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model_version.id"], name=op.f("fk_scan_model_id_model_version")),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_scan_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan")),
    )
    op.create_index(
        "uq_scan_unfinished",
        "scan",
        ["queue_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('requested', 'running')"),
        sqlite_where=sa.text("state IN ('requested', 'running')"),
    )
    op.create_table(
        "shadow",
        sa.Column("model_id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=False),
        sa.Column("done_up_to", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model_version.id"], name=op.f("fk_shadow_model_id_model_version")),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_shadow_queue_id_queue")),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_shadow")),
    )
    op.create_index(op.f("ix_shadow_queue_id"), "shadow", ["queue_id"])
    op.create_table(
        "submitted_answer",
        sa.Column("run_id", big_id, nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("probabilities", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["hand_out.run_id"], name=op.f("fk_submitted_answer_run_id_hand_out")),
        sa.PrimaryKeyConstraint("run_id", "content_hash", name=op.f("pk_submitted_answer")),
    )
    op.create_table(
        "answer",
        sa.Column("id", big_id, nullable=False),
        sa.Column("item_id", big_id, nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("reason", sa.String(32), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("suggestion_shown", sa.Boolean(), nullable=False),
        sa.Column("guideline_version", sa.Integer(), nullable=False),
        sa.Column("clicked_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["review_item.id"], name=op.f("fk_answer_item_id_review_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    op.create_index("ix_answer_item_id", "answer", ["item_id"])
    op.create_index("ix_answer_person_created_at", "answer", ["person", "created_at"])
    op.create_index(
        "uq_answer_current",
        "answer",
        ["person", "item_id"],
        unique=True,
        postgresql_include=["kind"],
        postgresql_where=sa.text("is_current"),
        sqlite_where=sa.text("is_current = 1"),
    )
    op.create_table(
        "approval",
        sa.Column("id", big_id, nullable=False),
        sa.Column("model_id", big_id, nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("reacted_at", sa.BigInteger(), nullable=False),
        sa.Column("evaluation_id", big_id, nullable=True),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name=op.f("fk_approval_evaluation_id_evaluation")
        ),
        sa.ForeignKeyConstraint(["model_id"], ["model_version.id"], name=op.f("fk_approval_model_id_model_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        sa.UniqueConstraint("model_id", "person", name=op.f("uq_approval_model_id_person")),
    )
    op.create_table(
        "assignment",
        sa.Column("item_id", big_id, nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("assigned_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["review_item.id"], name=op.f("fk_assignment_item_id_review_item")),
        sa.PrimaryKeyConstraint("item_id", "person", name=op.f("pk_assignment")),
    )
    op.create_table(
        "correction",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("item_id", big_id, nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("model_was_right", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.String(32), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("tally", sa.JSON(), nullable=False),
        sa.Column("settled_by", sa.String(32), nullable=False),
        sa.Column("lead", sa.String(), nullable=True),
        sa.Column("destination", sa.String(32), nullable=False),
        sa.Column("guideline_version", sa.Integer(), nullable=False),
        sa.Column("policy_fingerprint", sa.String(), nullable=False),
        sa.Column("settled_at", moment, nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["review_item.id"], name=op.f("fk_correction_item_id_review_item")),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_correction_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(
        "ix_correction_error",
        "correction",
        ["queue_id", "label"],
        postgresql_where=sa.text("is_current AND NOT model_was_right"),
        sqlite_where=sa.text("is_current = 1 AND model_was_right = 0"),
    )
    op.create_index("ix_correction_item_id", "correction", ["item_id"])
    op.create_index("ix_correction_queue_id_id", "correction", ["queue_id", "id"])
    op.create_index("ix_correction_queue_id_settled_at", "correction", ["queue_id", "settled_at"])
    op.create_index(
        "uq_correction_current",
        "correction",
        ["item_id"],
        unique=True,
        postgresql_where=sa.text("is_current"),
        sqlite_where=sa.text("is_current = 1"),
    )
    op.create_table(
        "decision",
        sa.Column("id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("model_id", big_id, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("former_model_id", big_id, nullable=True),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evaluation_id", big_id, nullable=True),
        sa.Column("snapshot_hash", sa.String(), nullable=False),
        sa.Column("policy_fingerprint", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name=op.f("fk_decision_evaluation_id_evaluation")
        ),
        sa.ForeignKeyConstraint(
            ["former_model_id"], ["model_version.id"], name=op.f("fk_decision_former_model_id_model_version")
        ),
        sa.ForeignKeyConstraint(["model_id"], ["model_version.id"], name=op.f("fk_decision_model_id_model_version")),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_decision_queue_id_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_model_id"), "decision", ["model_id"])
    op.create_index(op.f("ix_decision_queue_id"), "decision", ["queue_id"])
    op.create_table(
        "escalation",
        sa.Column("id", big_id, nullable=False),
        sa.Column("item_id", big_id, nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("told_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["review_item.id"], name=op.f("fk_escalation_item_id_review_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation")),
    )
    op.create_index(op.f("ix_escalation_item_id"), "escalation", ["item_id"])
    op.create_index(op.f("ix_escalation_told_at"), "escalation", ["told_at"])
    op.create_table(
        "find",
        sa.Column("id", big_id, nullable=False),
        sa.Column("scan_id", big_id, nullable=False),
        sa.Column("queue_id", big_id, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("model_id", big_id, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("probabilities", sa.JSON(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("item_id", big_id, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["review_item.id"], name=op.f("fk_find_item_id_review_item")),
        sa.ForeignKeyConstraint(["model_id"], ["model_version.id"], name=op.f("fk_find_model_id_model_version")),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_find_queue_id_queue")),
        sa.ForeignKeyConstraint(["scan_id"], ["scan.id"], name=op.f("fk_find_scan_id_scan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_find")),
        sa.UniqueConstraint("scan_id", "content_hash", name=op.f("uq_find_scan_id_content_hash")),
    )
    op.create_index(op.f("ix_find_item_id"), "find", ["item_id"])
    op.create_index("ix_find_queue_id_content_hash", "find", ["queue_id", "content_hash"])
    op.create_index("ix_find_queue_id_state_value", "find", ["queue_id", "state", "value"])
    op.create_table(
        "scan_shard",
        sa.Column("id", big_id, nullable=False),
        sa.Column("scan_id", big_id, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("foreign_rows", sa.Integer(), nullable=False),
        sa.Column("known_rows", sa.Integer(), nullable=False),
        sa.Column("top", sa.JSON(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["scan_id"], ["scan.id"], name=op.f("fk_scan_shard_scan_id_scan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan_shard")),
        sa.UniqueConstraint("scan_id", "position", name=op.f("uq_scan_shard_scan_id_position")),
    )
    op.create_table(
        "suggestion",
        sa.Column("item_id", big_id, nullable=False),
        sa.Column("model_id", big_id, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("probabilities", sa.JSON(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["review_item.id"], name=op.f("fk_suggestion_item_id_review_item")),
        sa.ForeignKeyConstraint(["model_id"], ["model_version.id"], name=op.f("fk_suggestion_model_id_model_version")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_suggestion")),
    )
    op.create_index(op.f("ix_suggestion_model_id"), "suggestion", ["model_id"])


def downgrade() -> None:
    raise NotImplementedError("There is nothing before the first tables. Drop the database instead.")
