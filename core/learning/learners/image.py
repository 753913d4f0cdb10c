"""The learner `image`: a linear support vector machine on the edges of a picture and on a small copy of it.

It needs no downloaded weights, and a second for some thousand pictures. Labels with few pictures count as much as
others: with nine cases of pneumonia to one normal chest, a model that always says pneumonia would be right nine times
out of ten. core/learning/learners/temperature.py turns its margins into probabilities.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from core.errors import Invalid
from core.learning.data.inputs import Example, Input
from core.learning.learners.base import FloatArray, HeldOut, Progress, State, held_out_answers
from core.learning.learners.hog import Features, features_of
from core.learning.learners.rows import check_examples, content_keys, in_given_order
from core.learning.learners.temperature import held_out_fit, softmax
from core.vocabulary import Coded, Modality, RunStep

C = 0.02  # inverse regularisation; at .5 the shift between two hospitals cost 4 points, benchmarks/README.md


@dataclass(frozen=True)
class ImageModel:
    """A fitted `ImageLearner`. weights: float32 (features, classes); offsets: (classes,); scale: inverse
    temperature."""

    classes: tuple[str, ...]
    weights: NDArray[np.float32]
    offsets: FloatArray
    scale: float
    held_out: HeldOut | None = field(default=None, compare=False)
    reads = (Modality.IMAGE,)

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        """See `Fitted`. An input without pixels, or with a picture of a single value, gets the same probability for
        every label. Memory: 100 MB, and 8 kB for each input."""
        table = np.full((len(inputs), len(self.classes)), 1 / len(self.classes))
        places = [place for place, one in enumerate(inputs) if one.has(Modality.IMAGE)]
        if not places:
            return table
        features = features_of([_grey(inputs[place]) for place in places])
        margins = features @ self.weights + self.offsets
        margins[~features.any(axis=1)] = 0
        table[places] = softmax(self.scale * margins)
        return table

    def state(self) -> State:
        return {
            "classes": list(self.classes),
            "weights": self.weights,
            "offsets": self.offsets,
            "scale": self.scale,
        }


@dataclass(frozen=True)
class _Rows:
    """Training rows as columns. targets: index of each row's label in 0..labels-1; keys: a hash of each picture;
    places: each row's position among the examples; groups: each row's group, or ""."""

    features: Features
    targets: NDArray[np.intp]
    weights: FloatArray
    labels: int
    keys: NDArray[np.uint64]
    places: NDArray[np.intp]
    groups: list[str]

    def take(self, chosen: NDArray[np.bool_]) -> "_Rows":
        columns = (self.features[chosen], self.targets[chosen], self.weights[chosen])
        groups = [group for group, wanted in zip(self.groups, chosen, strict=True) if wanted]
        return _Rows(*columns, self.labels, self.keys[chosen], self.places[chosen], groups)


class ImageLearner:
    """Histograms of oriented gradients and 16 x 16 pixels, linear SVM one against the rest with balanced labels,
    temperature. Fan et al. (2008), LIBLINEAR, JMLR 9, 1871-1874."""

    name = "image"
    runtime = f"scikit-learn {version('scikit-learn')}"
    reads = ImageModel.reads
    trusted_types: tuple[str, ...] = ()  # the state is text, numbers and arrays

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> ImageModel:
        """Fit a model. The order of the examples does not matter; the seed decides LIBLINEAR's order of the rows.
        Raises Invalid for a single label, or for a weight that is not above 0."""
        classes, rows = _rows_of(examples)

        def margins(held_out: NDArray[np.bool_]) -> FloatArray:
            weights, offsets = _fit_margins(rows.take(~held_out), seed)
            found: FloatArray = rows.features[held_out] @ weights + offsets
            return found

        held_out = held_out_fit(rows.targets, rows.weights, rows.keys, progress, margins, groups=rows.groups)
        progress(Coded(RunStep.FITTING, {"rows": len(rows.targets)}))
        answers = held_out_answers(classes, in_given_order(held_out.shares, rows.places), examples)
        return ImageModel(classes, *_fit_margins(rows, seed), held_out.scale, answers)

    def fit_uncalibrated(self, examples: Sequence[Example], seed: int) -> ImageModel:
        """See `FitsUncalibrated`. The scale is 1; it does not change the order of the labels."""
        classes, rows = _rows_of(examples)
        return ImageModel(classes, *_fit_margins(rows, seed), 1.0)

    def restore(self, state: State) -> ImageModel:
        try:
            return ImageModel(tuple(state["classes"]), state["weights"], state["offsets"], float(state["scale"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Invalid(f"This is not a model of the learner “image” ({error}).") from None


def _rows_of(examples: Sequence[Example]) -> tuple[tuple[str, ...], _Rows]:
    places = sorted(range(len(examples)), key=lambda place: _order(examples[place]))
    ordered = [examples[place] for place in places]
    check_examples(ordered, "a picture")
    classes, targets = np.unique(np.array([one.label for one in ordered], dtype=object), return_inverse=True)
    pictures, weights = [_grey(one.input) for one in ordered], np.array([one.weight for one in ordered])
    keys, order = content_keys(pictures), np.array(places, dtype=np.intp)
    groups = [one.input.group for one in ordered]
    return tuple(classes), _Rows(features_of(pictures), targets, weights, len(classes), keys, order, groups)


def _order(example: Example) -> tuple[str, bytes, float]:
    return example.label, _grey(example.input), example.weight


def _fit_margins(rows: _Rows, seed: int) -> tuple[NDArray[np.float32], FloatArray]:
    from sklearn.svm import LinearSVC  # not needed to serve a model

    svm = LinearSVC(C=C, random_state=seed % 2**32, max_iter=10_000)
    with warnings.catch_warnings():
        # With one or two rows per label, scikit-learn warns that the labels look like measurements.
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%", UserWarning)
        svm.fit(rows.features, rows.targets, sample_weight=_balanced(rows))
    coefficients, offsets = svm.coef_, svm.intercept_
    if rows.labels == 2:  # scikit-learn gives a single column, the margin of the second label
        coefficients, offsets = np.vstack([-coefficients, coefficients]), np.concatenate([-offsets, offsets])
    return np.ascontiguousarray(coefficients.T, dtype=np.float32), offsets.astype(np.float64)


def _balanced(rows: _Rows) -> FloatArray:
    """The rows' weights, scaled so that every label has the same total weight and the overall sum stays."""
    of_label = np.bincount(rows.targets, rows.weights, rows.labels)
    scaled: FloatArray = rows.weights * (rows.weights.sum() / rows.labels / of_label)[rows.targets]
    return scaled


def _grey(one: Input) -> bytes:
    return (one.image.grey if one.image else None) or b""
