"""A learner that swaps two labels in its training rows, for `goldloop demo --spoil`: it makes the golden gate refuse a
candidate. The product does not offer it; the demo adds it to its own process, by `LEARNERS`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from core.learning.data.inputs import Example
from core.learning.learners.base import Progress
from core.learning.learners.text import TextLearner, TextModel
from core.vocabulary import Coded, RunStep

NAME = "demo_spoilt"
LEARNERS = {NAME: "bot.demo.spoilt:SpoiltLearner"}


class SpoiltLearner(TextLearner):
    name = NAME

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> TextModel:
        """Fit the text learner on rows in which the two most common labels are swapped."""
        common = [label for label, _count in Counter(example.label for example in examples).most_common(2)]
        swapped = dict(zip(common, reversed(common), strict=True))
        progress(Coded(RunStep.OTHER, {"phrase": f"Swapping {' and '.join(common)}"}))
        return super().fit([replace(one, label=swapped.get(one.label, one.label)) for one in examples], seed, progress)
