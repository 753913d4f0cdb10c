"""Models that were trained on text erased since. They may contain its words, so they go live only if a lead gives a
reason."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.learning.data.erased_rows import erased_rows
from core.records.learning import Artifact, ModelVersion, TrainingRun
from core.vocabulary import ModelState

MAY_GO_LIVE = (ModelState.CANDIDATE, ModelState.LIVE, ModelState.RETIRED)
SHORTEST_REASON = 10  # characters of a reason for which a decision is an exception


def count_erased_rows(session: Session, model: ModelVersion) -> int:
    """The number of its training rows that have been erased since."""
    run = session.get_one(TrainingRun, model.run_id)
    return erased_rows(session, run.snapshot_id)[0] if run.snapshot_id else 0


def has_erased_rows(session: Session, model: ModelVersion) -> bool:
    return count_erased_rows(session, model) > 0


def nearest_clean_model(session: Session, model: ModelVersion) -> ModelVersion | None:
    """The model of the same queue with the nearest version (of two, the newer) that is, was or may go live and of whose
    rows none was erased. None: there is none."""
    others = session.scalars(
        select(ModelVersion)
        .join(Artifact, Artifact.model_id == ModelVersion.id)
        .where(
            ModelVersion.queue_id == model.queue_id,
            ModelVersion.id != model.id,
            ModelVersion.state.in_(MAY_GO_LIVE),
            Artifact.purged_at.is_(None),
        )
    ).all()
    by_distance = sorted(others, key=lambda one: (abs(one.version - model.version), -one.version))
    return next((one for one in by_distance if not has_erased_rows(session, one)), None)


def tainted_sentence(session: Session, model: ModelVersion) -> str:
    """A sentence that says that the model learned from erased rows, and which model did not."""
    count, clean = count_erased_rows(session, model), nearest_clean_model(session, model)
    rows = "1 row that has" if count == 1 else f"{count} rows that have"
    remedy = f"The nearest model without erased rows is {clean.name}." if clean else "No model is without; retrain."
    return f"{model.name} learned from {rows} been erased since. {remedy}"
