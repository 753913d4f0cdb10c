"""A person who has left is replaced by a pseudonym in votes and decisions."""

import pytest
from sqlalchemy import select, update

from bot.slack.blocks import mention
from core.errors import NotFound, Refusal
from core.learning.lifecycle.decisions import approve
from core.privacy.departed import Departed, erase_person
from core.records import Base
from core.records.queues import Member
from core.records.reviews import Answer
from tests.core.conftest import OpenDesk
from tests.core.desk import NOW, REFUND, Desk
from tests.core.models import candidate, decisions, promoted, seeded
from tests.people import ANA, BEN, CLEO, DAN

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


def test_a_pseudonym_is_no_mention() -> None:
    assert mention(FORMER_CLEO) == FORMER_CLEO
