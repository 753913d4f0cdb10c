"""Sentences about the findings of the golden gate, for leads."""

from collections.abc import Mapping
from typing import Any, assert_never

from bot.wording.format import Format
from bot.wording.numbers import count, points, signed
from core.learning.evaluation.scorecard import Baseline
from core.vocabulary import Coded, GateBlock, GateWarning

NAMED = 5  # labels named in one sentence

BASELINES: dict[Baseline, str] = {
    "live": "the live model",
    "recorded": "the sender's model",
    "majority": "always guessing the most common label of its training rows",
}
SHORT: dict[Baseline, str] = {"live": "live", "recorded": "sender's model", "majority": "most common label"}

Values = Mapping[str, Any]


def gate_sentence(finding: Coded, form: Format) -> str:
    """The sentence on a finding. finding: a code of `GateBlock` or `GateWarning`."""
    if finding.code in set(GateBlock):
        return _block(GateBlock(finding.code), finding.values, form)
    if finding.code in set(GateWarning):
        return _warning(GateWarning(finding.code), finding.values, form)
    return f"A newer version of Goldloop found “{form.text(finding.code)}”. Update this one to read it."


def _block(code: GateBlock, values: Values, form: Format) -> str:
    match code:
        case GateBlock.BEHIND_GUESS:
            return (
                f"Right about {values['candidate']} of {count(values['n'], 'random golden example')}; "
                f"{BASELINES['majority']} is right about {values['guess']}."
            )
        case GateBlock.WORSE:
            return (
                f"Worse on {count(values['n'], 'random golden example')}: {values['regressions']} newly wrong, "
                f"{values['improvements']} newly right. {_by_chance(values['p_value'])}"
            )
        case GateBlock.MORE_REGRESSIONS:
            return (
                f"More golden examples are newly wrong ({values['regressions']}) than newly right "
                f"({values['improvements']}), of {values['n']} that count. {_by_chance(values['p_value'])}"
            )
        case GateBlock.PIN_REGRESSED:
            named = ", ".join(f"#{one}" for one in values["examples"])
            return (
                f"{count(len(values['examples']), 'pinned past error')} would be wrong again: {named}. Any "
                "retraining gets 3 to 10 of 100 wrong again, so this alone doesn't mean that the candidate is worse."
            )
        case GateBlock.LABEL_WORSE:
            label, chance = form.text(values["label"]), _by_chance(values["p_value"])
            return f"“{label}” gets worse. Random golden examples {_right(values)}. {chance}"
        case GateBlock.ROWS_GONE:
            return (
                f"“{form.text(values['label'])}” has lost its training rows: the live model was trained on "
                f"{values['live']} of them, the candidate on {values['candidate'] or 'none'}. Check the newest "
                "corrections. If you merged it into another label on purpose, overrule the gate."
            )
        case GateBlock.SILENT_LABEL:
            return (
                f"“{form.text(values['label'])}” would hardly be used any more: of the last {values['texts']} stored "
                f"inputs, the live model gives it to {values['live']}, the candidate to {values['candidate']}. "
                "Check the training rows. If you merged it into another label on purpose, overrule the gate."
            )
        case GateBlock.LABELS_EXCHANGED:
            return _exchanged(values, form)
        case GateBlock.LABELS_SWAPPED:
            first, second = map(form.text, values["labels"])
            return (
                f"“{first}” and “{second}” look swapped: the candidate mistakes most golden examples of each for the "
                "other. Check the labels of the training rows."
            )
        case GateBlock.LABEL_LOST:
            right = _right({**values, "candidate": 0})
            return f"“{form.text(values['label'])}” is lost. Golden examples {right}"
        case GateBlock.TRAINING_WORSE:
            return (
                f"Worse on held-out training rows: of {values['n']} that the live model was trained on too, "
                f"{values['regressions']} are newly wrong and {values['improvements']} newly right. "
                f"{_by_chance(values['p_value'])} The newest corrections may have wrong labels: check them. If the "
                "meaning of a label was changed on purpose, overrule the gate."
            )
        case _:
            assert_never(code)


