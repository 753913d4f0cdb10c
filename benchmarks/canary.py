"""How often the canary's rule proposes to roll back: models that are equally good, 3 and 6 points worse.

    nice .venv/bin/python -m benchmarks.canary > benchmarks/canary.txt

Two models score ten labels: a strength for the right one, noise that they share (how hard the text is) and noise of
their own. Confidence is a softmax, fitted to each; a bolder one is 1.3 times as steep, a meeker one .75 times. What the
answering model is unsure of (below .8) and 5 % by lot is settled, 4 % of it under a wrong label. The rule's own code
decides. Beside it stand two rules that were not taken: all settled items, and those about which both models would have
been equally unsure."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from core.learning.evaluation.canary import Paired, judge
from core.vocabulary import CanaryVerdict

LABELS, OWN, SURE, LOT, WRONG = 10, 0.5, 0.8, 0.05, 0.04
ALPHA, LOOKS = 0.05, 4
SETTINGS = ((0.88, 1400, 0.2), (0.88, 4200, 0.2), (0.88, 4200, 0.1), (0.75, 1400, 0.2))  # accuracy, requests, share

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Model:
    strength: float
    steepness: float

    def confidence(self, scores: Floats) -> Floats:
        steep = np.exp(self.steepness * (scores - scores.max(axis=1, keepdims=True)))
        return np.asarray(steep.max(axis=1) / steep.sum(axis=1))


@dataclass(frozen=True)
class Traffic:
    """right: against what people settled. doubt: below the threshold of the review."""

    former_right: Flags
    new_right: Flags
    former_doubt: Flags
    new_doubt: Flags
    place: Floats
    lot: Flags


def model(accuracy: float, boldness: float = 1.0) -> Model:
    """Of this accuracy on texts that no one mislabels."""
    strength = float(brentq(lambda one: _accuracy(one) - accuracy, 1, 8, xtol=1e-3))
    return Model(strength, _steepness(strength) * boldness)


def traffic(random: np.random.Generator, rows: int, former: Model, new: Model) -> Traffic:
    shared = random.normal(size=(rows, LABELS))
    first, second = (_scores(random, shared, one.strength) for one in (former, new))
    settled = np.where(random.random(rows) < WRONG, random.integers(1, LABELS, rows), 0)
    return Traffic(
        first.argmax(axis=1) == settled,
        second.argmax(axis=1) == settled,
        former.confidence(first) < SURE,
        new.confidence(second) < SURE,
        random.random(rows),
        random.random(rows) < LOT,
    )


def proposes(seen: Traffic, compared: Flags) -> bool:
    """Whether one of the planned looks finds the new model worse."""
    rows = len(seen.place)
    for look in range(1, LOOKS + 1):
        until = compared & (np.arange(rows) < rows * look // LOOKS)
        regressions = int((until & seen.former_right & ~seen.new_right).sum())
        improvements = int((until & ~seen.former_right & seen.new_right).sum())
        if judge(Paired(int(until.sum()), regressions, improvements), ALPHA, LOOKS) is CanaryVerdict.WORSE:
            return True
    return False


def settled(seen: Traffic, share: float) -> Flags:
    return np.where(seen.place < share, seen.new_doubt, seen.former_doubt) | seen.lot


def two_groups(seen: Traffic, share: float) -> Flags:
    """The rule, as `is_compared` has it."""
    return settled(seen, share) & ((seen.place < share) | (seen.place >= 1 - share))


def everything(seen: Traffic, share: float) -> Flags:
    return settled(seen, share)


def equal_doubt(seen: Traffic, share: float) -> Flags:
    return settled(seen, share) & (seen.former_doubt == seen.new_doubt)


RULES: dict[str, Callable[[Traffic, float], Flags]] = {
    "two groups": two_groups, "all items": everything, "equal doubt": equal_doubt,
}  # fmt: skip
CASES = {
    "equal": (0.0, 1.0), "equal, bolder": (0.0, 1.3), "equal, meeker": (0.0, 0.75),
    "3 points worse": (0.03, 1.0), "6 points worse": (0.06, 1.0),
}  # fmt: skip


def main(seeds: int) -> None:
    sys.stdout.write(f"Share of {seeds} canaries with a proposal to roll back; alpha {ALPHA}, {LOOKS} looks.\n")
    for accuracy, rows, share in SETTINGS:
        former = model(accuracy)
        sys.stdout.write(f"\naccuracy {accuracy}, {rows} requests, share {share}\n")
        for name, (fall, boldness) in CASES.items():
            new = model(accuracy - fall, boldness)
            drawn = [traffic(np.random.default_rng(seed), rows, former, new) for seed in range(seeds)]
            rates = [np.mean([proposes(one, rule(one, share)) for one in drawn]) for rule in RULES.values()]
            items = np.mean([two_groups(one, share).sum() for one in drawn])
            told = "  ".join(f"{rule} {rate:.3f}" for rule, rate in zip(RULES, rates, strict=True))
            sys.stdout.write(f"{name:15} {told}  ({items:.0f} items compared)\n")
            sys.stdout.flush()


def _scores(random: np.random.Generator, shared: Floats, strength: float) -> Floats:
    scores = shared + OWN * random.normal(size=shared.shape)
    scores[:, 0] += strength
    return scores


def _accuracy(strength: float) -> float:
    random = np.random.default_rng(1)
    scores = _scores(random, random.normal(size=(40_000, LABELS)), strength)
    return float((scores.argmax(axis=1) == 0).mean())


def _steepness(strength: float) -> float:
    """The one with the smallest cross-entropy."""
    random = np.random.default_rng(2)
    scores = _scores(random, random.normal(size=(10_000, LABELS)), strength)

    def loss(steep: float) -> float:
        return float((np.log(np.exp(steep * scores).sum(axis=1)) - steep * scores[:, 0]).mean())

    return float(min(np.linspace(0.5, 5, 40), key=loss))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
