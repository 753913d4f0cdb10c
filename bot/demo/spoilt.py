"""A learner that swaps two labels in its training rows, for `goldloop demo --spoil`: it shows the golden gate refusing.
It comes in like any learner of another package, by the entry point group `goldloop.learners`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from core.learning.data.inputs import Example
from core.learning.learners.base import Progress
from core.learning.learners.text import TextLearner, TextModel
from core.vocabulary import Coded, RunStep


class SpoiltLearner(TextLearner):
    name = "demo_spoilt"

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> TextModel:
        """As the text learner, on rows in which the two commonest labels have changed places."""
        common = [label for label, _count in Counter(example.label for example in examples).most_common(2)]
        swapped = dict(zip(common, reversed(common), strict=True))
        progress(Coded(RunStep.OTHER, {"phrase": f"Swapping {' and '.join(common)}"}))
        return super().fit([replace(one, label=swapped.get(one.label, one.label)) for one in examples], seed, progress)
