"""Comparison of two models on stored texts without known labels: finds labels that were lost or exchanged.

A paired test needs about five golden examples of a label; a queue has thousands of texts. They cannot show which model
is better, but they show a label that is no longer predicted, and two that changed places. ("Texts" stands for inputs
that both models read.)
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.learning.evaluation.groups import grouped_p_value
from core.learning.evaluation.paired_tests import holm

TEXTS = 3_000  # the newest texts, which both models predict once per comparison
SILENT_ALPHA = 0.01  # for all labels together
SILENT_RATIO = 10  # the live model predicts the label at least so many times as often
SAID = 5  # predictions of each of two labels by the live model; with fewer, half of them change places by chance


@dataclass(frozen=True)
class SilentLabel:
    """A label that the live model predicts and the candidate hardly ever does. live, candidate: texts given the label.
    p_adjusted: McNemar's p, by groups, after Holm over the labels that the live model predicts."""

    label: str
    live: int
    candidate: int
    p_adjusted: float


@dataclass(frozen=True)
class ExchangedLabels:
    """Two labels that the candidate has exchanged in at least half of the texts. live: the numbers of texts to which
    the live model gives the first and the second label; exchanged: to how many of these the candidate gives the other
    label."""

    labels: tuple[str, str]
    live: tuple[int, int]
    exchanged: tuple[int, int]


@dataclass(frozen=True)
class TextScore:
    """The comparison on stored texts. n: texts compared. said: labels that the live model predicts at least 5 times,
    counting a group's texts once; whether two of these were exchanged is judged here and not on the golden set. All in
    alphabetical order of the labels."""

    n: int
    said: tuple[str, ...]
    silent: tuple[SilentLabel, ...]
    exchanged: tuple[ExchangedLabels, ...]

    def judges(self, pair: tuple[str, str]) -> bool:
        return set(pair) <= set(self.said)


def text_score(
    live: Sequence[str | None], candidate: Sequence[str | None], labels: Collection[str], groups: Sequence[str] = ()
) -> TextScore:
    """Compare two models. live, candidate: their labels for the same texts, in the same order; texts with None are left
    out. labels: the policy's. Whether the candidate knows a label does not matter: a dropped label is silent. groups:
    each text's group, or ""; empty: no text has one."""
    known = zip(live, candidate, groups or [""] * len(live), strict=True)
    texts = [_Text(before, now, group) for before, now, group in known if before in labels and now is not None]
    often = tuple(sorted(label for label, count in _predicted_groups(texts).items() if count >= SAID))
    return TextScore(len(texts), often, _silent(texts), _exchanged(texts, often))


@dataclass(frozen=True)
class _Text:
    live: str | None
    candidate: str
    group: str


def _predicted_groups(texts: Sequence[_Text]) -> Counter[str]:
    """For each label, the number of groups in which the live model predicts it; a text without a group is a group of
    its own."""
    return Counter(label for label, _ in {(one.live, one.group or place) for place, one in enumerate(texts)} if label)


def _silent(texts: Sequence[_Text]) -> tuple[SilentLabel, ...]:
    before, now = Counter(one.live for one in texts), Counter(one.candidate for one in texts)
    said = sorted(label for label in before if label is not None)
    return tuple(
        SilentLabel(label, before[label], now[label], p_adjusted)
        for label, p_adjusted in zip(said, holm([_p_value(texts, label) for label in said]), strict=True)
        if p_adjusted <= SILENT_ALPHA and SILENT_RATIO * now[label] <= before[label]
    )


def _p_value(texts: Sequence[_Text], label: str) -> float:
    """The p-value of the hypothesis that the candidate predicts the label as often as the live model. Texts for which
    both or neither predict it give no information."""
    differing = [one for one in texts if (one.live == label) != (one.candidate == label)]
    return grouped_p_value([1 if one.candidate == label else -1 for one in differing], [one.group for one in differing])


def _exchanged(texts: Sequence[_Text], often: Sequence[str]) -> tuple[ExchangedLabels, ...]:
    said = Counter(one.live for one in texts)
    crossed = Counter((one.live, one.candidate) for one in texts if one.live != one.candidate)
    mostly = {pair for pair, count in crossed.items() if pair[0] in often and 2 * count >= said[pair[0]]}
    return tuple(
        ExchangedLabels((one, other), (said[one], said[other]), (crossed[one, other], crossed[other, one]))
        for one in often
        for other in often
        if one < other and (one, other) in mostly and (other, one) in mostly
    )
