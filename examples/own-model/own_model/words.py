"""The model of the example: naive Bayes on words. Put your own in its place."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WordModel:
    """words: label -> word -> weight of the rows with it; rows: label -> weight of its rows."""

    labels: tuple[str, ...]
    words: dict[str, dict[str, float]]
    rows: dict[str, float]

    def probabilities(self, text: str) -> dict[str, float]:
        """One number for each label, which sum to 1. Words that it does not know say nothing."""
        known = {word for counts in self.words.values() for word in counts}
        asked = [word for word in text.lower().split() if word in known]
        scores = {label: self._score(label, asked, len(known)) for label in self.labels}
        highest = max(scores.values())
        shares = {label: math.exp(score - highest) for label, score in scores.items()}
        total = sum(shares.values())
        return {label: share / total for label, share in shares.items()}

    def _score(self, label: str, words: Sequence[str], known: int) -> float:
        counts = self.words.get(label, {})
        total = sum(counts.values()) + known
        prior = math.log(self.rows.get(label, 0.0) + 1)
        return prior + sum(math.log((counts.get(word, 0.0) + 1) / total) for word in words)

    def save(self, file: Path) -> None:
        file.write_text(json.dumps({"labels": self.labels, "words": self.words, "rows": self.rows}), encoding="utf-8")

    @staticmethod
    def load(file: Path) -> "WordModel":
        stored = json.loads(file.read_text(encoding="utf-8"))
        return WordModel(tuple(stored["labels"]), stored["words"], stored["rows"])


def train(rows: Iterable[dict[str, object]], labels: Sequence[str]) -> WordModel:
    """rows: lines of a snapshot, of which `text`, `label` and `weight` are read."""
    words: dict[str, Counter[str]] = {label: Counter() for label in labels}
    weights: Counter[str] = Counter()
    for row in rows:
        label, weight = str(row["label"]), float(str(row["weight"]))
        weights[label] += weight  # type: ignore[assignment]
        for word in set(str(row["text"]).lower().split()):
            words.setdefault(label, Counter())[word] += weight  # type: ignore[assignment]
    return WordModel(tuple(labels), {label: dict(counts) for label, counts in words.items()}, dict(weights))
