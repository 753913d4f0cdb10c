"""No later model is trained on erased rows, and a model that was goes live only with a reason."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from core.delivery.card_refs import CardRef
from core.errors import Invalid, NotFound, Refusal
from core.learning.data.snapshots import snapshot_rows
from core.learning.learners.fitting import fit_and_pack
from core.learning.lifecycle.cards import candidate_card
from core.learning.lifecycle.decisions import approve, overrule
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.rollback import rollback
from core.learning.lifecycle.serving import load_model
from core.learning.lifecycle.training import MOST_FITS, train
from core.privacy.erasure import Erased, erase
from core.privacy.purging import Purged, purge_models
from core.records.learning import Artifact, Live, ModelVersion
from core.records.webhooks import Event
from core.storage.database import PATIENT
from core.vocabulary import Card, DecisionKind, EventKind, ModelState, RunProblem, RunState
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, Desk
from tests.core.models import candidate, claimed, decisions, live, promoted, requested, run, seeded, ticking
from tests.people import ANA, BEN, CLEO

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


SECRET = "rosalind was charged twice"
WHY = "the text was a forgery"


def taught(desk: Desk, *external_ids: str) -> Desk:
    """A desk whose training rows hold a text of each of these tickets."""
    seeded(desk)
    for external_id in external_ids:
        desk.settled(ANA, BEN, answer=BILLING, text=f"{SECRET} {external_id}", external_id=external_id)
    return desk


def erased(desk: Desk, external_id: str) -> Erased:
    with desk.database.transaction(wait=PATIENT) as session:
        return erase(session, desk.rules.name, external_id, NOW)


class Interrupted:
    """Fits here, and erases a ticket after each fit while there is one. Remembers the texts of each fit."""

    def __init__(self, desk: Desk, *external_ids: str) -> None:
        self.desk, self.left = desk, list(external_ids)
        self.texts: list[list[str]] = []
        self.said: list[Erased] = []

    def __call__(self, function: Callable[..., Any], *arguments: Any, report: Any, **_more: Any) -> Any:
        if function is not fit_and_pack:
            return function(*arguments, report)
        self.texts.append([example.input.text for example in arguments[2]])
        made = function(*arguments, report)
        if self.left:
            self.said.append(erased(self.desk, self.left.pop(0)))
        return made


def trained(desk: Desk, execute: Interrupted) -> int:
    run_id = requested(desk) or 0
    train(desk.database, claimed(desk), ticking(), desk.policy, execute)
    return run_id


def test_what_is_erased_while_a_model_is_fitted_is_not_in_the_candidate(desk: Desk) -> None:
    taught(desk, "E-1", "E-2")
    execute = Interrupted(desk, "E-1")
    run_id = trained(desk, execute)
    assert (execute.said[0].models, execute.said[0].runs) == ((), (run_id,))
    assert [sum(SECRET in text for text in texts) for texts in execute.texts] == [2, 1]
    assert run(desk, run_id).state is RunState.DONE
    with desk.database.reading() as session:
        fitted = load_model(session, 1, desk.rules).fitted
        card = candidate_card(session, 1, desk.policy)
    assert "e-1" not in repr(fitted.state()).casefold()
    assert (card.erased, card.corrections) == ((), 1), "its snapshot has no such row, so a check mark is enough"
    assert f"{SECRET} E-1" not in execute.texts[-1]


def test_a_run_whose_rows_are_erased_each_time_fails_with_a_sentence(desk: Desk) -> None:
    tickets = [f"E-{number}" for number in range(MOST_FITS)]
    taught(desk, *tickets)
    execute = Interrupted(desk, *tickets)
    failed = run(desk, trained(desk, execute))
    assert len(execute.texts) == MOST_FITS
    assert (failed.state, failed.problem) == (RunState.FAILED, RunProblem.ROWS_ERASED)
    with desk.database.reading() as session:
        assert session.scalars(select(ModelVersion)).all() == []
    assert requested(desk) is not None, "the next one may come"


def test_an_erasure_that_is_not_committed_yet_is_waited_for(open_on_postgresql: OpenDesk) -> None:
    """The erasure has answered that no model learned from it, so none may be stored before it is committed."""
    desk = taught(open_on_postgresql(), "E-1")
    begun, go = threading.Event(), threading.Event()

    def erase_slowly() -> Erased:
        with desk.database.transaction(wait=PATIENT) as session:
            said = erase(session, desk.rules.name, "E-1", NOW)
            begun.set()
            go.wait(1)
            return said

    class Slow(Interrupted):
        def __call__(self, function: Callable[..., Any], *arguments: Any, report: Any, **_more: Any) -> Any:
            made = super().__call__(function, *arguments, report=report)
            if function is fit_and_pack and len(self.texts) == 1:
                self.erasing = pool.submit(erase_slowly)
                begun.wait(10)
            return made

    with ThreadPoolExecutor(1) as pool:
        execute = Slow(desk)
        trained(desk, execute)
        assert execute.erasing.result().models == ()
    assert [sum(SECRET in text for text in texts) for texts in execute.texts] == [1, 0]


def test_a_report_says_which_of_its_rows_were_erased(desk: Desk) -> None:
    taught(desk, "E-1", "E-2")
    model_id = candidate(desk)
    before = desk.wanted(Card.CANDIDATE, model_id)
    erased(desk, "E-2")
    with desk.database.reading() as session:
        [row] = candidate_card(session, model_id, desk.policy).erased
        lost = [one.source_id for one in snapshot_rows(session, 1) if one.input.text == ""]
    assert [row.id] == lost
    assert desk.wanted(Card.CANDIDATE, model_id) == before + 1


def test_a_check_mark_does_not_promote_a_model_that_learned_erased_text(desk: Desk) -> None:
    seeded(desk)
    clean = promoted(desk)
    taught(desk, "E-1")
    model_id = candidate(desk)
    erased(desk, "E-1")
    with pytest.raises(Refusal) as refusal, desk.database.transaction() as session:
        approve(session, model_id, CLEO, 1, NOW, desk.policy)
    assert "v2 learned from 1 row that has been erased since. The nearest model without erased rows is v1." in str(
        refusal.value
    )
    assert "use “Overrule…” and say why" in str(refusal.value)
    assert live(desk) == clean


def overruled(desk: Desk, model_id: int, reason: str) -> None:
    with desk.database.transaction() as session:
        seen = newest_evaluation(session, model_id).id
        overrule(session, CardRef(model_id), seen, CLEO, reason, NOW, desk.policy)


def test_a_lead_promotes_it_with_a_reason_that_is_stored_and_announced(open_desk: OpenDesk) -> None:
    desk = taught(open_desk(), "E-1")
    model_id = candidate(desk)
    with pytest.raises(Refusal, match="golden gate passed v1"):
        overruled(desk, model_id, WHY)
    erased(desk, "E-1")
    with pytest.raises(Invalid, match="Say why"):
        overruled(desk, model_id, "because")
    overruled(desk, model_id, WHY)
    assert live(desk) == model_id
    [decision] = decisions(desk, model_id)
    assert (decision.kind, decision.reason) == (DecisionKind.OVERRULE, WHY)
    with desk.database.reading() as session:
        [event] = session.scalars(select(Event).where(Event.kind == EventKind.MODEL_PROMOTED))
    assert (event.data["reason"], event.data["erased_rows"]) == (WHY, 1)


def rolled_back(desk: Desk, reason: str = "") -> str:
    with desk.database.transaction() as session:
        return rollback(session, desk.queue(), CLEO, reason, NOW, desk.rules)


def test_a_roll_back_to_a_model_that_learned_erased_text_needs_a_reason(desk: Desk) -> None:
    taught(desk, "E-1")
    promoted(desk)
    erased(desk, "E-1")
    second = promoted(desk)
    with pytest.raises(Refusal, match=r"v1 learned from 1 row .* nearest model without erased rows is v2\. .* say why"):
        rolled_back(desk)
    assert live(desk) == second
    assert rolled_back(desk, WHY) == "v1"


def purged(desk: Desk, *names: str) -> Purged:
    with desk.database.transaction() as session:
        return purge_models(session, desk.rules, names, NOW)


def test_old_models_that_learned_it_are_deleted_and_the_live_one_never(desk: Desk) -> None:
    taught(desk, "E-1")
    promoted(desk)
    superseded, waiting = candidate(desk), promoted(desk)
    names = erased(desk, "E-1").models
    assert names == ("v1", "v2", "v3")
    done = purged(desk, *names)
    assert done.models == ("v1", "v2")
    assert done.run is not None
    assert run(desk, done.run).state is RunState.REQUESTED
    with desk.database.reading() as session:
        sizes = {artifact.model_id: len(artifact.content) for artifact in session.scalars(select(Artifact))}
        assert all(artifact.sha256 for artifact in session.scalars(select(Artifact)))
        with pytest.raises(Invalid, match="v2 was deleted because it was trained on text that was erased"):
            load_model(session, superseded, desk.rules)
    assert (sizes[1], sizes[superseded], sizes[waiting] > 0) == (0, 0, True)
    assert live(desk) == waiting
    with pytest.raises(NotFound, match="v1 was deleted"):
        rolled_back(desk, WHY)
    again = purged(desk, *names)
    assert (again.models, again.run) == ((), None)


def test_a_model_that_did_not_learn_it_keeps_its_bytes(desk: Desk) -> None:
    seeded(desk)
    promoted(desk)
    promoted(desk)
    assert purged(desk, "v2").models == ()
    with desk.database.reading() as session:
        assert session.get_one(Live, desk.queue().id).model_id == 2
        assert session.get_one(ModelVersion, 1).state is ModelState.RETIRED
        assert session.get_one(Artifact, 1).content
