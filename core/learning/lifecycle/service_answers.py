"""The answers of models that run in a service. The services are asked here, before the models are judged in another
process, which has no connection to a service."""

from contextlib import suppress
from dataclasses import replace

from core.learning.evaluation.compare import answers, predict
from core.learning.evaluation.judging import Answers, Case
from core.learning.learners.artifacts import OtherRuntime
from core.learning.learners.external import Ask, GoldenAnswers, answered_before
from core.learning.learners.label_subset import NoCommonLabels
from core.learning.learners.stored_model import Model, StoredModel
from core.policy.external import EXTERNAL


def with_service_answers(case: Case, ask: Ask, submitted: GoldenAnswers, live_submitted: GoldenAnswers) -> Case:
    """The case with the answers of services in place of their models. submitted: the answers of the candidate's service
    to golden inputs, which count; live_submitted: those of the live model's service. Raises ModelUnavailable if a
    service does not answer."""
    live = case.incumbent.model
    asked = live and _asked(case, live, ask, live_submitted)
    candidate = _asked(case, case.candidate, ask, submitted)
    return replace(case, candidate=candidate, incumbent=replace(case.incumbent, model=asked))


def is_of_service(model: Model | Answers) -> bool:
    return isinstance(model, StoredModel) and model.learner == EXTERNAL


def _asked(case: Case, model: Model | Answers, ask: Ask, submitted: GoldenAnswers) -> Model | Answers:
    if not isinstance(model, StoredModel) or model.learner != EXTERNAL:
        return model
    with suppress(OtherRuntime, NoCommonLabels):  # handled when the model is judged, as for any other
        fitted, texts = model.opened(ask), case.incumbent.texts
        return Answers(predict(answered_before(fitted, submitted), case.golden), answers(fitted, texts).labels)
    return model
