"""Comparison on the newest stored texts: silent and exchanged labels, and which texts are read."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.stats import binom

from core.learning.data.inputs import Example, Input
from core.learning.data.recent_inputs import recent_inputs
from core.learning.data.snapshots import snapshot_rows
from core.learning.evaluation.compare import GoldenRow, Predicted, compare
from core.learning.evaluation.gate import gate
from core.learning.evaluation.scorecard import Scorecard
from core.learning.evaluation.stored_texts import (
    SILENT_ALPHA,
    ExchangedLabels,
    SilentLabel,
    TextScore,
    text_score,
)
from core.learning.learners.base import Fitted
from core.learning.learners.text import TextLearner
from core.learning.lifecycle.candidates import Measured, measure
from core.learning.lifecycle.models import newest_evaluation
from core.privacy.erasure import erase
from core.records.learning import TrainingRun
from core.vocabulary import GateBlock, Modality, Stratum
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, Desk, sent
from tests.core.models import SEEDS, candidate, fitted, promoted, seeded
from tests.people import support_policy

POLICY = support_policy().queues[0]
LABELS = POLICY.label_names


def said(live: Sequence[str | None], candidate: Sequence[str | None]) -> TextScore:
    return text_score(live, candidate, LABELS)


def test_a_label_that_is_merged_into_another_falls_silent() -> None:
    live = [REFUND] * 200 + [BILLING] * 30 + [DELIVERY] * 70
    found = said(live, [REFUND] * 200 + [REFUND] * 27 + [BILLING] * 3 + [DELIVERY] * 70)
    [silent] = found.silent
    assert (silent.label, silent.live, silent.candidate) == (BILLING, 30, 3)
    assert silent.p_adjusted == pytest.approx(3 * 0.5**27)
    assert (found.n, found.exchanged) == (300, ())
    assert said(live, [REFUND] * 226 + [BILLING] * 4 + [DELIVERY] * 70).silent == (), "4 of 30 is more than a tenth"


def test_a_label_that_the_candidate_does_not_know_is_silent_as_well() -> None:
    score = said([BILLING] * 12 + [REFUND] * 50, [REFUND] * 62)
    assert score.silent == (SilentLabel(BILLING, 12, 0, 2 * 0.5**12),)


def test_of_a_label_that_is_hardly_said_too_little_is_known() -> None:
    """Three labels: Holm asks for nine texts, of which none is left."""
    others = [REFUND] * 40 + [DELIVERY] * 40
    assert said([BILLING] * 8 + others, [REFUND] * 8 + others).silent == ()
    assert said([BILLING] * 9 + others, [REFUND] * 9 + others).silent != ()


def test_labels_that_the_policy_does_not_have_and_texts_without_an_answer_are_left_out() -> None:
    score = said(["gone"] * 40 + [None] * 5 + [REFUND] * 6, [REFUND] * 40 + [REFUND] * 5 + [REFUND] * 5 + [None])
    assert (score.n, score.said, score.silent) == (5, (REFUND,), ())


def test_two_labels_that_changed_places_are_exchanged() -> None:
    live = [REFUND] * 6 + [BILLING] * 5 + [DELIVERY] * 9
    swapped = [BILLING] * 3 + [REFUND] * 3 + [REFUND] * 3 + [BILLING] * 2 + [DELIVERY] * 9
    found = said(live, swapped)
    assert found.exchanged == (ExchangedLabels((BILLING, REFUND), (5, 6), (3, 3)),)
    assert found.judges((BILLING, REFUND))
    swapped[0] = REFUND
    assert said(live, swapped).exchanged == (), "2 of 6 is less than half"
    one_way = [BILLING] * 6 + [BILLING] * 5 + [DELIVERY] * 9
    assert said(live, one_way).exchanged == (), "one label swallowed the other"


def test_each_of_two_exchanged_labels_is_said_five_times_by_the_live_model() -> None:
    found = said([REFUND] * 4 + [BILLING] * 9, [BILLING] * 4 + [REFUND] * 9)
    assert found.exchanged == ()
    assert not found.judges((BILLING, REFUND))


def test_texts_of_one_group_count_once() -> None:
    """Twelve letters of one customer that are called something else now are one change."""
    live, new = [BILLING] * 12 + [REFUND] * 50, [REFUND] * 62
    [silent] = text_score(live, new, LABELS, [f"C-{n}" for n in range(62)]).silent
    assert silent == said(live, new).silent[0]
    assert text_score(live, new, LABELS, ["C-1"] * 12 + [""] * 50).silent == ()
    exchanged = [REFUND] * 6 + [BILLING] * 5, [BILLING] * 6 + [REFUND] * 5
    assert said(*exchanged).exchanged != ()
    found = text_score(*exchanged, LABELS, ["C-1"] * 6 + [""] * 5)
    assert (found.said, found.exchanged) == ((BILLING,), ())


TIMES, COUNT = 100, 1000


def test_two_equal_models_seldom_make_a_label_look_silent_or_exchanged() -> None:
    """Both answer at random where they are unsure: a third of the texts, in a queue with three rare labels."""
    rng = np.random.default_rng(5)
    labels = [f"label {number}" for number in range(12)]
    shares = np.array([0.2, 0.2, 0.15, 0.12, 0.1, 0.08, 0.06, 0.05, 0.034, 0.002, 0.002, 0.002])
    silent = exchanged = 0
    for _time in range(TIMES):
        first, second, sure = (rng.choice(12, COUNT, p=shares) for _ in range(3))
        unsure = rng.random(COUNT) < 0.3
        live, new = ([labels[place] for place in np.where(unsure, drawn, sure)] for drawn in (first, second))
        score = text_score(live, new, labels)
        silent, exchanged = silent + bool(score.silent), exchanged + bool(score.exchanged)
    assert silent <= binom.ppf(0.99, TIMES, SILENT_ALPHA)
    assert exchanged <= binom.ppf(0.99, TIMES, SILENT_ALPHA)


def both_swapped(texts: TextScore | None) -> Scorecard:
    """Three golden examples each of two labels, all of them mistaken for the other by the candidate."""
    right = [REFUND] * 3 + [BILLING] * 3
    golden = [GoldenRow(place, Input("text"), label, Stratum.RANDOM) for place, label in enumerate(right)]
    return compare(golden, Predicted(tuple(right)), Predicted(tuple(right[::-1])), POLICY, "live", texts)


def test_the_texts_judge_a_swap_where_they_suffice_and_the_golden_set_elsewhere() -> None:
    same = said([REFUND] * 9 + [BILLING] * 5, [REFUND] * 9 + [BILLING] * 5)
    assert both_swapped(same).swapped == ()
    few = said([REFUND] * 9 + [BILLING] * 4, [REFUND] * 9 + [BILLING] * 4)
    assert both_swapped(few).swapped == both_swapped(None).swapped == ((BILLING, REFUND),)


def test_silent_and_exchanged_labels_are_refused_by_name_and_stored_with_the_report() -> None:
    live = [REFUND] * 50 + [BILLING] * 50 + [DELIVERY] * 20
    found = replace(both_swapped(None), texts=said(live, [BILLING] * 50 + [REFUND] * 50 + [REFUND] * 20))
    blocks = {block.code: dict(block.values) for block in gate(found, POLICY.promotion).blocks}
    assert blocks[GateBlock.SILENT_LABEL] == {
        "label": DELIVERY, "texts": 120, "live": 20, "candidate": 0, "p_value": pytest.approx(3 * 0.5**20),
    }  # fmt: skip
    assert blocks[GateBlock.LABELS_EXCHANGED] == {
        "labels": [BILLING, REFUND], "texts": 120, "live": [50, 50], "exchanged": [50, 50],
    }  # fmt: skip
    assert Scorecard.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_the_newest_inputs_come_once_without_empty_and_erased_ones(desk: Desk) -> None:
    texts = ["the oldest", "twice", "Twice ", "to be erased", "the newest"]
    for hour, text in enumerate(texts):
        desk.ingest(sent(text, external_id=text, group=f"C-{hour}"), now=NOW + timedelta(hours=hour))
    desk.ingest(sent(None, image_url="https://files.example/1.png"), now=NOW + timedelta(hours=9))  # no model reads it
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, "to be erased", NOW)
    with desk.database.reading() as session:
        queue_id, read, image = desk.queue().id, (Modality.TEXT,), (Modality.IMAGE,)
        found = [one.text for one in recent_inputs(session, queue_id, (read, read), 10)]
        assert found == ["the newest", "Twice ", "the oldest"]
        assert [one.group for one in recent_inputs(session, queue_id, (read,), 2)] == ["C-4", "C-2"]
        assert [one.text for one in recent_inputs(session, queue_id, (read,), 2)] == found[:2]
        assert recent_inputs(session, queue_id, (read, image), 10) == [], "both models must read them"
        assert len(recent_inputs(session, queue_id, ((*read, *image),), 10)) == 3


def merged() -> Fitted:
    """Fitted on the seeds, with what is about deliveries called a refund."""
    examples = [Example(Input(text), REFUND if label == DELIVERY else label) for text, label in SEEDS]
    return TextLearner().fit(examples, seed=1, progress=lambda _words: None)


def measured(desk: Desk, model: Fitted) -> Measured:
    with desk.database.reading() as session:
        run = session.get_one(TrainingRun, 1)
        rows = snapshot_rows(session, run.snapshot_id or 0)
    return measure(desk.database, run, model, None, rows, desk.rules)


def test_a_candidate_that_merged_a_label_is_refused_for_it_without_any_golden_example(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk())
    promoted(desk)
    desk.ingest(*(sent(f"where is the parcel with my order {number}") for number in range(10)))
    desk.ingest(*(sent(f"you charged my card twice for number {number}") for number in range(10)))
    found = measured(desk, merged())
    assert found.scorecard.texts is not None
    assert found.scorecard.texts.n == 20
    [block] = found.verdict.blocks
    assert (block.code, block.values["label"]) == (GateBlock.SILENT_LABEL, DELIVERY)
    assert measured(desk, fitted()[0]).verdict.blocks == ()


def test_without_a_model_of_ours_nothing_is_asked_of_the_texts(desk: Desk) -> None:
    seeded(desk)
    desk.ingest(sent("where is the parcel with my order"))
    model_id = candidate(desk)
    with desk.database.reading() as session:
        assert Scorecard.from_dict(newest_evaluation(session, model_id).scorecard).texts is None
