"""Batches of written texts as rows, without any call."""

from collections.abc import Sequence

from core.records.synthetic import SyntheticBatch, SyntheticCall, SyntheticText
from core.text.content_hash import content_hash
from core.vocabulary import OPERATOR, SyntheticState
from tests.core.desk import NOW, REFUND, Desk

TEXTS = (
    "the vase broke so please return what i paid",
    "can you send the money for the sofa back to me",
    "the mirror never came and i would like my payment returned",
    "this table wobbles so i ask for a full refund",
)


def stored_batch(
    desk: Desk,
    texts: Sequence[str] = TEXTS,
    state: SyntheticState = SyntheticState.ADMITTED,
    label: str = REFUND,
    sent: Sequence[str] = (),
) -> int:
    """sent: texts that were in the prompt."""
    with desk.database.transaction() as session:
        batch = SyntheticBatch(
            queue_id=desk.queue().id, label=label, mistaken_for=None, target="", language="", state=state,
            address="https://llm.example/v1", model="large", prompt_version="1", plan={}, counts={},
            requested_by=OPERATOR, requested_at=NOW, written_at=NOW, problem="", problem_values={},
            policy_fingerprint=desk.rules.fingerprint,
        )  # fmt: skip
        if state.is_over:
            batch.decided_at = NOW
        session.add(batch)
        session.flush()
        hashes = [content_hash(one) for one in sent]
        call = SyntheticCall(
            batch_id=batch.id, position=1, sent={"hashes": hashes}, sent_tokens=100, answer="; ".join(texts),
            problem="", asked_at=NOW, answered_at=NOW,
        )  # fmt: skip
        session.add(call)
        session.add_all(
            SyntheticText(
                batch_id=batch.id, queue_id=batch.queue_id, text=one, content_hash=content_hash(one), dropped_because=""
            )
            for one in texts
        )
        return batch.id
