"""Training rows as columns, checked, in an order that does not depend on that of the examples."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from core.errors import Invalid
from core.learning.data.inputs import Example

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Training rows as columns. targets: index of each row's label in 0..labels-1; places: each row's position among
    the examples; real: whether a person wrote the row; groups: each row's group, or ""."""

    texts: list[str]
    targets: NDArray[np.intp]
    weights: FloatArray
    labels: int
    places: NDArray[np.intp]
    real: NDArray[np.bool_]
    groups: list[str]

    def take(self, chosen: NDArray[np.bool_]) -> "Rows":
        texts = [text for text, wanted in zip(self.texts, chosen, strict=True) if wanted]
        groups = [group for group, wanted in zip(self.groups, chosen, strict=True) if wanted]
        columns = (self.targets[chosen], self.weights[chosen], self.labels, self.places[chosen], self.real[chosen])
        return Rows(texts, *columns, groups)

    @property
    def keys(self) -> NDArray[np.uint64]:
        """A hash of each text."""
        return content_keys(text.encode(errors="surrogatepass") for text in self.texts)


def rows_of(examples: Sequence[Example]) -> tuple[tuple[str, ...], Rows]:
    """The labels in order, and the rows. The order of the examples makes no difference. Raises Invalid for a single
    label, or for a weight that is not above 0."""
    places = sorted(range(len(examples)), key=lambda place: _order(examples[place]))
    ordered = [examples[place] for place in places]
    check_examples(ordered, "a text")
    classes, targets = np.unique(np.array([e.label for e in ordered], dtype=object), return_inverse=True)
    texts, weights = [e.input.text for e in ordered], np.array([e.weight for e in ordered])
    real = np.array([not e.synthetic for e in ordered], dtype=np.bool_)
    groups, order = [e.input.group for e in ordered], np.array(places, dtype=np.intp)
    return tuple(classes), Rows(texts, targets, weights, len(classes), order, real, groups)


def _order(example: Example) -> tuple[str, str, float]:
    return example.label, example.input.text, example.weight


def content_keys(contents: Iterable[bytes]) -> NDArray[np.uint64]:
    """A hash of 8 bytes per content."""
    return np.frombuffer(b"".join(blake2b(one, digest_size=8).digest() for one in contents), dtype="<u8")


def in_given_order(of_each: FloatArray, places: NDArray[np.intp]) -> FloatArray:
    """The values in the examples' order. of_each: one value, or several, per row; places: each row's position among the
    examples."""
    found = np.empty_like(of_each)
    found[places] = of_each
    return found


def check_examples(examples: Sequence[Example], having: str) -> None:
    """Raises Invalid for a single label, or for a weight that is not above 0. having: what each example has, for the
    sentence: "a text"."""
    if len({example.label for example in examples}) == 1:
        raise Invalid(
            f"All {len(examples)} training rows with {having} have the label “{examples[0].label}”. "
            "At least two labels are needed."
        )
    wrong = next((e for e in examples if not (math.isfinite(e.weight) and e.weight > 0)), None)
    if wrong:
        raise Invalid(f"A training row of “{wrong.label}” has the weight {wrong.weight}; weights must be above 0.")
