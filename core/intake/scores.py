"""The score of a prediction: how suspicious its model finds it, in [0, 1]. A budget ranks by it.

A model of Goldloop gives its own (core/learning/learners/suspicion.py). A sender's model has one minus its confidence.
Scores of different models are on different scales.
"""

from sqlalchemy import ColumnElement, func

from core.intake.predictions import NewPrediction
from core.records.predictions import Prediction

SCORE: ColumnElement[float] = func.coalesce(Prediction.suspicion, 1 - Prediction.confidence, 1.0)


def score_of(row: Prediction | NewPrediction) -> float:
    """The same as SCORE, for a row that is loaded."""
    return row.suspicion if row.suspicion is not None else 1 - (row.confidence or 0.0)
