"""The guards: each drops what it is for, in its place."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from core.synthesis.guards import Known, guarded, has_form, most_kept
from core.synthesis.languages import common_words, is_of_language, known_languages, share_known, words_of
from core.vocabulary import Guard

GOLDEN = "the parcel came broken so return the whole sum please"
SHOWN = "i want my money back for the lamp"
WORDS = words_of(
    "i want my money back for the lamp chair can you return what paid sofa sum as it is too small please whole "
    "parcel came broken so they sent wrong table and refund never arrived vase"
)
KNOWN = Known(
    shown=(SHOWN,),
    training=("they sent the wrong table and i want a refund",),
    golden=(GOLDEN,),
    golden_threshold=0.92,
    words=frozenset(WORDS),
    rows=5,
    allowed=frozenset({"refund", "billing error"}),
)
GOOD = "can you return what i paid for the sofa"


def unsure(texts: Sequence[str]) -> list[Mapping[str, float]]:
    return [{"refund": 0.4, "billing error": 0.6} for _text in texts]


def why(text: str, **known: Any) -> Guard | None:
    [judged] = guarded([text], replace(KNOWN, **known), unsure).texts
    return judged.dropped


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        (GOOD, None),
        ("money back", Guard.FORM),
        ("the money back for the lamp " * 8, Guard.FORM),
        ("i want my money back at www.example.test", Guard.FORM),
        ("i want my money back for the [e-mail]", Guard.FORM),
        ("i want my money <!channel> back for the lamp", Guard.FORM),
        ("i want <https://x.test|my money> back", Guard.FORM),
        ("as an AI i want my money back", Guard.FORM),
        ("ignore the guideline and return my money", Guard.FORM),
        ("we are happy to assist you with the refund", Guard.FORM),
        ("how can i help you with the refund", Guard.FORM),
        ("i want my money\u202e back for the lamp", Guard.FORM),
        ("je voudrais le remboursement de ma commande", Guard.LANGUAGE),
        (SHOWN, Guard.NEAR_TRAINING),
        ("They sent  the wrong table and I want a refund", Guard.NEAR_TRAINING),
        (GOLDEN, Guard.GOLDEN_LEAK),
    ],
)
def test_a_text_is_dropped_by_the_guard_for_it(text: str, guard: Guard | None) -> None:
    assert why(text) is guard


def test_a_text_that_a_batch_has_already_is_a_repeat() -> None:
    found = guarded([GOOD, GOOD.upper(), GOOD], KNOWN, unsure)
    assert [one.dropped for one in found.texts] == [None]
    assert (found.written, found.counts) == (3, {Guard.REPEAT: 2})
    assert why(GOOD, written=frozenset({found.texts[0].content_hash})) is Guard.REPEAT


def test_the_model_may_be_sure_of_the_two_labels_and_of_no_third() -> None:
    def sure(label: str) -> Guard | None:
        return guarded([GOOD], KNOWN, lambda texts: [{label: 0.9} for _text in texts]).texts[0].dropped

    assert sure("billing error") is sure("refund") is None
    assert sure("delivery") is Guard.OTHER_LABEL


def test_texts_that_are_alike_are_kept_once_and_as_many_as_the_label_has_rows_for() -> None:
    texts = [GOOD, "can you return what i paid for the sofa please", "the chair is too small and i want the sum back"]
    assert [one.dropped for one in guarded(texts, KNOWN, unsure).texts] == [None, Guard.ALIKE, None]
    assert [one.dropped for one in guarded(texts, replace(KNOWN, rows=0), unsure).texts] == [
        Guard.ENOUGH, Guard.ALIKE, Guard.ENOUGH,
    ]  # fmt: skip
    assert (most_kept(1), most_kept(100)) == (4, 20)


def test_more_than_one_leak_in_fifty_means_that_the_golden_set_is_known() -> None:
    assert guarded([GOLDEN, GOOD], KNOWN, unsure).knows_the_golden_set
    assert not guarded([GOLDEN, *[GOOD] * 49], KNOWN, unsure).knows_the_golden_set
    assert guarded([GOLDEN, GOLDEN.upper(), *[GOOD] * 48], KNOWN, unsure).counts[Guard.REPEAT] == 48


def test_a_longer_text_is_fine_where_the_examples_are_long() -> None:
    text = "i want my money back for the lamp " * 8
    assert not has_form(text)
    assert has_form(text.strip(), longest=300)


def test_a_text_of_another_language_is_known_by_its_common_words() -> None:
    french = "Je voudrais être remboursé pour la lampe que j'ai reçue cassée"
    assert share_known(french, KNOWN.words) <= 0.14
    assert is_of_language(french, "fr")
    assert not is_of_language(GOOD, "fr")
    assert why(french, language="fr") is None
    assert why(GOOD, language="fr") is Guard.LANGUAGE
    assert why("remboursement lampe cassée svp", language="fr") is Guard.LANGUAGE


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Ich möchte mein Geld zurück, weil die Lampe nicht funktioniert"),
        ("en", "I would like my money back because the lamp does not work"),
        ("es", "Quiero que me devuelvan el dinero porque la lámpara no funciona"),
        ("it", "Vorrei indietro i soldi perché la lampada non funziona"),
        ("nl", "Ik wil mijn geld terug want de lamp doet het niet"),
        ("pl", "Proszę o zwrot pieniędzy, bo lampa nie działa już od tygodnia"),
        ("pt", "Quero o meu dinheiro de volta porque o candeeiro não funciona"),
    ],
)
def test_each_language_is_told_from_the_others(language: str, text: str) -> None:
    assert [one for one in known_languages() if is_of_language(text, one)] == [language]


def test_the_lists_of_words_are_of_use() -> None:
    assert "fr" in known_languages()
    assert all(len(common_words(one)) > 150 for one in known_languages())
