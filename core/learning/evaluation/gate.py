"""The golden gate: decides whether a candidate may be offered to the leads as safe. Its findings are codes with numbers
and names; bot/wording/gate.py has their sentences.

The gate refuses on evidence, and warns where evidence is missing. It never approves: a candidate that passes still
waits for the leads. Near-duplicates of golden examples were removed before this, when the snapshot was taken.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from core.learning.evaluation.intervals import wilson
from core.learning.evaluation.scorecard import Scorecard
from core.learning.evaluation.stored_texts import TextScore
from core.policy import PromotionPolicy
from core.vocabulary import Coded, GateBlock, GateWarning

ENOUGH = 500  # random golden examples that show a drop of 2 to 3 points; with fewer, a warning says what they show
# The rise of the calibration error that is worth a warning. On 120 examples, two fits that share nine tenths of their
# rows differ by up to .048 by chance, on 500 by .016; see docs/methods.md.
CALIBRATION_RISE = 0.05


@dataclass(frozen=True)
class GateVerdict:
    """The result of the gate. passed: there are no blocks. blocks: codes of `GateBlock`; warnings: codes of
    `GateWarning`; both in the order of their weight."""

    passed: bool
    blocks: tuple[Coded, ...]
    warnings: tuple[Coded, ...]


def gate(scorecard: Scorecard, policy: PromotionPolicy) -> GateVerdict:
    """Blocks, each sufficient:

    (a) on the random examples the candidate is worse, by the exact paired test at `alpha`; (b) of the golden examples
    that count, including past errors, more are newly wrong than newly right, by the same test at `pooled_alpha`; (c) a
    pinned past error that is right now would be wrong, whether it counts or not; (d) a label with at least `class_rows`
    random examples is worse, by the same test, adjusted for their number; (e) a label has lost its training rows, is
    hardly predicted any more on the stored texts, two labels are exchanged there or, where it has too few texts of
    them, look swapped on the golden examples, or a label has no right golden example left; (f) of the training rows
    that both models learned from, more are newly wrong than newly right when held out, by the same test at
    `training_alpha`.

    For a first model, one comparison replaces (a) to (d): it must be right about at least as many random examples as
    always guessing the most common label. That guess is right about all examples of its label, which no model is, and
    was right about pinned errors by chance.

    Warnings: too few random examples, with the drop that they could show; a drop of `non_inferiority` that cannot be
    excluded; labels that could not be tested; worse calibration; missing predictions.

    A candidate that answers as the live model does is never blocked, and replacing a right answer by a wrong one never
    unblocks it. Without any golden example it passes, with the warning that nothing could be tested: a first model must
    be able to go live, and a lead still has to approve it.
    """
    blocks = (
        *(_behind_guess(scorecard) if scorecard.baseline == "majority" else _worse_than_live(scorecard, policy)),
        *_rows_gone(scorecard),
        *_silent(scorecard.texts),
        *_exchanged(scorecard.texts),
        *_swapped(scorecard),
        *_collapsed(scorecard),
        *_training_worse(scorecard, policy),
    )
    warnings = (
        *_few(scorecard),
        *_fall_possible(scorecard, policy),
        *_untested_labels(scorecard, policy),
        *_confidence(scorecard),
        *_baseline(scorecard),
    )
    return GateVerdict(not blocks, blocks, warnings)


def _behind_guess(scorecard: Scorecard) -> Iterable[Coded]:
    """The block that replaces (a) to (d) for a first model. No significance level is used: fitted models are far ahead
    of the guess, and among the simulated rules this one let the fewest worse models pass without refusing good ones;
    see docs/methods.md."""
    score = scorecard.random
    if score.candidate_right < score.live_right:
        right = {"n": score.n, "guess": score.live_right, "candidate": score.candidate_right}
        yield Coded(GateBlock.BEHIND_GUESS, right)


def _worse_than_live(scorecard: Scorecard, policy: PromotionPolicy) -> Iterable[Coded]:
    yield from _worse(scorecard, policy)
    yield from _more_regressions(scorecard, policy)
    yield from _pin_regressed(scorecard)
    yield from _worse_labels(scorecard, policy)


def _worse(scorecard: Scorecard, policy: PromotionPolicy) -> Iterable[Coded]:
    score = scorecard.random
    if score.n and score.p_value <= policy.alpha:
        counts = {"n": score.n, "regressions": score.regressions, "improvements": score.improvements}
        yield Coded(GateBlock.WORSE, {"baseline": scorecard.baseline, "p_value": score.p_value} | counts)


def _more_regressions(scorecard: Scorecard, policy: PromotionPolicy) -> Iterable[Coded]:
    score = scorecard.pooled
    if score.p_value <= policy.pooled_alpha:
        counts = {"n": score.n, "past_errors": score.past_errors}
        flips = {"regressions": score.regressions, "improvements": score.improvements, "p_value": score.p_value}
        yield Coded(GateBlock.MORE_REGRESSIONS, {"baseline": scorecard.baseline} | counts | flips)


def _pin_regressed(scorecard: Scorecard) -> Iterable[Coded]:
    if scorecard.pins.broken:
        about = {"baseline": scorecard.baseline, "examples": list(scorecard.pins.broken)}
        yield Coded(GateBlock.PIN_REGRESSED, about)


def _worse_labels(scorecard: Scorecard, policy: PromotionPolicy) -> Iterable[Coded]:
    for score in scorecard.labels:
        if score.p_adjusted is not None and score.p_adjusted <= policy.alpha:
            right = {"n": score.n, "live": score.live_right, "candidate": score.candidate_right}
            about = {"baseline": scorecard.baseline, "label": score.label, "p_value": score.p_adjusted}
            yield Coded(GateBlock.LABEL_WORSE, about | right)


def _rows_gone(scorecard: Scorecard) -> Iterable[Coded]:
    for one in scorecard.rows_gone:
        yield Coded(GateBlock.ROWS_GONE, {"label": one.label, "live": one.live, "candidate": one.candidate})


def _silent(texts: TextScore | None) -> Iterable[Coded]:
    if texts is None:
        return
    for one in texts.silent:
        said = {"texts": texts.n, "live": one.live, "candidate": one.candidate}
        yield Coded(GateBlock.SILENT_LABEL, {"label": one.label, "p_value": one.p_adjusted} | said)


def _exchanged(texts: TextScore | None) -> Iterable[Coded]:
    if texts is None:
        return
    for one in texts.exchanged:
        said = {"texts": texts.n, "live": list(one.live), "exchanged": list(one.exchanged)}
        yield Coded(GateBlock.LABELS_EXCHANGED, {"labels": list(one.labels)} | said)


def _swapped(scorecard: Scorecard) -> Iterable[Coded]:
    for pair in scorecard.swapped:
        yield Coded(GateBlock.LABELS_SWAPPED, {"labels": list(pair)})


def _collapsed(scorecard: Scorecard) -> Iterable[Coded]:
    for one in scorecard.collapsed:
        right = {"label": one.label, "n": one.n, "live": one.live_right}
        yield Coded(GateBlock.LABEL_LOST, {"baseline": scorecard.baseline} | right)


def _training_worse(scorecard: Scorecard, policy: PromotionPolicy) -> Iterable[Coded]:
    """Block (f). New rows with wrong labels also make a model wrong about old rows."""
    score = scorecard.training
    if score is not None and score.p_value < policy.training_alpha:
        flips = {"regressions": score.regressions, "improvements": score.improvements}
        yield Coded(GateBlock.TRAINING_WORSE, {"n": score.n, "p_value": score.p_value} | flips)


def _few(scorecard: Scorecard) -> Iterable[Coded]:
    score = scorecard.random
    if scorecard.pooled.n == 0:
        yield Coded(GateWarning.NOTHING_TESTED, {"past_errors": scorecard.past_errors.n})
    elif score.n == 0:
        yield Coded(GateWarning.NO_RANDOM_EXAMPLES, {"past_errors": scorecard.pooled.past_errors})
    elif score.n < ENOUGH:
        yield Coded(GateWarning.FEW_EXAMPLES, {"n": score.n, "detectable_drop": score.minimum_detectable_effect})


def _fall_possible(scorecard: Scorecard, policy: PromotionPolicy) -> Iterable[Coded]:
    score = scorecard.random
    if score.n and score.ci_lower < -policy.non_inferiority:
        measured = {"measured": score.difference.estimate, "allowed": policy.non_inferiority}
        yield Coded(GateWarning.DROP_POSSIBLE, {"drop": -score.ci_lower} | measured)


def _untested_labels(scorecard: Scorecard, policy: PromotionPolicy) -> Iterable[Coded]:
    untested = sum(not score.tested for score in scorecard.labels)
    if untested:
        counts = {"untested": untested, "labels": len(scorecard.labels), "needed": policy.class_rows}
        yield Coded(GateWarning.LABELS_UNTESTED, counts)


def _confidence(scorecard: Scorecard) -> Iterable[Coded]:
    before, now = scorecard.live_calibration, scorecard.candidate_calibration
    if before is None or now is None:
        return
    if before.precision is not None and wilson(now.accepted_right, now.accepted).high < before.precision:
        live = {"live": before.accepted_right, "live_n": before.accepted}
        candidate = {"candidate": now.accepted_right, "candidate_n": now.accepted}
        yield Coded(GateWarning.UNREVIEWED_WORSE, live | candidate)
    if now.error - before.error > CALIBRATION_RISE + 1e-9:  # sums of floats depend on the order of summation
        yield Coded(GateWarning.CONFIDENCE_WORSE, {"live": before.error, "candidate": now.error})


def _baseline(scorecard: Scorecard) -> Iterable[Coded]:
    left_out = scorecard.random.left_out + scorecard.past_errors.left_out
    if scorecard.baseline == "majority":
        yield Coded(GateWarning.NO_MODEL_TO_COMPARE)
    if left_out:
        yield Coded(GateWarning.NOT_COMPARED, {"count": left_out})
