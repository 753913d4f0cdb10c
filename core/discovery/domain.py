"""The domain classifier: how likely a text is of the queue's kind, learned from the queue's training texts and a sample
of the source.

It is a logistic regression on positive and unlabelled texts. The sample holds texts of the queue's kind too; they lower
all values, but do not change their order (Elkan and Noto 2008, KDD, 213-220). If cross-validation cannot tell the two
apart, the whole source is taken to be of the queue's kind, and there is no threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core.discovery.sources import BATCH, Columns, Shard, read
from core.errors import Invalid
from core.learning.learners.ngrams import Ngrams, fit_ngrams
from core.learning.learners.temperature import assign_folds

SAMPLE = 8_000  # texts in the sample of the source
SHARDS = 8  # shards from which the sample is drawn
LOOKED_AT = 4 * BATCH  # the first rows of a shard, from which the sample is drawn
MOST_TRAINING = 20_000
LEAST_AUC = 0.75  # with a smaller one, the two kinds cannot be told apart
FEWEST = 20  # the fewest texts of each kind


@dataclass(frozen=True)
class Domain:
    """A fitted classifier. weights: float32, shape (n-grams,); a text's value is their sum over its row, plus offset.
    threshold: the lowest value of a text of the queue's kind; None: the whole source is of that kind. ngrams: None if
    they are the model's own."""

    weights: NDArray[np.float32]
    offset: float
    threshold: float | None
    auc: float
    ngrams: Ngrams | None = None


def sample_texts(shards: Sequence[Shard], columns: Columns, seed: int) -> list[str]:
    """A random sample of texts from the beginnings of some shards, spread over the source. Shards that cannot be read
    are left out."""
    rng = np.random.default_rng(seed)
    places = np.unique(np.linspace(0, len(shards) - 1, SHARDS).astype(int))
    found = [_beginning(shards[place], columns) for place in places]
    found = [texts for texts in found if texts]
    each = SAMPLE // max(1, len(found))
    return [texts[place] for texts in found for place in rng.permutation(len(texts))[:each]]


def fit_domain(
    ngrams: Ngrams | None, training: Sequence[str], sample: Sequence[str], keep: float, seed: int
) -> Domain | None:
    """Fit the classifier; None: there are too few texts. ngrams: the model's; None: they are fitted here. keep: share
    of the training texts that reach the threshold."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    texts = [training[place] for place in sorted(rng.permutation(len(training))[:MOST_TRAINING])]
    if min(len(texts), len(sample)) < FEWEST:
        return None
    own = None if ngrams else fit_ngrams([*texts, *sample])
    rows = (ngrams or own or fit_ngrams(texts)).features([*texts, *sample])
    is_training = np.arange(len(texts) + len(sample)) < len(texts)

    def fitted(chosen: NDArray[np.bool_]) -> LogisticRegression:
        return LogisticRegression(C=1.0, class_weight="balanced", max_iter=200).fit(rows[chosen], is_training[chosen])

    folds, values = assign_folds(is_training.astype(np.intp), rng), np.zeros(len(is_training))
    with threadpool_limits(1):  # on sparse rows, threads would wait for each other
        for fold in range(int(folds.max()) + 1):
            values[folds == fold] = fitted(folds != fold).decision_function(rows[folds == fold])
        whole = fitted(np.full(len(is_training), True))
    auc = float(roc_auc_score(is_training, values))
    threshold = float(np.quantile(values[is_training], 1 - keep)) if auc >= LEAST_AUC else None
    return Domain(whole.coef_[0].astype(np.float32), float(whole.intercept_[0]), threshold, auc, own)


def _beginning(shard: Shard, columns: Columns) -> list[str]:
    texts: list[str] = []
    try:
        for _ids, batch in read(shard, columns):
            texts += [text for text in batch if text.strip()]
            if len(texts) >= LOOKED_AT:
                break
    except (Invalid, OSError, ValueError, EOFError):
        return texts
    return texts[:LOOKED_AT]
