"""The first line of a golden-set report, which gives its meaning in plain words, and its counts as sentences."""

from collections.abc import Sequence
from typing import assert_never

from bot.wording.format import Format
from bot.wording.numbers import count, signed
from core.learning.evaluation.intervals import wilson
from core.learning.evaluation.scorecard import PooledScore, RandomScore, Scorecard
from core.learning.evaluation.stored_texts import TextScore
from core.vocabulary import Coded, GateBlock


def plain_line(scorecard: Scorecard, passed: bool, blocks: Sequence[Coded], form: Format) -> str:
    """The first line for a lead. Points come only from random examples, because pooled counts are a mixture.

    blocks: codes of `GateBlock`, the weightiest first."""
    if not passed:
        return f"Worse: refused, because {_reasons(blocks, form)}."
    if not scorecard.pooled.n:
        return "Nothing could be measured: there are no golden examples that count."
    random = scorecard.random
    if random.n and random.ci_lower > 0:
        return f"Better: {signed(random.difference.estimate)} points, at least {signed(random.ci_lower)}."
    return "No measurable difference."


def counts_sentence(score: PooledScore) -> str:
    """The number of counting golden examples that change, and how often chance alone does that."""
    of = f"Of {count(score.n, 'golden example')} that count{'s' if score.n == 1 else ''}"
    if not score.regressions and not score.improvements:
        return f"{of}, none is newly wrong and none newly right."
    changed = f"{score.regressions} {_is_or_are(score.regressions)} newly wrong and {score.improvements} newly right"
    return f"{of}, {changed}. Two equally good models differ this much in {of_hundred(score.chance)} comparisons."


def what_counts(score: PooledScore) -> str:
    """The examples that count, and those that were left out; empty if there are none of either kind."""
    random = count(score.n - score.past_errors, "random example")
    counted = f"What counts: {random} and {count(score.past_errors, 'past error')}."
    sentences = [counted] if score.n else []
    if others := score.other_past_errors:
        sentences.append(f"{count(others, 'other past error')} {_shown(others)}.")
    if score.near_live:
        left_out = count(score.near_live, "random example")
        sentences.append(f"{left_out} left out, because the live model was trained on near-duplicates.")
    return " ".join(sentences)


def counted_by_group(score: RandomScore) -> str:
    """The note that intervals and tests count groups, such as patients; empty if no random example has a group."""
    if score.groups is None:
        return ""
    return (
        f"The random examples come from {count(score.groups, 'group')}: intervals and tests count groups, not inputs."
    )


def two_labels(scorecard: Scorecard, form: Format) -> list[str]:
    """For two labels, the numbers of diagnostic tests: sensitivity and specificity, which is the sensitivity for the
    other label, with 95 % intervals, and calibration. Empty for more labels."""
    if len(scorecard.labels) != 2:
        return []
    random, calibration = scorecard.random, scorecard.candidate_calibration
    lines = [
        f"“{form.text(one.label)}” ({one.n}): {_share(one.live_right, one.n, random.live_design)} → "
        f"{_share(one.candidate_right, one.n, random.candidate_design)}"
        for one in scorecard.labels
    ]
    off = [f"Confidences are off by {calibration.error:.1%} on average."] if calibration else []
    return [*lines, *off]


def _share(right: int, n: int, design: float) -> str:
    found = wilson(right / design, n / design)
    return f"{found.estimate:.1%} ({found.low:.0%}–{found.high:.0%})"


def on_texts(score: TextScore | None) -> str:
    """The result on the stored texts if it is good; empty if it is bad, which other sentences say, or if there is
    none."""
    if score is None or not score.n or score.silent or score.exchanged:
        return ""
    return f"On the last {count(score.n, 'stored input')}, no label disappears and no two labels change places."


def of_hundred(chance: float) -> str:
    """A share of comparisons: "25 of 100"."""
    return "fewer than 1 of 100" if chance < 0.01 else f"{round(chance * 100)} of 100"


def _reasons(blocks: Sequence[Coded], form: Format) -> str:
    if not blocks:  # blocks of a newer release are unknown here
        return "the golden gate says so"
    more = len(blocks) - 1
    others = f", and for {count(more, 'more reason')}" if more else ""
    return f"{_because(blocks[0], form)}{others}"


def _because(block: Coded, form: Format) -> str:
    """Completes "refused, because ___"."""
    if block.code not in set(GateBlock):
        return f"of “{form.text(block.code)}”"
    values = block.values
    match GateBlock(block.code):
        case GateBlock.BEHIND_GUESS:
            return "it is right less often than always guessing the most common label"
        case GateBlock.WORSE:
            return "more random golden examples are newly wrong than newly right"
        case GateBlock.MORE_REGRESSIONS:
            return "more golden examples are newly wrong than newly right"
        case GateBlock.PIN_REGRESSED:
            return f"{count(len(values['examples']), 'pinned past error')} would be wrong again"
        case GateBlock.LABEL_WORSE:
            return f"“{form.text(values['label'])}” gets worse"
        case GateBlock.ROWS_GONE:
            return f"“{form.text(values['label'])}” has lost its training rows"
        case GateBlock.SILENT_LABEL:
            return f"it hardly ever predicts “{form.text(values['label'])}”"
        case GateBlock.LABELS_EXCHANGED:
            first, second = map(form.text, values["labels"])
            return f"“{first}” and “{second}” have changed places"
        case GateBlock.LABELS_SWAPPED:
            first, second = map(form.text, values["labels"])
            return f"“{first}” and “{second}” look swapped"
        case GateBlock.LABEL_LOST:
            return f"“{form.text(values['label'])}” is lost"
        case GateBlock.TRAINING_WORSE:
            return "more held-out training rows are newly wrong than newly right"
        case code:
            assert_never(code)


def _is_or_are(number: int) -> str:
    return "is" if number == 1 else "are"


def _shown(number: int) -> str:
    return "is shown but doesn't count" if number == 1 else "are shown but don't count"
