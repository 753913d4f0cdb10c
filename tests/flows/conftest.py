"""Fixtures that start a running Goldloop (tests/loop.py), and texts from which a model learns."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest
import scipy.optimize
import scipy.stats  # noqa: F401
import sklearn.feature_extraction.text
import sklearn.svm  # noqa: F401
import skops.io  # noqa: F401

import bot.slack.delivery.chart  # noqa: F401 - the same for the first report
import core.learning.learners.text  # noqa: F401
from bot.sandbox.config import SandboxConfig
from core.policy import Policy
from core.storage.database import Database
from tests.core.conftest import database, database_url, postgresql_database, sqlite_database
from tests.loop import Loop, running_loop

__all__ = ["database", "database_url", "postgresql_database", "sqlite_database"]

SEEDS = (
    ("please give me my money back for the lamp", "refund"),
    ("i want a refund, the chair does not fit", "refund"),
    ("send the money back, i returned the table", "refund"),
    ("money back for the broken vase please", "refund"),
    ("you charged my card twice this month", "billing error"),
    ("the amount on the invoice is wrong", "billing error"),
    ("i was charged for a membership i never bought", "billing error"),
    ("my card was charged the wrong amount", "billing error"),
    ("where is my parcel, it was due on monday", "delivery"),
    ("the courier never came with my parcel", "delivery"),
    ("my parcel is late again, where is it", "delivery"),
    ("the driver left the parcel in the rain", "delivery"),
)


StartLoop = Callable[..., Loop]


@pytest.fixture
def start_loop(database: Database) -> Iterator[StartLoop]:
    with ExitStack() as stack:

        def start(policy: Policy | None = None, config: SandboxConfig | None = None) -> Loop:
            return stack.enter_context(running_loop(database, policy=policy, config=config))

        yield start


@pytest.fixture
def loop(start_loop: StartLoop) -> Loop:
    return start_loop()


def seeds(*more: tuple[str, str]) -> Sequence[tuple[str, str]]:
    return SEEDS + more
