"""Sentences about the progress and the failure of training runs."""

from datetime import datetime
from typing import assert_never

from bot.wording.format import Format
from bot.wording.numbers import count
from core.vocabulary import Coded, RunProblem, RunStep, Trigger

TRIGGERS: dict[Trigger, str] = {
    Trigger.CRON: "by schedule",
    Trigger.CORRECTIONS: "after new corrections",
    Trigger.DRIFT: "after a drift alarm",
    Trigger.COMMAND: "by command",
}
UNKNOWN_STEP = "in progress"
UNKNOWN_PROBLEM = "The log has the reason."


def run_step(step: Coded, form: Format) -> str:
    """The progress, which completes "Training run 5: ___". step: a code of `RunStep`."""
    if step.code not in set(RunStep):
        return UNKNOWN_STEP
    known = RunStep(step.code)
    match known:
        case RunStep.WAITING:
            return "waiting for a worker"
        case RunStep.SHADOW:
            return f"waiting until the shadow of {step.values['model']} has ended"
        case RunStep.SNAPSHOT_TAKEN:
            return f"snapshot of {count(step.values['rows'], 'row')} taken"
        case RunStep.OTHER_RUN:
            return f"waiting until the service has answered training run {step.values['run']}"
        case RunStep.SERVICE_ASKED:
            rows, golden = count(step.values["rows"], "row"), count(step.values["golden"], "golden input")
            return f"{rows} handed out to the service, its answers to {golden} are due {_until(step)}"
        case RunStep.SERVICE_REFUSED:
            sentence = form.text(step.values["sentence"])
            return f"the service's answers were refused, others are due {_until(step)}. {sentence}"
        case RunStep.SERVICE_AWAY:
            return f"waiting for the service to predict. {form.text(step.values['sentence'])}"
        case RunStep.WEIGHING:
            return f"measuring the weight of corrections, part {step.values['part']} of {step.values['parts']}"
        case RunStep.ROWS_LEFT_OUT:
            return f"leaving out {count(step.values['rows'], 'row')} without {' or '.join(step.values['reads'])}"
        case RunStep.ENCODING:
            return f"encoding {count(step.values['rows'], 'text')}"
        case RunStep.CALIBRATING:
            return f"calibrating, part {step.values['part']} of {step.values['parts']}"
        case RunStep.FITTING:
            return f"fitting on {count(step.values['rows'], 'row')}"
        case RunStep.OTHER:
            return form.text(step.values["phrase"])
        case RunStep.DONE:
            return "done"
        case _:
            assert_never(known)


def _until(step: Coded) -> str:
    return f"by {datetime.fromisoformat(step.values['until']):%Y-%m-%d %H:%M} UTC"


def run_problem(problem: Coded, form: Format) -> str:
    """The sentence on a failure. problem: a code of `RunProblem`."""
    if problem.code not in set(RunProblem):
        return UNKNOWN_PROBLEM
    known = RunProblem(problem.code)
    match known:
        case RunProblem.REFUSED:
            return form.text(problem.values["sentence"])
        case RunProblem.ROWS_ERASED:
            fits = count(problem.values["fits"], "time")
            return f"Training rows were erased while a model learned from them, {fits} in a row. Retrain."
        case RunProblem.WORKER_DIED:
            return f"Its worker stopped {count(problem.values['attempts'], 'time')}."
        case RunProblem.FAILED_REPEATEDLY:
            return f"It failed {count(problem.values['attempts'], 'time')}. The log has the reason."
        case _:
            assert_never(known)
