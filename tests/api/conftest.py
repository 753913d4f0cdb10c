import pytest

from core.database import Database
from tests.core.desk import Desk, opened
from tests.people import support_policy


@pytest.fixture
def desk(database: Database) -> Desk:
    return opened(database, support_policy())
