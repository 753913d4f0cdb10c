"""`goldloop learners …` as operators type it."""

import pytest

from core.storage.database import Database
from tests.core.desk import opened
from tests.core.models import seeded
from tests.flows.test_terminal import Terminal, goldloop
from tests.people import support_policy

__all__ = ["goldloop"]

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("sqlite_only")
def test_learners_are_compared_on_the_queues_rows(goldloop: Terminal, database: Database) -> None:
    seeded(opened(database, support_policy()))
    done = goldloop.run("learners", "compare", "-q", "support")
    assert done.returncode == 0, done.stderr
    for learner in ("blend", "embedding", "text"):
        assert f"│ {learner} " in done.stdout
    assert "each predicted by a model that was fitted without it" in done.stdout
    assert "Recommended: text, which is in use." in done.stdout


@pytest.mark.usefixtures("sqlite_only")
def test_without_training_rows_there_is_nothing_to_compare(goldloop: Terminal, database: Database) -> None:
    opened(database, support_policy())
    done = goldloop.run("learners", "compare", "-q", "support")
    assert (done.returncode, "No learner can learn from the 0 training rows of support" in done.stderr) == (2, True)
    assert "text is left out." in done.stdout
