"""The learner `image` as one would write it down: scikit-learn and numpy called directly, with nothing of Goldloop.

`make bench-images` fits it on the same pictures in the same run: what the product's own way costs beyond that is seen
at once, whatever the machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

FOLDS = 3
Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    svm: LinearSVC
    scale: float

    def probabilities(self, pictures: Pixels) -> Floats:
        """(pictures, labels)."""
        shares: Floats = softmax(self.scale * _margins(self.svm, features(pictures)), axis=1)
        return shares


def fit(pictures: Pixels, labels: Sequence[str], c: float) -> Model:
    """pictures: (pictures, 64, 64). Balanced weights; the temperature is fitted on the margins of three folds."""
    rows, targets = features(pictures), np.unique(labels, return_inverse=True)[1]
    held_out = np.zeros((len(rows), targets.max() + 1))
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(rows, targets):
        held_out[test] = _margins(_svm(c).fit(rows[train], targets[train]), rows[test])

    def loss(log_scale: float) -> float:
        return float(-log_softmax(np.exp(log_scale) * held_out, axis=1)[np.arange(len(targets)), targets].mean())

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(50)), method="bounded")
    return Model(_svm(c).fit(rows, targets), float(np.exp(found.x)))


def features(pictures: Pixels) -> NDArray[np.float32]:
    """Histograms of oriented gradients, and 16 x 16 pixels standardised per picture, for 500 pictures at once."""
    parts = [part.astype(np.float32) / 255 for part in np.array_split(pictures, -(-len(pictures) // 500))]
    return np.vstack([np.hstack([_hog(part), _small(part)]) for part in parts])


def _svm(c: float) -> LinearSVC:
    return LinearSVC(C=c, class_weight="balanced", random_state=1, max_iter=10_000)


def _margins(svm: LinearSVC, rows: NDArray[np.float32]) -> Floats:
    margins: Floats = svm.decision_function(rows)
    return margins if margins.ndim == 2 else np.stack([-margins, margins], axis=1)


def _hog(x: NDArray[np.float32], cell: int = 8, bins: int = 9) -> NDArray[np.float32]:
    gx, gy = np.zeros_like(x), np.zeros_like(x)
    gx[:, :, 1:-1] = x[:, :, 2:] - x[:, :, :-2]
    gy[:, 1:-1] = x[:, 2:] - x[:, :-2]
    size, angle = np.hypot(gx, gy), (np.arctan2(gy, gx) % np.pi) * (bins / np.pi)
    low = np.floor(angle).astype(np.int64) % bins
    high, part = (low + 1) % bins, (angle - np.floor(angle)).astype(np.float32)
    n, h, w = x.shape
    ch, cw = h // cell, w // cell
    cells = (np.arange(h) // cell)[:, None] * cw + (np.arange(w) // cell)[None]
    base = (np.arange(n)[:, None, None] * ch * cw + cells[None]) * bins
    count = n * ch * cw * bins
    counted = np.bincount((base + low).ravel(), (size * (1 - part)).ravel(), count)
    counted += np.bincount((base + high).ravel(), (size * part).ravel(), count)
    hist = counted.reshape(n, ch, cw, bins)
    blocks = np.concatenate([hist[:, :-1, :-1], hist[:, 1:, :-1], hist[:, :-1, 1:], hist[:, 1:, 1:]], axis=3)
    blocks /= np.sqrt((blocks**2).sum(3, keepdims=True) + 1e-4)
    blocks = np.minimum(blocks, 0.2)
    blocks /= np.sqrt((blocks**2).sum(3, keepdims=True) + 1e-4)
    return blocks.reshape(n, -1).astype(np.float32)


def _small(x: NDArray[np.float32], k: int = 16) -> NDArray[np.float32]:
    n, h, w = x.shape
    y = x.reshape(n, k, h // k, k, w // k).mean((2, 4)).reshape(n, -1)
    y = y - y.mean(1, keepdims=True)
    small: NDArray[np.float32] = (y / (y.std(1, keepdims=True) + 1e-3) / k).astype(np.float32)
    return small
