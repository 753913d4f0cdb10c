"""Labels outside the policy that senders use or stored examples have. Rows with such a label are neither reviewed nor
used for training."""

from bot.checks.finding import Findings, good, note
from bot.wording.numbers import counted
from core.intake.unknown_labels import stored_unknown_labels, unknown_labels
from core.policy import Policy
from core.storage.database import Database


def labels(database: Database, policy: Policy) -> Findings:
    for queue in policy.queues:
        subject = f"labels of {queue.name}"
        with database.reading() as session:
            rejected, stored = unknown_labels(session, queue), stored_unknown_labels(session, queue)
        if rejected:
            words = f"Predictions with labels outside the policy were rejected: {counted(rejected)}."
            yield note(subject, words, f"Add the labels to queues.{queue.name}.labels, or correct the sender.")
        if stored:
            words = f"Stored examples have labels that are no longer in the policy: {counted(stored)}."
            yield note(
                subject, words, "They are kept, but not used for training or tests. Add the labels again to use them."
            )
        if not rejected and not stored:
            yield good(subject, "all received labels are in the policy")
