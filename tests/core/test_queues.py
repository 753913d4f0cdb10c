"""The queues of the policy file as rows, and who may act in them."""

import pytest
from sqlalchemy import select

from core.errors import NotAllowed, NotFound
from core.guidelines.versions import guideline_text
from core.people.groups import forget_groups_except, people_named, sync_group
from core.people.members import Person, holds, members, queues_of, sync_members
from core.people.permissions import require
from core.policy_in_force.sync import sync_queues
from core.queues import queue_named
from core.records.learning import Live
from core.records.queues import Guideline, Member, Queue
from core.vocabulary import InactiveReason, Role
from tests.core.desk import NOW, REFUND, Desk
from tests.people import ANA, BEN, CLEO, DAN, EVA, support_policy


def people_with(desk: Desk, role: Role) -> list[str]:
    with desk.database.reading() as session:
        return members(session, desk.queue().id, role)


def sync(desk: Desk, role: Role, *people: Person) -> None:
    with desk.database.transaction() as session:
        sync_members(session, desk.queue().id, role, people)


def test_syncing_again_changes_nothing(desk: Desk) -> None:
    def rows() -> list[int]:
        with desk.database.reading() as session:
            return [len(session.scalars(select(kind)).all()) for kind in (Queue, Live, Guideline, Member)]

    assert rows() == [1, 1, 1, 4]
    desk.under()
    assert rows() == [1, 1, 1, 4]


def test_a_changed_guideline_is_its_next_version_and_the_former_ones_stay(desk: Desk) -> None:
    for words in ("Be fair.", "Be fair.", "Be quick.", "Be fair."):
        desk = desk.under(guideline=words)
    with desk.database.reading() as session:
        versions = [(row.version, row.text) for row in session.scalars(select(Guideline).order_by(Guideline.version))]
        assert [text for _version, text in versions][1:] == ["Be fair.", "Be quick.", "Be fair."]
        assert [version for version, _text in versions] == [1, 2, 3, 4]
        assert guideline_text(session, queue_named(session, "support")) == "Be fair."


def test_an_empty_guideline_is_a_version_too(desk: Desk) -> None:
    desk = desk.under(guideline="")
    assert desk.queue().guideline_version == 2
    desk = desk.under(guideline="")
    assert desk.queue().guideline_version == 2


def test_a_queue_follows_its_channels(desk: Desk) -> None:
    desk = desk.under(channel="C_NEW", leads_channel="C_NEW_LEADS")
    assert (desk.queue().channel, desk.queue().leads_channel) == ("C_NEW", "C_NEW_LEADS")


def test_who_is_named_in_the_policy_may_act_at_once(desk: Desk) -> None:
    assert people_with(desk, Role.REVIEWER) == [ANA, BEN, EVA]
    assert people_with(desk, Role.LEAD) == [CLEO]


def test_a_refresh_brings_people_in_and_out_and_notes_why_some_may_not_act(desk: Desk) -> None:
    sync(desk, Role.REVIEWER, Person(DAN), Person(ANA, InactiveReason.GUEST), Person(EVA))
    assert people_with(desk, Role.REVIEWER) == [DAN, EVA]
    assert people_with(desk, Role.LEAD) == [CLEO], "the other role is left alone"
    with desk.database.reading() as session:
        queue = queue_named(session, "support")
        require(session, queue, Role.REVIEWER, DAN, "vote", desk.rules)
        with pytest.raises(NotAllowed, match=r"You can't vote: guests can't act here\."):
            require(session, queue, Role.REVIEWER, ANA, "vote", desk.rules)
        with pytest.raises(NotAllowed, match=r"^Only reviewers of Support tickets can vote\.$") as refused:
            require(session, queue, Role.REVIEWER, BEN, "vote", desk.rules)
        assert refused.value.ask == (CLEO,)
        assert not holds(session, queue.id, Role.REVIEWER, ANA)
    sync(desk, Role.REVIEWER, Person(ANA))
    assert people_with(desk, Role.REVIEWER) == [ANA]


def test_who_is_in_a_user_group_that_the_policy_names_may_act(desk: Desk) -> None:
    with desk.database.transaction() as session:
        sync_group(session, "S_EXPERTS", [DAN, EVA, DAN])
    desk = desk.under(reviewers=[ANA, "S_EXPERTS", EVA, "S_UNKNOWN"], admins=["S_EXPERTS"])
    with desk.database.reading() as session:
        assert people_named(session, desk.rules.reviewers) == [ANA, DAN, EVA]
    assert people_with(desk, Role.ADMIN) == [DAN, EVA]
    assert people_with(desk, Role.LEAD) == [CLEO, DAN, EVA], "every admin is a lead"


def test_a_user_group_has_its_present_members_and_is_deleted_when_the_policy_no_longer_names_it(desk: Desk) -> None:
    with desk.database.transaction() as session:
        sync_group(session, "S_EXPERTS", [DAN, EVA])
        sync_group(session, "S_EXPERTS", [EVA, BEN])
        sync_group(session, "S_OTHERS", [ANA])
        forget_groups_except(session, ["S_EXPERTS"])
        assert people_named(session, ["S_OTHERS", "S_EXPERTS"]) == [EVA, BEN]


def test_who_leaves_keeps_their_votes(desk: Desk) -> None:
    item_id = desk.ticket()
    desk.click(ANA, item_id, REFUND)
    sync(desk, Role.REVIEWER, Person(BEN), Person(EVA))
    assert desk.click(BEN, item_id, REFUND).settled
    assert desk.correction(item_id).tally == {REFUND: 2}


def test_the_queues_of_a_person_are_those_where_they_may_act(desk: Desk) -> None:
    other = support_policy().queues[0].model_copy(update={"name": "sales", "reviewers": (ANA, DAN)})
    policy = desk.policy.model_copy(update={"queues": (*desk.policy.queues, other)})
    with desk.database.transaction() as session:
        sync_queues(session, policy, NOW)
        sync_members(session, desk.queue().id, Role.REVIEWER, [Person(ANA), Person(BEN, InactiveReason.DEACTIVATED)])
    with desk.database.reading() as session:
        names = {who: queues_of(session, who)[Role.REVIEWER] for who in (ANA, BEN, DAN, CLEO)}
        assert names == {ANA: ["sales", "support"], BEN: [], DAN: ["sales"], CLEO: []}
        assert queues_of(session, CLEO)[Role.LEAD] == ["sales", "support"]


def test_a_queue_that_is_not_in_the_database_says_what_to_do(desk: Desk) -> None:
    with (
        desk.database.reading() as session,
        pytest.raises(NotFound, match=r"no queue “sales” in the database\. Run `goldloop migrate`"),
    ):
        queue_named(session, "sales")
