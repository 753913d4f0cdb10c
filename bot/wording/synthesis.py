"""Texts that a language model wrote, in sentences: batches, guards, costs, and the rows that they became."""

from collections.abc import Mapping
from typing import assert_never

from bot.wording.format import Format
from bot.wording.numbers import count
from core.learning.data.synthetic import WrittenRows
from core.synthesis.admission import fewest_confirmed, sample_size
from core.synthesis.cards import BatchCard
from core.synthesis.requests import Plan
from core.vocabulary import BatchProblem, CallProblem, Coded, Guard, SyntheticState

GUARDS: dict[Guard, str] = {
    Guard.FORM: "not like a message",
    Guard.LANGUAGE: "in another language or in unfamiliar words",
    Guard.REPEAT: "already there word for word",
    Guard.NEAR_TRAINING: "copies of training texts",
    Guard.GOLDEN_LEAK: "near a golden example",
    Guard.OTHER_LABEL: "of a third label, says the live model",
    Guard.ALIKE: "too much like one that is kept",
    Guard.ENOUGH: "beyond the most that a batch may keep",
    Guard.NOT_CONFIRMED: "not confirmed by people",
}
CALLS: dict[CallProblem, str] = {
    CallProblem.CUT: "cut off",
    CallProblem.REFUSED: "declined",
    CallProblem.EMPTY: "empty",
    CallProblem.WRONG_SHAPE: "not in the form that was asked for",
    CallProblem.TOO_LONG: "far too long",
    CallProblem.LOST: "lost",
    CallProblem.BUSY: "refused by a busy server",
}
NO_PRICES = "an unknown price (the policy states none in synthetic.price_in and price_out)"
UNKNOWN_PROBLEM = "The log has the reason."


def written_rows_sentence(written: WrittenRows) -> str:
    """The sentence on written texts among a model's training rows; empty: there are none."""
    if not written.rows:
        return ""
    numbers = ", ".join(map(str, written.batches))
    batches = "batch" if len(written.batches) == 1 else "batches"
    return f"Trained with {count(written.rows, 'synthetic row')} of {batches} {numbers}."


def batch_title(card: BatchCard, form: Format) -> str:
    """The subject of a batch, and the language model."""
    mistaken = f", mistaken for “{form.text(card.mistaken_for)}”" if card.mistaken_for is not None else ""
    target = f" ({form.text(card.target)})" if card.target else ""
    return (
        f"batch {card.batch_id} of texts for “{form.text(card.label)}”{mistaken}{target}, written by "
        f"{form.text(card.model)}"
    )


def batch_state(card: BatchCard, form: Format) -> str:
    """The progress of a batch, or its end, as a sentence."""
    counts, kept = card.counts, card.counts.get("kept", 0)
    match card.state:
        case SyntheticState.REQUESTED:
            return f"Being written: {card.spent.calls} of {count(card.spent.planned, 'call')} made."
        case SyntheticState.SAMPLED:
            return (
                f"{count(kept, 'text')} kept. Reviewers are asked about {counts['asked']} of them: {counts['settled']} "
                f"decided, {counts['confirmed']} confirmed. The batch needs {fewest_confirmed(counts['asked'])}."
            )
        case SyntheticState.ADMITTED:
            left = count(kept - counts["asked"] + counts["confirmed"], "text")
            return (
                f"Admitted: {counts['confirmed']} of {counts['asked']} confirmed. {left} may train, with little weight "
                "and as a tenth of the training rows at most."
            )
        case SyntheticState.REFUSED:
            return f"Refused. {_problem(card.problem, form)}"
        case SyntheticState.FAILED:
            return f"Failed. {_problem(card.problem, form)}"
        case SyntheticState.RETIRED:
            who = f" by {form.person(card.retired_by)}" if card.retired_by else ""
            return f"Retired{who}. {_problem(card.problem, form)}"
        case _:
            assert_never(card.state)


def guard_words(counts: Mapping[str, int]) -> str:
    """The numbers of texts written and kept, and the reasons for which others were dropped."""
    dropped = [f"{counts[guard]} {words}" for guard, words in GUARDS.items() if counts.get(guard)]
    left = f" Left out: {', '.join(dropped)}." if dropped else ""
    return f"{count(counts['written'], 'text')} written, {counts['kept']} kept.{left}"


def spent_words(card: BatchCard, form: Format) -> str:
    """The cost so far, and the texts that were sent."""
    spent = card.spent
    tokens = f"{spent.tokens:,} tokens" if spent.silent < spent.calls or not spent.calls else "tokens unknown"
    silent = f" (unknown for {count(spent.silent, 'call')})" if 0 < spent.silent < spent.calls else ""
    money = f", {spent.money:.4f} by the policy's prices" if spent.money is not None else ""
    known = [(CallProblem(code), number) for code, number in spent.problems.items() if code in set(CallProblem)]
    bad = ", ".join(f"{number} {CALLS[problem]}" for problem, number in known)
    problems = f" Problems with answers: {bad}." if bad else ""
    return (
        f"{count(spent.calls, 'call')}, {tokens}{silent}{money}. {count(spent.sent, 'masked text')} sent to "
        f"{form.text(card.address)}.{problems}"
    )


def plan_words(plan: Plan, address: str, model: str, form: Format) -> list[str]:
    """What a batch would send where, and its cost, for a question before it begins."""
    cost = plan.cost
    money = f"at most {cost.money:.4f} by the policy's prices" if cost.money is not None else NO_PRICES
    return [
        f"To {form.text(model)} at {form.text(address)}, {count(len(plan.examples), 'corrected text')} would be sent, "
        "masked.",
        f"Cost: {count(cost.calls, 'call')}, at most {cost.tokens:,} tokens, {money}. "
        f"At most {plan.kept} texts are kept, and reviewers are asked about {sample_size(plan.kept)} of them.",
    ]


def _problem(problem: Coded | None, form: Format) -> str:
    if problem is None or problem.code not in set(BatchProblem):
        return UNKNOWN_PROBLEM
    known, values = BatchProblem(problem.code), problem.values
    match known:
        case BatchProblem.SENTENCE:
            return form.text(values["sentence"])
        case BatchProblem.WORKER:
            return f"It failed {count(values['attempts'], 'time')}. The log has the reason."
        case BatchProblem.NOTHING_LEFT:
            return f"The guards left none of {count(values['written'], 'text')}."
        case BatchProblem.GOLDEN_LEAK:
            return (
                f"{values['leaks']} of {count(values['written'], 'text')} are near a golden example: the language "
                "model may know the golden set."
            )
        case BatchProblem.NOT_CONFIRMED:
            return f"People confirmed {values['confirmed']} of the {values['asked']} that they decided; 90% are needed."
        case BatchProblem.ERASED:
            return "One of the texts that it was written from was erased, so the whole batch was erased."
        case BatchProblem.WITHDRAWN:
            return "It trains no further model. Those that learned from it are unchanged: train a new one without it."
        case _:
            assert_never(known)
