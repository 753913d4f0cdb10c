"""The clusters of a scan's end picture: by what the model says of the texts, with the words that tell."""

import numpy as np
import pytest

from core.discovery.clusters import MOST, TEXTS, clusters_of

LABELS = ("refund", "parcel", "charged", "account")
THINGS = ("lamp", "chair", "table", "vase", "sofa", "mirror")
PLEASE_SHARE = {"refund": 4}  # of six texts; of another label's, two


def topics() -> tuple[list[str], np.ndarray]:
    """Texts of four labels, of which the model is fairly sure; “please” is in many of one label, and in some of all."""
    texts, chances = [], []
    for place, label in enumerate(LABELS):
        for number, thing in enumerate(THINGS * 2):
            polite = "please" if number % 6 < PLEASE_SHARE.get(label, 2) else "now"
            texts.append(f"{polite} what about the {label} for my {thing}")
            row = np.full(len(LABELS), 0.1)
            row[place] = 0.7
            chances.append(row + 0.001 * number * np.eye(len(LABELS))[place])
    said = np.array(chances)
    return texts, said / said.sum(axis=1, keepdims=True)


def test_a_cluster_is_named_by_the_words_that_tell_its_label_not_by_those_of_every_label() -> None:
    texts, chances = topics()
    found = clusters_of(texts, chances, seed=1)
    assert {word for one in found for word in one.words} == set(LABELS)


def test_every_text_is_in_a_cluster_and_the_largest_comes_first() -> None:
    texts, chances = topics()
    found = clusters_of(texts, chances, seed=1)
    sizes = [one.texts for one in found]
    assert sum(sizes) == len(texts)
    assert sizes == sorted(sizes, reverse=True)
    assert len(found) <= min(MOST, len(texts) // TEXTS)


@pytest.mark.parametrize("count", [0, 1, 9])
def test_too_few_texts_have_no_clusters(count: int) -> None:
    texts, chances = topics()
    assert clusters_of(texts[:count], chances[:count], seed=1) == []


def test_texts_of_which_the_model_says_the_same_are_one_cluster_without_a_word() -> None:
    texts, chances = topics()
    [only] = clusters_of(texts, np.full_like(chances, 0.25), seed=1)
    assert (only.texts, only.words) == (len(texts), ())


def test_texts_without_a_common_word_have_clusters_without_words() -> None:
    _texts, chances = topics()
    found = clusters_of([f"{chr(97 + place // 26)}{chr(97 + place % 26)}x" for place in range(48)], chances, seed=1)
    assert {one.words for one in found} == {()}
