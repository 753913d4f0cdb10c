"""A baseline for the demo's summary: the accuracy of a model that was trained on equally many random tickets with their
true labels, instead of the items that people settled. Only a demo knows true labels, so this cannot be measured in real
use."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from bot.demo.data import Ticket
from core.learning.data.inputs import Example
from core.learning.data.snapshots import SEED_WEIGHT, snapshot_rows
from core.learning.learners.base import Fitted
from core.learning.learners.fitting import fit
from core.learning.learners.registry import find_learner
from core.records.learning import ModelVersion, TrainingRun

DRAWS = 5  # draws to average over: two draws differ by some points


def random_labels_accuracy(
    session: Session, first: int, items: int, arrived: Sequence[Ticket], unseen: Sequence[Ticket]
) -> float:
    """The mean accuracy on `unseen`. first: the first model's id; arrived: the tickets to draw from; one without a
    fitting label counts as drawn but adds no row. The same arguments give the same number."""
    model = session.get_one(ModelVersion, first)
    run = session.get_one(TrainingRun, model.run_id)
    rows = [row.example for row in snapshot_rows(session, run.snapshot_id or 0)]
    learner, shares = find_learner(model.learner), []
    for draw in range(DRAWS):
        chosen = np.random.default_rng((run.seed, draw)).permutation(len(arrived))[:items]
        labelled = [_example(arrived[place]) for place in chosen if arrived[place].label is not None]
        shares.append(right_on(fit(learner, rows + labelled, run.seed, lambda _step: None), unseen).mean())
    return float(np.mean(shares))


def right_on(fitted: Fitted, unseen: Sequence[Ticket]) -> NDArray[np.bool_]:
    """Whether the model is right on each ticket, shape (tickets,)."""
    table = fitted.probabilities([ticket.input for ticket in unseen])
    answers = [fitted.classes[column] for column in table.argmax(axis=1)]
    return np.array([answer == ticket.label for answer, ticket in zip(answers, unseen, strict=True)])


def _example(ticket: Ticket) -> Example:
    return Example(ticket.input, ticket.label or "", SEED_WEIGHT)
