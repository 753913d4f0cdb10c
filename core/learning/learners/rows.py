"""Training rows as columns, checked, in an order of their own."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from core.errors import Invalid
from core.learning.data.inputs import Example

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Training rows as columns. targets: index of the label in 0..labels-1; places: of each row among the examples that
    it came from."""

    texts: list[str]
    targets: NDArray[np.intp]
    weights: FloatArray
    labels: int
    places: NDArray[np.intp]

    def take(self, chosen: NDArray[np.bool_]) -> "Rows":
        texts = [text for text, wanted in zip(self.texts, chosen, strict=True) if wanted]
        return Rows(texts, self.targets[chosen], self.weights[chosen], self.labels, self.places[chosen])

    @property
    def keys(self) -> NDArray[np.uint64]:
        """A hash of each text."""
        digests = b"".join(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest() for text in self.texts)
        return np.frombuffer(digests, dtype="<u8")

    def in_given_order(self, of_each: FloatArray) -> FloatArray:
        """of_each: a value, or several, for each row. In the order of the examples."""
        found = np.empty_like(of_each)
        found[self.places] = of_each
        return found


def rows_of(examples: Sequence[Example]) -> tuple[tuple[str, ...], Rows]:
    """The labels in order, and the texts with them. The order of the examples makes no difference. Raises Invalid for a
    single label, or for a weight that is not above 0."""
    ordered = sorted(examples, key=lambda e: (e.label, e.input.text, e.weight))
    check_examples(ordered, "a text")
    classes, targets = np.unique(np.array([e.label for e in ordered], dtype=object), return_inverse=True)
    texts, weights = [e.input.text for e in ordered], np.array([e.weight for e in ordered])
    return tuple(classes), Rows(texts, targets, weights, len(classes), np.array(places, dtype=np.intp))


def _order(example: Example) -> tuple[str, str, float]:
    return example.label, example.input.text, example.weight


def check_examples(examples: Sequence[Example], having: str) -> None:
    """Raises Invalid for a single label, or for a weight that is not above 0. having: what each of them has, for the
    sentence: "a text"."""
    if len({example.label for example in examples}) == 1:
        raise Invalid(
            f"All {len(examples)} training rows with {having} have the label “{examples[0].label}”. "
            "At least two labels are needed."
        )
    wrong = next((e for e in examples if not (math.isfinite(e.weight) and e.weight > 0)), None)
    if wrong:
        raise Invalid(f"A training row of “{wrong.label}” has the weight {wrong.weight}; weights must be above 0.")
