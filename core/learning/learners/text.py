"""The built-in learner: a linear support vector machine on word and character n-grams.

It needs no downloaded weights, is fitted in a second for some hundred rows and reads short texts five times as fast as
with scikit-learn's vectorizers (benchmarks/learners.txt). core/learning/learners/temperature.py turns its margins into
probabilities.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from core.errors import Invalid
from core.learning.data.inputs import Example, Input
from core.learning.learners.base import FloatArray, HeldOut, Progress, State, held_out_answers
from core.learning.learners.margins import fit_margins, held_out_margins
from core.learning.learners.ngrams import Ngrams, restore_ngrams
from core.learning.learners.rows import in_given_order, rows_of
from core.learning.learners.temperature import softmax
from core.vocabulary import Coded, Modality, RunStep


@dataclass(frozen=True)
class TextModel:
    """A fitted `TextLearner`. weights: float32 (features, classes); offsets: (classes,); scale: inverse temperature."""

    classes: tuple[str, ...]
    ngrams: Ngrams
    weights: NDArray[np.float32]
    offsets: FloatArray
    scale: float
    held_out: HeldOut | None = field(default=None, compare=False)
    reads = (Modality.TEXT,)

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        """See `Fitted`. A text without any known word or character sequence gets the same probability for every label:
        the offsets alone would make it a confident case of the most frequent one, which would not be flagged.

        Memory grows with the number of inputs (about 1.5 kB each plus 8 bytes per label): scans pass batches.
        """
        if not inputs:
            return np.empty((0, len(self.classes)))
        features = self.ngrams.features([one.text for one in inputs])
        margins = features @ self.weights + self.offsets
        margins[np.diff(features.indptr) == 0] = 0
        return softmax(self.scale * margins)

    def suspicion(self, inputs: Sequence[Input], probabilities: FloatArray) -> FloatArray:
        """See `OffersSuspicion`. With the margin d between the two best labels, it is exp(-scale * d), the quotient of
        their probabilities: 1 if they are equal. Unlike one minus the highest probability, it does not depend on how
        many other labels are possible."""
        second, best = np.partition(probabilities, -2, axis=1)[:, -2:].T
        quotient: FloatArray = second / best
        return quotient

    def state(self) -> State:
        return {
            "classes": list(self.classes),
            "ngrams": self.ngrams.state(),
            "weights": self.weights,
            "offsets": self.offsets,
            "scale": self.scale,
        }


class TextLearner:
    """Word (1 to 2) and character (2 to 5, within words) TF-IDF, linear SVM one against the rest, temperature.

    Fan et al. (2008), LIBLINEAR, JMLR 9, 1871-1874. Calibration: see core/learning/learners/temperature.py.
    """

    name = "text"
    runtime = f"scikit-learn {version('scikit-learn')}"
    reads = TextModel.reads
    trusted_types: tuple[str, ...] = ()  # the state is text, numbers and arrays

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> TextModel:
        """Fit a model. The order of the examples does not matter; the seed decides LIBLINEAR's order of the rows.

        A label needs one row. With a single row, it is learned but takes no part in the calibration; if all labels have
        a single row, the scale is 1, which leaves every text far below any sensible threshold. Raises Invalid for a
        single label, or for a weight that is not above 0."""
        return self.fit_with_shares(examples, seed, progress)[0]

    def fit_with_shares(
        self, examples: Sequence[Example], seed: int, progress: Progress
    ) -> tuple[TextModel, FloatArray]:
        """Fit as `fit` does. Returns also P(label | example) by the model of the other folds: (examples, classes), NaN
        where an example is never held out."""
        classes, rows = rows_of(examples)
        held_out = held_out_margins(rows, seed, progress)
        progress(Coded(RunStep.FITTING, {"rows": len(rows.texts)}))
        shares = in_given_order(held_out.shares, rows.places)
        answers = held_out_answers(classes, shares, examples)
        return TextModel(classes, *fit_margins(rows, seed), held_out.scale, answers), shares

    def fit_uncalibrated(self, examples: Sequence[Example], seed: int) -> TextModel:
        """See `FitsUncalibrated`. The scale is 1; it does not change the order of the labels."""
        classes, rows = rows_of(examples)
        return TextModel(classes, *fit_margins(rows, seed), 1.0)

    def restore(self, state: State) -> TextModel:
        try:
            ngrams = restore_ngrams(state["ngrams"])
            return TextModel(tuple(state["classes"]), ngrams, state["weights"], state["offsets"], float(state["scale"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Invalid(f"This is not a model of the learner “text” ({error}).") from None
