"""Which model answers: the live one, in every process at once, and only if its bytes are those that were stored."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import Invalid, NotFound
from core.learning.data.inputs import Input
from core.learning.data.seeds import add_seeds
from core.learning.lifecycle.decisions import approve
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.rollback import rollback
from core.learning.lifecycle.serving import Serving
from core.records.learning import Artifact, ModelVersion
from core.vocabulary import RunState
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, Desk
from tests.core.models import THINGS, candidate, promoted, seeded, trained
from tests.people import CLEO, support_policy

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


RULES = support_policy().queues[0]


def served(serving: Serving, desk: Desk | None = None) -> str | None:
    found = serving.live(desk.rules if desk else RULES)
    return found.name if found else None


def test_a_promotion_and_a_roll_back_are_served_everywhere_at_once(desk: Desk) -> None:
    seeded(desk)
    here, there = Serving(desk.database), Serving(desk.database)
    assert (served(here), served(there)) == (None, None)
    promoted(desk)
    assert (served(here), served(there)) == ("v1", "v1")
    candidate(desk)
    assert served(here) == "v1", "a candidate answers no request"
    promoted(desk)
    assert (served(there), served(here)) == ("v3", "v3")
    with desk.database.transaction() as session:
        rollback(session, desk.queue(), CLEO, "", NOW, desk.rules)
    assert (served(here), served(there)) == ("v1", "v1")


def test_a_model_is_loaded_once_while_it_stays_live(desk: Desk) -> None:
    seeded(desk)
    promoted(desk)
    serving = Serving(desk.database)
    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(lambda _number: serving.live(desk.rules), range(16)))
    assert models[0] is not None
    assert len({id(model) for model in models}) == 1


def test_a_served_model_answers_with_a_probability_for_every_label(desk: Desk) -> None:
    seeded(desk)
    promoted(desk)
    model = Serving(desk.database).live(desk.rules)
    assert model is not None
    assert model.predict([]) == []
    [chances] = model.predict([Input("i want my money back for the kettle")])
    assert set(chances) == set(desk.rules.label_names)
    assert max(chances, key=lambda label: chances[label]) == REFUND
    assert sum(chances.values()) == pytest.approx(1)


def test_what_left_the_policy_is_answered_no_more(desk: Desk) -> None:
    promoted(seeded(desk))
    fewer = desk.under(labels=[REFUND, BILLING])
    whole, left = Serving(desk.database).live(desk.rules), Serving(desk.database).live(fewer.rules)
    assert whole
    assert left
    assert (whole.dropped, left.dropped) == ((), (DELIVERY,))
    parcel = [Input("where is the parcel with my lamp")]
    [before], [after] = whole.predict(parcel), left.predict(parcel)
    assert max(before, key=lambda label: before[label]) == DELIVERY
    assert set(after) == {REFUND, BILLING}
    assert after == {label: before[label] for label in (REFUND, BILLING)}
    assert max(after.values()) < fewer.rules.flagging.confidence, "so it is asked about"
    assert left.predict([]) == []


def test_a_model_of_other_labels_is_replaced_by_training_anew(desk: Desk) -> None:
    promoted(seeded(desk))
    other = desk.under(labels=["complaint", "praise"])
    with pytest.raises(Invalid, match="knows none of the policy's current labels"):
        Serving(desk.database).live(other.rules)
    texts = [
        (f"{word} {thing}", label) for thing in THINGS for word, label in (("awful", "complaint"), ("nice", "praise"))
    ]
    with desk.database.transaction() as session:
        add_seeds(session, texts, NOW, other.rules)
    assert trained(other).state is RunState.DONE
    with desk.database.transaction() as session:
        warning = newest_evaluation(session, 2).warnings[0]["values"]["sentence"]
        assert "knows none of the policy's current labels" in warning
        assert approve(session, 2, CLEO, 2, NOW, other.policy)
    assert served(Serving(desk.database), other) == "v2"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"content": b"PK broken"}, "has changed since it was saved"),
        ({"sha256": "0" * 64}, "has changed since it was saved"),
        ({"runtime": "scikit-learn 0.1"}, "was made with scikit-learn 0.1"),
    ],
    ids=["content", "hash", "runtime"],
)
def test_a_tampered_artefact_is_refused_with_what_to_do(desk: Desk, change: dict[str, object], words: str) -> None:
    seeded(desk)
    model_id = promoted(desk)
    running = Serving(desk.database)
    assert served(running) == "v1"
    with desk.database.transaction() as session:
        artifact = session.get_one(Artifact, model_id)
        for name, value in change.items():
            setattr(artifact, name, value)
    with pytest.raises(Invalid, match=words) as refusal:
        Serving(desk.database).live(desk.rules)
    assert "Retrain with `goldloop retrain`" in str(refusal.value)
    assert served(running) == "v1", "what was loaded before goes on"
    assert Serving(desk.database).usable(desk.rules) is None, "what needs no model goes on without"


def test_a_run_meets_the_live_model_and_refuses_a_tampered_one(desk: Desk) -> None:
    seeded(desk)
    model_id = promoted(desk)
    with desk.database.transaction() as session:
        session.get_one(Artifact, model_id).content = b"PK broken"
    assert "has changed since it was saved" in trained(desk).problem_values["sentence"]


@pytest.mark.usefixtures("sqlite_only")
def test_a_model_whose_parameters_are_others_than_were_evaluated_is_refused(desk: Desk) -> None:
    model_id = promoted(seeded(desk))
    with desk.database.transaction() as session:
        session.get_one(ModelVersion, model_id).parameters_fingerprint = "0" * 16
    with pytest.raises(Invalid, match="has other parameters than when it was trained"):
        Serving(desk.database).live(desk.rules)


def test_an_unknown_queue_is_refused(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no queue “sales”"):
        Serving(desk.database).live(RULES.model_copy(update={"name": "sales"}))
