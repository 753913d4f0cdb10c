"""The versions of the policy: one in force, the others kept."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import select, update

from core.errors import Invalid, NotFound
from core.people.members import members
from core.policy import Policy
from core.policy.canonical import canonical_text
from core.policy.changes import SettingChanged, changes
from core.policy_in_force.versions import (
    PutInForce,
    Standing,
    Started,
    newest_version,
    policy_in_force,
    policy_versions,
    put_in_force,
    standing,
    start_under,
    stored_policy,
    version_meant,
)
from core.queues import queue_named
from core.records.policies import PolicyVersion
from core.storage.database import PATIENT, Database
from core.vocabulary import Role
from tests.core.desk import NOW, REFUND, Desk, opened
from tests.people import ANA, BEN, CLEO, EVA, support_policy


def put(database: Database, by: str = "ops", **sections: Any) -> PutInForce | None:
    with database.transaction(wait=PATIENT) as session:
        return put_in_force(session, support_policy(**sections), by, NOW)


def start(database: Database, **sections: Any) -> Started:
    with database.transaction(wait=PATIENT) as session:
        return start_under(session, support_policy(**sections), "start", NOW)


def in_force(database: Database) -> tuple[int, Policy]:
    with database.reading() as session:
        stored = policy_in_force(session)
        assert stored is not None
        assert stored.version == newest_version(session)
    return stored.version, stored.policy


def seated(database: Database, role: Role) -> list[str]:
    with database.reading() as session:
        return members(session, queue_named(session, "support").id, role)


def test_before_any_was_stored_none_is_in_force(database: Database) -> None:
    with database.reading() as session:
        assert newest_version(session) == 0
        assert policy_in_force(session) is None
        assert standing(session, support_policy()) is Standing.NEW
        with pytest.raises(NotFound, match="There is no version 1"):
            stored_policy(session, 1)


def test_a_changed_policy_is_the_next_version_and_says_what_changed(database: Database) -> None:
    assert put(database) == PutInForce(1, ())
    assert put(database) is None, "the same again changes nothing"
    changed = put(database, "mia", consensus={"votes": 4})
    assert changed == PutInForce(2, (SettingChanged("queues.support", "consensus.votes", 3, 4),))
    assert in_force(database) == (2, support_policy(consensus={"votes": 4}))
    with database.reading() as session:
        assert stored_policy(session, 1).policy == support_policy()
        second, first = policy_versions(session)
        assert (second.version, second.stored_by, second.stored_at) == (2, "mia", NOW)
        assert second.queues == {"support": support_policy(consensus={"votes": 4}).queues[0].fingerprint}
        assert version_meant(session, first.queues["support"]) == 1
        assert version_meant(session, "2") == 2
        with pytest.raises(NotFound, match="no version “3”"):
            version_meant(session, "3")


def test_people_and_queues_follow_in_the_same_transaction(database: Database) -> None:
    put(database)
    assert seated(database, Role.REVIEWER) == [ANA, BEN, EVA]
    with suppress(RuntimeError), database.transaction() as session:
        put_in_force(session, support_policy(reviewers=[ANA, "U_NEW"], leads=["U_MIA"]), "ops", NOW)
        raise RuntimeError("killed")
    assert in_force(database)[0] == 1
    assert seated(database, Role.REVIEWER) == [ANA, BEN, EVA]
    put(database, reviewers=[ANA, "U_NEW"], leads=["U_MIA"], channel="C_NEW")
    assert seated(database, Role.REVIEWER) == [ANA, "U_NEW"]
    assert seated(database, Role.LEAD) == ["U_MIA"]
    with database.reading() as session:
        assert queue_named(session, "support").channel == "C_NEW"


def test_without_named_reviewers_those_known_last_stay_until_slack_is_asked(database: Database) -> None:
    put(database)
    put(database, reviewers=[])
    assert seated(database, Role.REVIEWER) == [ANA, BEN, EVA]


def test_a_start_puts_a_file_in_force_that_never_was(database: Database) -> None:
    assert start(database).standing is Standing.NEW
    assert start(database).standing is Standing.IN_FORCE
    changed = start(database, consensus={"votes": 4})
    assert (changed.version, changed.standing) == (2, Standing.NEW)
    assert changed.put is not None
    assert len(changed.put.changes) == 1


def test_a_start_with_a_file_of_before_takes_nothing_back(database: Database) -> None:
    put(database)
    put(database, reviewers=[ANA], consensus={"votes": 4})
    late = start(database)
    assert (late.version, late.standing, late.put) == (2, Standing.FORMER, None)
    assert late.policy == support_policy(reviewers=[ANA], consensus={"votes": 4})
    assert seated(database, Role.REVIEWER) == [ANA]
    assert put(database) is not None, "a reload goes back"
    assert in_force(database) == (3, support_policy())
    assert start(database, reviewers=[ANA], consensus={"votes": 4}).standing is Standing.FORMER
    assert start(database).standing is Standing.IN_FORCE, "it was in force before, and is again"


def test_of_two_at_once_each_is_compared_with_the_one_before_it(database: Database) -> None:
    votes, gate = list(range(2, 10)), threading.Barrier(8)

    def reload(number: int) -> PutInForce | None:
        gate.wait(timeout=PATIENT)
        return put(database, consensus={"votes": number})

    with ThreadPoolExecutor(8) as pool:
        done = [one for one in pool.map(reload, votes) if one is not None]
    assert sorted(one.version for one in done) == list(range(1, 9))
    with database.reading() as session:
        stored = {number: stored_policy(session, number).policy for number in range(1, 9)}
    for one in done:
        expected = changes(stored[one.version - 1], stored[one.version]) if one.version > 1 else ()
        assert one.changes == expected


def test_of_the_same_at_once_one_is_stored(database: Database) -> None:
    gate = threading.Barrier(8)

    def begin(_number: int) -> Started:
        gate.wait(timeout=PATIENT)
        return start(database)

    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(begin, range(8)))
    assert {one.version for one in started} == {1}
    assert sum(one.put is not None for one in started) == 1


def test_a_vote_does_not_wait_for_a_reload(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("on SQLite there is one writer at a time")
    put(database)
    desk = Desk(database, support_policy())
    settled, undone = desk.ticket(), desk.ticket()
    desk.click(ANA, settled, REFUND)
    desk.click(ANA, undone, REFUND)
    with database.transaction(wait=PATIENT) as reload:
        put_in_force(reload, support_policy(guideline="Be quick.", channel="C_NEW"), "ops", NOW)
        with database.transaction(wait=0.5) as session:
            assert newest_version(session) == 1
        with ThreadPoolExecutor(1) as pool:
            pool.submit(desk.click, BEN, settled, REFUND).result(timeout=10)
            pool.submit(desk.undo, ANA, undone).result(timeout=10)
    assert desk.correction(settled).label == REFUND


def rewritten(database: Database, before: str, after: str) -> None:
    """The stored text as another release would have written it."""
    with database.transaction() as session:
        [text] = session.scalars(select(PolicyVersion.text))
        assert before in text
        session.execute(update(PolicyVersion).values(text=text.replace(before, after), fingerprint="0" * 16))


def test_settings_of_a_newer_release_are_left_out(database: Database) -> None:
    put(database)
    rewritten(database, '"votes": 3', '"votes": 3, "patience": 3')
    assert in_force(database) == (1, support_policy())
    assert start(database).standing is Standing.IN_FORCE


def test_a_version_that_cannot_be_read_is_named_and_does_not_keep_the_next_from_coming(database: Database) -> None:
    put(database)
    rewritten(database, '"votes": 3', '"votes": "many"')
    with database.reading() as session, pytest.raises(Invalid, match=r"Version 1 .* queues\.0\.consensus\.votes"):
        policy_in_force(session)
    assert put(database) == PutInForce(2, ())


def test_a_queue_that_left_the_policy_keeps_its_rows(database: Database) -> None:
    put(database)
    item = opened(database, support_policy()).ticket()
    both = support_policy().model_dump(mode="json")
    renamed = Policy.model_validate({**both, "queues": [{**both["queues"][0], "name": "tickets"}]})
    with database.transaction() as session:
        put_in_force(session, renamed, "ops", NOW)
    assert Desk(database, support_policy()).item(item).id == item
    assert seated(database, Role.LEAD) == [CLEO]
    assert canonical_text(in_force(database)[1]) == canonical_text(renamed)
