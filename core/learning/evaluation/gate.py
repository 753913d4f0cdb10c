"""May this candidate be offered to the leads as safe? Sentences for a lead, with numbers and names, no jargon.

The gate refuses when it has grounds to, and warns where it could not see. It never says yes for a person: a candidate
that passes still waits for the leads. That no training row equals or resembles a golden one is made sure before this,
when the snapshot is taken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.learning.evaluation.intervals import wilson
from core.learning.evaluation.scorecard import Scorecard
from core.policy import PromotionPolicy

ENOUGH = 500  # random golden examples from which a fall of 2 to 3 points is seen; with fewer the report says what is
# Rise of the calibration error worth a word. On 120 examples, two fits that share nine tenths of their rows differ by
# up to .048 by chance, on 500 by .016; see docs/methods.md.
CALIBRATION_RISE = 0.05
NAMED = 5  # labels or examples named in one sentence; the scorecard has all
BASELINES = {
    "live": "the live model",
    "recorded": "the sender's model",
    "majority": "always giving the commonest label",
}


@dataclass(frozen=True)
class GateVerdict:
    """passed: there are no blocks. Sentences in the order of their weight."""

    passed: bool
    blocks: tuple[str, ...]
    warnings: tuple[str, ...]


def gate(scorecard: Scorecard, policy: PromotionPolicy) -> GateVerdict:
    """Blocks, each sufficient:

    (a) on the random examples the candidate is worse, by the exact paired test at `alpha`;
    (b) a past error that the live model gets right would be wrong again (so the number passed never falls unseen);
    (c) a label with at least `class_rows` random examples is worse, by the same test, adjusted for their number;
    (d) two labels look swapped, or a label is lost altogether.

    Warnings: too few random examples, and which fall they could have shown; a fall of `non_inferiority` that cannot be
    excluded; labels that were only listed; confidence that means less than before; predictions that were missing.

    A candidate that answers as the live model does is never blocked, and one more wrong answer in place of a right one
    never unblocks. Without any golden example it passes, with the warning that nothing could be tested: a first model
    must be able to go live, and a lead still has to say yes.
    """
    blocks = (
        *_worse(scorecard, policy),
        *_broken_again(scorecard),
        *_worse_labels(scorecard, policy),
        *_swapped(scorecard),
        *_collapsed(scorecard),
    )
    warnings = (
        *_few(scorecard),
        *_fall_possible(scorecard, policy),
        *_untested_labels(scorecard, policy),
        *_confidence(scorecard),
        *_baseline(scorecard),
    )
    return GateVerdict(not blocks, blocks, warnings)


def _worse(scorecard: Scorecard, policy: PromotionPolicy) -> Iterable[str]:
    score = scorecard.random
    if score.n and score.p_value <= policy.alpha:
        yield (
            f"{score.regressions} of {score.n} random golden examples that {_live(scorecard)} gets right would be wrong"
            f", and {score.improvements} the other way round. {_chance(score.p_value)}"
        )


def _broken_again(scorecard: Scorecard) -> Iterable[str]:
    score = scorecard.past_errors
    if score.broken_again:
        yield (
            f"{_count(len(score.broken_again), 'past error')} that {_live(scorecard)} gets right would be wrong again "
            f"(golden {_named([str(one) for one in score.broken_again])}). Of all {score.n} past errors "
            f"{score.live_right} are right now and {score.candidate_right} would be."
        )


def _worse_labels(scorecard: Scorecard, policy: PromotionPolicy) -> Iterable[str]:
    for score in scorecard.labels:
        if score.p_adjusted is not None and score.p_adjusted <= policy.alpha:
            yield (
                f"“{score.label}”: of {score.n} random golden examples {score.live_right} are right now and "
                f"{score.candidate_right} would be. {_chance(score.p_adjusted)}"
            )


def _swapped(scorecard: Scorecard) -> Iterable[str]:
    for first, second in scorecard.swapped:
        yield (
            f"“{first}” and “{second}” look swapped: the candidate takes most golden examples of each for the other. "
            "Check the labels of the training rows."
        )


def _collapsed(scorecard: Scorecard) -> Iterable[str]:
    for one in scorecard.collapsed:
        yield (
            f"“{one.label}” is lost: {_live(scorecard)} gets {one.live_right} of its {one.n} golden examples right, "
            "the candidate none."
        )


def _few(scorecard: Scorecard) -> Iterable[str]:
    score = scorecard.random
    if score.n >= ENOUGH:
        return
    if score.n == 0:
        past = _count(scorecard.past_errors.n, "past error")
        rest = f"; the {past} show only what was fixed" if scorecard.past_errors.n else ""
        yield f"Nothing could be tested: there is no random golden example to compare on{rest}."
        return
    fall = score.minimum_detectable_effect
    seen = "could not have noticed any fall" if fall is None else f"notices only a fall of {_points(fall)} or more"
    yield f"There are only {_count(score.n, 'random golden example')}: with so few the test {seen}."


def _fall_possible(scorecard: Scorecard, policy: PromotionPolicy) -> Iterable[str]:
    score = scorecard.random
    if score.n and score.ci_lower < -policy.non_inferiority:
        yield (
            f"A fall of up to {_points(-score.ci_lower)} cannot be excluded "
            f"(measured: {_signed(score.difference.estimate)}; asked for: at most {_points(policy.non_inferiority)})."
        )


def _untested_labels(scorecard: Scorecard, policy: PromotionPolicy) -> Iterable[str]:
    listed = [score for score in scorecard.labels if not score.tested]
    if listed:
        yield (
            f"{len(listed)} of {_count(len(scorecard.labels), 'label')} have fewer than {policy.class_rows} random "
            "golden examples and are only listed, not tested alone."
        )


def _confidence(scorecard: Scorecard) -> Iterable[str]:
    before, now = scorecard.live_calibration, scorecard.candidate_calibration
    if before is None or now is None:
        return
    if before.precision is not None and wilson(now.accepted_right, now.accepted).high < before.precision:
        yield (
            f"Of the answers that nobody would be asked about, {now.accepted_right} of {now.accepted} would be right; "
            f"now {before.accepted_right} of {before.accepted} are."
        )
    if now.error > before.error + CALIBRATION_RISE:
        yield (
            f"The candidate's confidence is off by {_points(now.error)} on average, now by {_points(before.error)}: "
            "the threshold for asking people would mean something else."
        )


def _baseline(scorecard: Scorecard) -> Iterable[str]:
    left_out = scorecard.random.left_out + scorecard.past_errors.left_out
    if scorecard.baseline == "majority":
        yield "Without a model to compare it with, the candidate was compared with always giving the commonest label."
    if left_out:
        yield f"{_count(left_out, 'golden example')} without a recorded prediction could not be compared."


def _live(scorecard: Scorecard) -> str:
    return BASELINES[scorecard.baseline]


def _chance(chance: float) -> str:
    share = "fewer than 1 in 1,000" if chance < 0.001 else f"{chance * 100:.1f} in 100"
    return f"Two equally good models would differ like that in {share} cases."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _points(share: float) -> str:
    return f"{share * 100:.1f} points"


def _signed(share: float) -> str:
    return f"{share * 100:+.1f}".replace("-", "−")


def _named(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
