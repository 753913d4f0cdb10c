"""A learner that times itself, for the benchmark of a training run. A run finds it by its module's name."""

import time
from collections.abc import Sequence

from core.learning.data.inputs import Example
from core.learning.learners.base import Progress
from core.learning.learners.text import TextLearner, TextModel


class TimedTextLearner(TextLearner):
    """The learner `text`, which says how long it took."""

    name = "timed"
    seconds = 0.0  # of the processor, for the last fit and its calibration
    rows = 0

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> TextModel:
        began = time.process_time()
        fitted = super().fit(examples, seed, progress)
        TimedTextLearner.seconds, TimedTextLearner.rows = time.process_time() - began, len(examples)
        return fitted
