from collections.abc import Callable

import pytest

from core.database import Database
from tests.core.desk import Desk, opened
from tests.people import support_policy

OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk(database: Database) -> OpenDesk:
    """A desk under the tests' policy, with these sections laid over it."""

    def open_(**sections: object) -> Desk:
        return opened(database, support_policy(**sections))

    return open_


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk()
