"""A person who has left is replaced by a pseudonym in votes and decisions."""

import pytest
from sqlalchemy import select, update

from bot.slack.blocks import mention
from core.delivery import notices, outbox, recipients
from core.errors import NotFound, Refusal
from core.learning.data.golden_import import add_golden
from core.learning.lifecycle.decisions import approve
from core.learning.lifecycle.rollback import rollback
from core.policy_in_force.versions import Standing, put_in_force, standing, stored_policy
from core.privacy.departed import DROPPED, KEPT, WITHIN, Departed, erase_person
from core.records import Base
from core.records.delivery import Notice, Posting
from core.records.learning import GoldenExample
from core.records.queues import Member
from core.records.reviews import Answer
from core.vocabulary import Card, NoticeKind
from tests.core.conftest import OpenDesk
from tests.core.desk import NOW, REFUND, Desk
from tests.core.models import candidate, decisions, promoted, seeded
from tests.people import ANA, BEN, CLEO, DAN, support_policy

FORMER_CLEO = "former-0123456789ab"


def left(desk: Desk, person: str) -> None:
    """Slack and the policy know the person no more."""
    with desk.database.transaction() as session:
        session.execute(update(Member).where(Member.person == person).values(active=False))


def erased(desk: Desk, person: str, pseudonym: str = FORMER_CLEO) -> Departed:
    with desk.database.transaction() as session:
        return erase_person(session, person, pseudonym)


def whole_database(desk: Desk) -> str:
    with desk.database.reading() as session:
        tables = [table for table in Base.metadata.sorted_tables if table.name != "queue"]
        return repr([(table.name, session.execute(select(table)).all()) for table in tables])


def test_votes_approvals_and_decisions_name_a_pseudonym(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(leads=[CLEO, DAN], reviewers=[ANA, BEN, CLEO]))
    first, second = (desk.settled(ANA, CLEO, text=f"money back {number}") for number in range(2))
    promoted(desk)
    left(desk, CLEO)
    done = erased(desk, CLEO)
    assert (done.votes, done.approvals, done.decisions) == (2, 1, 1)
    assert [row.person for item in (first, second) for row in desk.answers(item)] == [ANA, FORMER_CLEO] * 2
    assert [row.people for row in decisions(desk, 1)] == [{"leads": [FORMER_CLEO]}]
    assert desk.correction(first).tally == {REFUND: 2}
    assert f"'{CLEO}'" not in whole_database(desk)


def test_messages_to_them_go_and_messages_about_them_name_the_pseudonym(open_desk: OpenDesk) -> None:
    desk = open_desk(leads=[CLEO, DAN])
    item = desk.ticket()
    with desk.database.transaction() as session:
        outbox.show(session, Card.REVIEW_ITEM, item, recipients.person(CLEO), desk.queue(), NOW)
        refused = {"sentence": f"Ask {CLEO}, not {CLEO}X.", "ask": [CLEO, DAN]}
        for key, person in ((f"1:{CLEO}", None), (f"2:{DAN}", DAN), (f"3:{CLEO}", CLEO)):
            notices.notify(session, NoticeKind.NOT_A_LEAD, key, "C_LEADS", person, refused, NOW)
    left(desk, CLEO)
    erased(desk, CLEO)
    with desk.database.reading() as session:
        assert set(session.scalars(select(Posting.recipient))) == {"C_REVIEW"}
        kept = session.scalars(select(Notice).order_by(Notice.key)).all()
        assert [(row.key, row.person) for row in kept] == [(f"1:{FORMER_CLEO}", None), (f"2:{DAN}", DAN)]
        for row in kept:
            assert row.values == {"sentence": f"Ask {FORMER_CLEO}, not {CLEO}X.", "ask": [FORMER_CLEO, DAN]}


def test_changes_and_pins_of_golden_examples_name_a_pseudonym(open_desk: OpenDesk) -> None:
    desk = open_desk(leads=[CLEO, DAN])
    with desk.database.transaction() as session:
        new = add_golden(session, "i want my money back", REFUND, CLEO, "the typical case", NOW, desk.rules)
        session.get_one(GoldenExample, new).pinned_by = CLEO
    left(desk, CLEO)
    assert erased(desk, CLEO).others == 2
    assert f"'{CLEO}'" not in whole_database(desk)


def test_former_policies_name_a_pseudonym_and_the_one_in_force_must_not_name_them(open_desk: OpenDesk) -> None:
    desk = open_desk(leads=[CLEO, DAN])
    with desk.database.transaction() as session:
        put_in_force(session, desk.policy, "ops", NOW)
    left(desk, CLEO)
    with pytest.raises(Refusal, match="The policy in force names U_CLEO"):
        erased(desk, CLEO)
    with desk.database.transaction() as session:
        put_in_force(session, support_policy(leads=[DAN]), "ops", NOW)
    erased(desk, CLEO)
    assert CLEO not in whole_database(desk)
    with desk.database.reading() as session:
        former = stored_policy(session, 1).policy.queues[0]
        assert former.leads == (FORMER_CLEO, DAN)
        assert standing(session, desk.policy) is Standing.FORMER, "its file is still known"


def test_every_column_that_names_a_person_is_known() -> None:
    """A new one needs a line in core/privacy/departed.py, or here if no person of Slack stands in it."""
    others = {
        "lease.leased_by", "golden_example.revised_by", "policy_version.stored_by", "correction.settled_by",
        "waiting_prediction.scored_by",
    }  # fmt: skip
    known = {f"{column.class_.__tablename__}.{column.key}" for column in (*KEPT, *DROPPED, *WITHIN)}
    named = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name in ("person", "lead", "people", "recipient") or column.name.endswith("_by")
    }
    assert {name for name in named - known - others if not name.endswith("leased_by")} == set()


def test_who_is_still_a_member_is_not_erased(desk: Desk) -> None:
    desk.settled(ANA, BEN)
    with pytest.raises(Refusal, match="U_ANA is still a member of a queue"):
        erased(desk, ANA)
    with desk.database.reading() as session:
        assert set(session.scalars(select(Answer.person))) == {ANA, BEN}


def test_repeating_it_finds_nothing(desk: Desk) -> None:
    desk.settled(ANA, BEN)
    left(desk, ANA)
    erased(desk, ANA)
    with pytest.raises(NotFound, match="No stored row contains U_ANA"):
        erased(desk, ANA)


def test_others_with_an_id_that_contains_it_stay(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(leads=[CLEO, f"{CLEO}X"], promotion={"approvals": 2}))
    model_id = candidate(desk)
    with desk.database.transaction() as session:
        for lead in (CLEO, f"{CLEO}X"):
            approve(session, model_id, lead, 1, NOW, desk.policy)
    left(desk, CLEO)
    erased(desk, CLEO)
    assert decisions(desk, model_id)[0].people == {"leads": sorted([FORMER_CLEO, f"{CLEO}X"], key=len, reverse=True)}


def test_an_announcement_names_the_pseudonym(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(leads=[CLEO, DAN]))
    promoted(desk)
    promoted(desk)
    with desk.database.transaction() as session:
        rollback(session, desk.queue(), CLEO, "worse on mondays", NOW, desk.rules)
    left(desk, CLEO)
    erased(desk, CLEO)
    with desk.database.reading() as session:
        [notice] = session.scalars(select(Notice))
    assert notice.values["leads"] == [FORMER_CLEO]
    assert f"'{CLEO}'" not in whole_database(desk)


def test_a_pseudonym_is_no_mention() -> None:
    assert mention(FORMER_CLEO) == FORMER_CLEO
