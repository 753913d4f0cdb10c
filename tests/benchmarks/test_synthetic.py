"""The simulated rule that admits a batch, its simulated readers, and the recorded texts of the benchmark."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.admission import admission_table, judged
from benchmarks.loop.sources import DATA, Text, read_source
from benchmarks.synthetic import varied
from benchmarks.written_texts import recorded, scene, written

BATCHES = 20_000
GOOD, BAD = Text("give me my money back", "refund"), Text("my card was charged twice", "billing error")


def test_the_simulated_rule_agrees_with_the_binomial_distribution() -> None:
    found, lines = admission_table(np.random.default_rng(3), BATCHES)
    assert found["rule: bad batches (0.8 right) admitted, people wrong 0.0"] == pytest.approx(
        binom.sf(8, 10, 0.8), abs=4 / BATCHES**0.5
    )
    assert found["rule: good batches (0.95 right) refused, people wrong 0.0"] == pytest.approx(
        binom.cdf(8, 10, 0.95), abs=4 / BATCHES**0.5
    )
    assert len(lines) == 2 + 3 * 3 + 3 + 1


@pytest.mark.parametrize(("good", "bad", "trains"), [(20, 0, 20), (0, 20, 0), (10, 10, 0)])
def test_people_who_are_right_refuse_a_bad_batch(good: int, bad: int, trains: int) -> None:
    batch = [*[GOOD] * good, *[BAD] * bad]
    assert len(judged(batch, "refund", np.random.default_rng(1))) == trains


def test_what_was_not_confirmed_does_not_train() -> None:
    batch = [*[GOOD] * 9, BAD]
    assert judged(batch, "refund", np.random.default_rng(1)) == [GOOD] * 9


def test_a_text_has_three_variants_of_the_same_words() -> None:
    swapped, dropped, doubled = (one.input.text.split() for one in varied(GOOD, np.random.default_rng(2)))
    assert Counter(swapped) == Counter(GOOD.text.split())
    assert set(dropped) <= set(swapped) == set(doubled)
    assert 0 < len(dropped) <= len(swapped) <= len(doubled)


@pytest.mark.slow
def test_what_was_recorded_is_for_the_weak_labels_and_holds_no_text_of_the_data_set() -> None:
    if not (DATA / "banking77").is_dir():
        pytest.skip(f"{DATA}/banking77 is not there")
    source = read_source(DATA, "banking77")
    known = {row.text for row in source.stream}
    assert not [one for answer in recorded() for one in answer["texts"] if isinstance(one, str) and one in known]
    for seed in {answer["seed"] for answer in recorded()}:
        texts = written(source, seed)
        assert set(texts) <= set(scene(source, seed).weak)
        assert all(isinstance(one, str) for label in texts for one in texts[label])
