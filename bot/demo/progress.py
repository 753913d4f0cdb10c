"""The progress of a demo, in one line."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.wording.format import PLAIN
from bot.wording.runs import run_step
from core.learning.lifecycle.serving import LiveModel
from core.records.learning import ModelVersion, TrainingRun
from core.records.reviews import ReviewItem
from core.vocabulary import Coded, ItemState, RunState

SHOWN = (ItemState.OPEN, ItemState.DISPUTED, ItemState.SETTLED)


def progress(session: Session, live: LiveModel | None) -> str:
    """The numbers of items, the models if there are any, and the training run in progress."""
    states = dict(session.execute(select(ReviewItem.state, func.count()).group_by(ReviewItem.state)).all())
    items = ", ".join(f"{state}: {states.get(state, 0)}" for state in SHOWN)
    model = session.scalars(select(ModelVersion).order_by(ModelVersion.id.desc()).limit(1)).first()
    models = f"; newest model: {model.name} ({model.state}); live: {live.name if live else 'none'}" if model else ""
    return f"{items.capitalize()}{models}{_training(session)}"


def _training(session: Session) -> str:
    under_way = TrainingRun.state.in_([RunState.REQUESTED, RunState.RUNNING])
    run = session.scalars(select(TrainingRun).where(under_way).order_by(TrainingRun.id.desc()).limit(1)).first()
    if run is None:
        return ""
    return f"; training run {run.id}: {run_step(Coded(run.progress, run.progress_values), PLAIN)}"
