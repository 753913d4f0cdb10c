"""`goldloop synthesize` and `goldloop synthetic` as operators type them, and what they answer."""

import io
import sys

import pytest
from sqlalchemy import select

from core.records.synthetic import SyntheticBatch
from core.storage.database import Database
from core.vocabulary import SyntheticState
from tests.core.desk import Desk, opened
from tests.flows.test_terminal import Terminal, goldloop
from tests.llm.recorded import RecordedModel, serving
from tests.llm.scene import with_model
from tests.people import support_policy

__all__ = ["goldloop"]

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sqlite_only")]
OPTIONS = ("-q", "support", "--label", "refund")


def desk_with(goldloop: Terminal, database: Database, address: str, model: str) -> Desk:
    rules = f'[queues.support.synthetic]\nenabled = true\naddress = "{address}"\nmodel = "{model}"\ncalls = 1\n'
    with (goldloop.folder / "goldloop.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{rules}")
    return with_model(lambda **sections: opened(database, support_policy(**sections)), address, model)


def test_the_cost_is_shown_first_then_the_batch(goldloop: Terminal, database: Database) -> None:
    with serving(RecordedModel()) as address:
        desk_with(goldloop, database, address, "ten-good")
        goldloop.patch.setattr(sys, "stdin", io.StringIO(""))
        asked = goldloop.run("synthesize", *OPTIONS)
        assert asked.returncode == 1
        assert "4 corrected texts would be sent, masked." in asked.stdout
        with database.reading() as session:
            assert session.scalars(select(SyntheticBatch)).all() == [], "without a yes, nothing is asked"
        done = goldloop.run("synthesize", *OPTIONS, "--yes")
    assert done.returncode == 0, done.stderr
    assert "Reviewers are asked about 10 of them" in done.stdout
    assert "1 call, 460 tokens" in done.stdout
    assert "10 texts written, 10 kept." in goldloop.run("synthetic", "status", "-q", "support").stdout
    assert "is withdrawn" in goldloop.run("synthetic", "retire", "1").stdout
    with database.reading() as session:
        assert session.scalars(select(SyntheticBatch.state)).one() is SyntheticState.RETIRED
    assert "it trains nothing" in goldloop.run("synthetic", "retire", "1").stderr


def test_what_cannot_be_done_is_said(goldloop: Terminal, database: Database) -> None:
    desk_with(goldloop, database, "http://127.0.0.1:9/v1", "large")
    assert "Give --language" in goldloop.run("synthesize", *OPTIONS, "--target", "refunds in French").stderr
    assert "no batch 9" in goldloop.run("synthetic", "show", "9").stderr.lower()
    assert "No batch of support yet." in goldloop.run("synthetic", "status", "-q", "support").stdout
