"""An upgrade from the first release, on both databases: what it had stored is kept, it can go on writing beside the new
tables until it is restarted (expand, deploy, contract), and the loop goes on where it was.

first_release.jsonl holds the rows that the first release's own code wrote: a day at the desk with an item half voted
on, one in dispute, a live model, a candidate that waits, and something in every table.
"""

import base64
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import DateTime, LargeBinary, MetaData, Table, insert, select, text, update
from typer.testing import CliRunner

from bot.cli import app
from bot.migrate import migrate
from core.database import Database
from core.learning.artifacts import LIBRARY
from core.learning.decisions import approve
from core.learning.models import newest_evaluation
from core.learning.serving import Serving
from core.learning.training import train
from core.queues import sync_queues
from core.records.learning import Artifact
from core.tokens import caller
from core.vocabulary import DecisionKind, ItemState, ModelState, RunState
from tests.core.desk import DELIVERY, NOW, Desk
from tests.core.models import claimed, decisions, live, model, requested, run, ticking
from tests.people import ANA, BEN, CLEO, support_policy

FIRST = "0002"
STORED = [json.loads(line) for line in (Path(__file__).parent / "first_release.jsonl").read_text().splitlines()]
POLICY = """
[queues.support]
channel = "C_REVIEW"
leads_channel = "C_LEADS"
leads = ["U_CLEO"]
reviewers = ["U_ANA", "U_BEN", "U_EVA"]
labels = ["refund", "billing error", "delivery"]
guideline = "Money back is a refund; a wrong amount is a billing error."
"""

STORED_BY = {row["library"] for name, row in STORED if name == "artifact"}

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def empty(database: Database) -> Database:
    """Not even tables."""
    with database.engine.connect() as connection:
        made = MetaData()
        made.reflect(connection)
    with database.transaction() as session:
        connection = session.connection()
        if database.is_sqlite:
            for table in reversed(made.sorted_tables):
                table.drop(connection)
        else:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    return database


def shape_of_the_first_release(database: Database) -> MetaData:
    """The tables as the first release knew them."""
    migrate(database, FIRST)
    made = MetaData()
    with database.engine.connect() as connection:
        made.reflect(connection)
    return made


def written(database: Database, shape: MetaData) -> None:
    """Its rows, by statements that know of no other columns."""
    with database.transaction() as session:
        connection = session.connection()
        for name, row in STORED:
            connection.execute(insert(shape.tables[name]).values(_typed(shape.tables[name], row, database.is_sqlite)))
        for name in {name for name, row in STORED if "id" in row and not database.is_sqlite}:
            counted = f"setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
            connection.execute(text(f"SELECT {counted}"))


def read(database: Database, shape: MetaData) -> Rows:
    with database.engine.connect() as connection:
        tables = [table for table in shape.sorted_tables if table.name != "alembic_version"]
        found = {table.name: connection.execute(select(table)).mappings().all() for table in tables}
    return {name: sorted((dict(row) for row in rows), key=str) for name, rows in found.items()}


def _typed(table: Table, row: dict[str, Any], is_sqlite: bool) -> dict[str, Any]:
    """As its database gives it: SQLite has no time zones."""
    values = dict(row)
    for name, value in row.items():
        kind = table.columns[name].type
        if value is not None and isinstance(kind, DateTime):
            at = datetime.fromisoformat(value)
            values[name] = at if is_sqlite else at.replace(tzinfo=UTC)
        elif isinstance(kind, LargeBinary):
            values[name] = base64.b64decode(value)
    return values


@pytest.fixture
def upgraded(empty: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The first release's database after `goldloop migrate`."""
    written(empty, shape_of_the_first_release(empty))
    _migrated(database_url, tmp_path, monkeypatch)
    return Desk(empty, support_policy())


def _migrated(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "goldloop.toml"
    policy.write_text(POLICY, encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("GOLDLOOP_POLICY", str(policy))
    done = CliRunner().invoke(app, ["migrate"], catch_exceptions=False)
    assert "The database is up to date." in done.output


def test_every_row_of_the_first_release_is_kept_as_it_was(
    empty: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = shape_of_the_first_release(empty)
    written(empty, shape)
    before = read(empty, shape)
    assert Counter(name for name, _row in STORED) == {name: len(rows) for name, rows in before.items()}
    assert all(before.values()), "something in every table"
    _migrated(database_url, tmp_path, monkeypatch)
    assert read(empty, shape) == before


def test_the_first_release_can_still_read_and_write_beside_the_new_tables(empty: Database) -> None:
    shape = shape_of_the_first_release(empty)
    migrate(empty)
    written(empty, shape)
    assert Counter(name for name, _row in STORED) == {name: len(rows) for name, rows in read(empty, shape).items()}
    with empty.transaction() as session:
        sync_queues(session, support_policy(), NOW)  # and the new one reads what the old one wrote meanwhile
    assert Desk(empty, support_policy()).item(3).state is ItemState.OPEN


def test_what_was_half_done_is_finished_and_its_token_is_good(upgraded: Desk) -> None:
    desk = upgraded
    assert [answer.person for answer in desk.answers(3)] == [ANA]
    assert desk.click(BEN, 3, DELIVERY).settled
    assert desk.correction(3).tally == {DELIVERY: 2}
    assert desk.item(4).state is ItemState.DISPUTED
    assert desk.click(CLEO, 4, DELIVERY).adjudicated
    with desk.database.reading() as session:
        found = caller(session, "goldloop_of the first release")
    assert found is not None
    assert (found[0].name, found[0].queue) == ("helpdesk", "support")


def test_its_live_model_answers_and_its_candidate_can_go_live(upgraded: Desk) -> None:
    assert live(upgraded) == 1
    if {LIBRARY} == STORED_BY:  # else it is made anew; see below
        serving = Serving(upgraded.database).live(upgraded.rules)
        assert serving is not None
        assert sum(serving.predict(["where is my parcel"])[0].values()) == pytest.approx(1)
    with upgraded.database.transaction() as session:
        assert approve(session, 2, CLEO, 6, NOW, upgraded.policy)
    assert live(upgraded) == 2
    assert decisions(upgraded, 2)[-1].former_model_id == 1


def test_what_it_had_collected_trains_the_next_model(upgraded: Desk) -> None:
    run_id = requested(upgraded)
    assert run_id is not None
    train(upgraded.database, claimed(upgraded), ticking(), upgraded.policy)
    made = run(upgraded, run_id)
    assert made.state is RunState.DONE
    assert model(upgraded, 3).state is ModelState.CANDIDATE
    assert [decision.kind for decision in decisions(upgraded, 1)] == [DecisionKind.PROMOTE]


@pytest.mark.slow
def test_a_live_model_of_another_scikit_learn_is_mended_by_training_anew(upgraded: Desk) -> None:
    with upgraded.database.transaction() as session:
        session.execute(update(Artifact).values(library="scikit-learn 0.1"))
    assert Serving(upgraded.database).usable(upgraded.rules) is None
    assert requested(upgraded) is not None
    train(upgraded.database, claimed(upgraded), ticking(), upgraded.policy)
    with upgraded.database.transaction() as session:
        warnings = newest_evaluation(session, 3).warnings["sentences"]
        assert "What is live could not be opened" in warnings[0]
        assert approve(session, 3, CLEO, 7, NOW, upgraded.policy)
    assert Serving(upgraded.database).usable(upgraded.rules) is not None
