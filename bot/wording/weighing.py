"""Sentences about the training weight of the rows that correct the model."""

from typing import Any, assert_never

from bot.wording.format import Format
from bot.wording.numbers import count
from core.vocabulary import Coded, SweepReason, WeightChoice

UNKNOWN_CHOICE = ""


def weighing(choice: Coded, form: Format) -> str:
    """The sentences on a choice; empty for a code of another release. choice: a code of `WeightChoice`."""
    if choice.code not in set(WeightChoice):
        return UNKNOWN_CHOICE
    known, values = WeightChoice(choice.code), choice.values
    weight = f"Rows that correct the model have weight {values['weight']:g}"
    match known:
        case WeightChoice.POLICY:
            return f"{weight}, as set in the policy."
        case WeightChoice.MEASURED:
            return f"{weight}. Accuracy on held-out rows: {_trials(values)}. {_why(values)} It took {_seconds(values)}."
        case WeightChoice.KEPT:
            grown = f"{values['rows_before']} rows then, {count(values['rows'], 'row')} now"
            return f"{weight}, as measured by training run {values['run']} ({grown})."
        case WeightChoice.EXTERNAL:
            return f"{weight}. A service trains, so other weights were not compared."
        case WeightChoice.NO_CORRECTIONS:
            return "No training row corrects the model."
        case WeightChoice.TOO_FEW:
            some = count(values["corrections"], "training row")
            correct = "corrects" if values["corrections"] == 1 else "correct"
            return f"{weight}: {some} {correct} it, and weights are compared from {values['needed']} on."
        case WeightChoice.REFUSED:
            return f"{weight}. Other weights could not be compared: {form.text(values['sentence'])}"
        case _:
            assert_never(known)


def _trials(values: Any) -> str:
    return ", ".join(f"{trial['accuracy']:.1%} with weight {trial['weight']:g}" for trial in values["trials"])


def _why(values: Any) -> str:
    if values["why"] == SweepReason.ROWS_GREW:
        return f"Measured because training rows have grown from {values['rows_before']} to {values['rows']}."
    if values["why"] == SweepReason.LEARNER_CHANGED:
        return "Measured because the learner has changed."
    return "Measured for the first time."


def _seconds(values: Any) -> str:
    seconds = values["seconds"]
    return f"{seconds:.1f} seconds" if seconds < 10 else f"{seconds:.0f} seconds"
