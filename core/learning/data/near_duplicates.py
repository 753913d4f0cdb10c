"""Near-duplicates: inputs so similar to a golden one that, if they trained, the golden test would only measure memory.
Each modality has its own similarity measure; an input is near a golden one if any measure reaches its threshold. Images
that are only a web address have no measure: such an image is kept out of training only if its whole content equals a
golden one, which core/learning/data/leakage.py compares.
"""

from collections.abc import Callable, Sequence
from typing import assert_never

import numpy as np

from core.learning.data.inputs import Input
from core.learning.data.picture_similarity import near_pictures
from core.learning.data.text_similarity import BoolArray, near_texts
from core.vocabulary import Coded, Modality


def near(inputs: Sequence[Input], golden: Sequence[Input], threshold: float) -> BoolArray:
    """Whether each input is near a golden one. threshold: for texts, above 0, at most 1; pictures have their own.
    Returns shape (inputs,). Only inputs that have a modality are compared in it: two images are not near-duplicates
    because both lack a text. Inputs of one group are near each other."""
    close = np.zeros(len(inputs), dtype=np.bool_)
    for modality in Modality:
        having = [one for one in golden if one.has(modality)]
        places = [place for place, one in enumerate(inputs) if one.has(modality)] if having else []
        close[places] |= _near_in_modality(modality, [inputs[place] for place in places], having, threshold)
    groups = {one.group for one in golden if one.group}
    close |= np.array([one.group in groups for one in inputs], dtype=np.bool_)
    return close


def find_near(
    inputs: Sequence[Input], golden: Sequence[Input], threshold: float, _report: Callable[[Coded], None]
) -> BoolArray:
    """`near` as a piece of work for another process."""
    return near(inputs, golden, threshold)


def _near_in_modality(
    modality: Modality, inputs: Sequence[Input], golden: Sequence[Input], threshold: float
) -> BoolArray:
    match modality:
        case Modality.TEXT:
            return near_texts([one.text for one in inputs], [one.text for one in golden], threshold)
        case Modality.IMAGE:
            return _any_picture(inputs, golden)
        case Modality.FIELDS:  # fields are not part of an input's identity
            return np.zeros(len(inputs), dtype=np.bool_)
        case _:
            assert_never(modality)


def _any_picture(inputs: Sequence[Input], golden: Sequence[Input]) -> BoolArray:
    """Whether any picture of an input is near any picture of a golden one."""
    greys = [_greys([one]) for one in inputs]
    close = near_pictures([grey for own in greys for grey in own], _greys(golden))
    ends = np.cumsum([len(own) for own in greys], dtype=np.intp)
    return np.array([part.any() for part in np.split(close, ends[:-1])], dtype=np.bool_) if len(greys) else close


def _greys(inputs: Sequence[Input]) -> list[bytes]:
    return [grey for one in inputs if one.image for grey in one.image.greys]
