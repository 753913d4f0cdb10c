"""The domain classifier."""

from core.discovery.domain import fit_domain
from tests.core.discovery.test_scoring import OTHER, OURS
from tests.core.models import fitted


def test_too_few_texts_of_either_kind_give_no_classifier() -> None:
    model, _packed = fitted()
    ngrams = model.ngrams  # type: ignore[attr-defined]
    assert fit_domain(ngrams, OURS[:19], OTHER, 0.9, 1) is None
    assert fit_domain(ngrams, OURS, OTHER[:19], 0.9, 1) is None
    assert fit_domain(ngrams, OURS, OTHER, 0.9, 1) is not None
