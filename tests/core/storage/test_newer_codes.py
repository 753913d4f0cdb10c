"""Rows that a newer release wrote, with codes that this one does not know, are read and shown all the same."""

import pytest
from sqlalchemy import update

from bot.slack.views import candidate, notice, review_item, run
from bot.wording.cards import card_name
from bot.wording.format import PLAIN
from bot.wording.item_history import item_step
from core.delivery import notices, outbox
from core.delivery.backlog import named_as_given_up
from core.errors import NotAllowed
from core.learning.lifecycle.cards import candidate_card, run_card
from core.people.permissions import require
from core.records.delivery import Notice, Posting
from core.records.learning import Evaluation, TrainingRun
from core.records.predictions import Flag
from core.records.queues import Member
from core.records.reviews import Escalation, ReviewItem
from core.review.cards import item_card
from core.review.history import item_history
from core.review.listing import item_page
from core.vocabulary import ItemState, NoticeKind, Role, RunState
from tests.core.desk import NOW, Desk
from tests.core.models import candidate as made_candidate
from tests.core.models import requested, seeded
from tests.people import ANA, LEADS

NEWER = "newer"
VALUES = {"what": ["ever", 1]}


def test_an_item(desk: Desk) -> None:
    item_id = desk.ticket()
    with desk.database.transaction() as session:
        session.execute(update(Flag).values({"reason": NEWER, "values": VALUES}))
        disputed = {"state": ItemState.DISPUTED, "disputed_because": NEWER, "disputed_values": VALUES}
        session.execute(update(ReviewItem).values(disputed))
        session.add(Escalation(item_id=item_id, because=NEWER, values=VALUES, at=NOW))
    with desk.database.reading() as session:
        drawn = review_item.render(item_card(session, item_id, desk.policy)).text
        history = [item_step(line.step, PLAIN) for line in item_history(session, item_id, None, desk.policy)]
        assert item_page(session, desk.queue().id, None, 0, 10)[0].flags == (NEWER,)
    assert "A lead decides." in drawn
    assert f"Flagged for review. Policy {desk.rules.fingerprint}." in history
    assert "Sent to a lead." in history


def test_a_card(desk: Desk) -> None:
    desk.ticket("one"), desk.ticket("two")
    with desk.database.transaction() as session:
        session.execute(update(Posting).where(Posting.id == 1).values(card=NEWER))
        first = session.get_one(Posting, 2)
        due = outbox.claim_next(session, "a", NOW, may_update=True, may_update_open=True, full_channels=())
        assert due is not None
        assert due.id == first.id, "the other one is left to a worker of that release"
        assert outbox.claim_next(session, "a", NOW, may_update=True, may_update_open=True, full_channels=()) is None
        session.execute(update(Posting).where(Posting.id == 1).values(failure_reason="given up"))
        assert [card_name(*one) for one in named_as_given_up(session, first.channel, "given up")] == ["message 1"]


def test_a_run(desk: Desk) -> None:
    run_id = requested(seeded(desk)) or 0
    for state, words in ((RunState.RUNNING, "in progress"), (RunState.FAILED, "The log has the reason.")):
        with desk.database.transaction() as session:
            codes = {"progress": NEWER, "progress_values": VALUES, "problem": NEWER, "problem_values": VALUES}
            session.execute(update(TrainingRun).values(codes | {"state": state}))
        with desk.database.reading() as session:
            assert words in run.render(run_card(session, run_id, desk.policy)).text


def test_what_the_gate_found(desk: Desk) -> None:
    model_id = made_candidate(seeded(desk))
    with desk.database.transaction() as session:
        found = [{"code": NEWER, "values": VALUES}]
        session.execute(update(Evaluation).values(passed=False, blocks=found, warnings=found))
    with desk.database.reading() as session:
        drawn = candidate.render(candidate_card(session, model_id, desk.policy)).text
    assert "A newer version of Goldloop found “newer”." in drawn


def test_a_notice(desk: Desk) -> None:
    with desk.database.transaction() as session:
        notices.notify(session, NoticeKind.NOT_A_LEAD, "k", LEADS, None, {}, NOW)
        session.flush()
        session.execute(update(Notice).values({"kind": NEWER, "values": VALUES}))
    with desk.database.transaction() as session:
        due = notices.claim_next(session, "one", NOW, ())
    assert due is not None
    assert notice.render(due.kind, due.values) == notice.UNKNOWN


def test_a_person_who_may_not_act(desk: Desk) -> None:
    with desk.database.transaction() as session:
        session.execute(update(Member).values(active=False, inactive_because=NEWER))
    told = r"You can't vote: this account can't act here\."
    with desk.database.reading() as session, pytest.raises(NotAllowed, match=told):
        require(session, desk.queue(), Role.REVIEWER, ANA, "vote", desk.rules)