def _warning(code: GateWarning, values: Values, form: Format) -> str:
    match code:
        case GateWarning.LIVE_UNUSABLE:
            sentence = form.text(values["sentence"])
            return f"The candidate wasn't compared with the live model, which can't be opened: {sentence}"
        case GateWarning.NOTHING_TESTED:
            past = count(values["past_errors"], "past error")
            do = "is shown but doesn't count" if values["past_errors"] == 1 else "are shown but don't count"
            rest = f" {past} {do}." if values["past_errors"] else ""
            return f"Nothing could be tested: there are no golden examples that count.{rest}"
        case GateWarning.NO_RANDOM_EXAMPLES:
            past = count(values["past_errors"], "past error")
            return f"There are no random golden examples: the candidate was tested on {past} alone."
        case GateWarning.FEW_EXAMPLES:
            return _few_examples(values["n"], values["detectable_drop"])
        case GateWarning.DROP_POSSIBLE:
            return (
                f"A drop of up to {points(values['drop'])} can't be ruled out "
                f"(measured: {signed(values['measured'])}; limit: {points(values['allowed'])})."
            )
        case GateWarning.LABELS_UNTESTED:
            return _untested(values["untested"], values["labels"], values["needed"])
        case GateWarning.UNREVIEWED_WORSE:
            live, candidate = (f"{values[one]}/{values[f'{one}_n']}" for one in ("live", "candidate"))
            return f"Unreviewed answers right: live {live}, candidate {candidate}"
        case GateWarning.CONFIDENCE_WORSE:
            return (
                f"The candidate's confidence is off by {points(values['candidate'])} on average, the live model's by "
                f"{points(values['live'])}. The review threshold would select other predictions."
            )
        case GateWarning.NO_HELD_OUT:
            return (
                "Held-out training rows can't be compared: a service doesn't say what it answers to them. The golden "
                "examples and the stored inputs decide alone."
            )
        case GateWarning.FEW_TRAINING_ROWS:
            return _few_rows(values["rows"], values["floor"], form)
        case GateWarning.NO_MODEL_TO_COMPARE:
            return (
                "There was no model to compare with. A first model has no rival, so the numbers stand beside "
                f"{BASELINES['majority']}."
            )
        case GateWarning.NOT_COMPARED:
            return f"{count(values['count'], 'golden example')} without a recorded prediction could not be compared."
        case _:
            assert_never(code)


def _exchanged(values: Values, form: Format) -> str:
    (first, second), live, other = map(form.text, values["labels"]), values["live"], values["exchanged"]
    return (
        f"“{first}” and “{second}” have changed places: of the last {values['texts']} stored inputs, the candidate "
        f"calls {other[0]} of {live[0]} “{first}” texts “{second}” and {other[1]} of {live[1]} “{second}” texts "
        f"“{first}”. Check the labels of the training rows."
    )


def _right(values: Values) -> str:
    """The right answers of both models, side by side."""
    before, n = SHORT[values["baseline"]], values["n"]
    return f"right: {before} {values['live']}/{n}, candidate {values['candidate']}/{n}"


def _by_chance(p_value: float) -> str:
    share = "fewer than 0.1%" if p_value < 0.001 else f"{p_value:.1%}"
    return f"Two equally good models differ this much in {share} of comparisons."


def _few_examples(n: int, detectable: float | None) -> str:
    only = f"Only {count(n, 'random golden example')}"
    if detectable is None:
        return f"{only}: by themselves too few to show any drop."
    return f"{only}: by themselves they would not show a drop of less than {points(detectable)}."


def _untested(untested: int, labels: int, needed: int) -> str:
    if untested == labels:
        return "Too few examples to test any label by itself"
    return f"Too few examples to test {untested} of {count(labels, 'label')} by themselves ({needed} are needed)"


def _few_rows(rows: Mapping[str, int], floor: int, form: Format) -> str:
    named = [f"“{form.text(label)}” ({rows[label]})" for label in rows][:NAMED]
    rest = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return f"Labels with fewer than {floor} training rows: {', '.join(named)}{rest}. The model can hardly learn them."
