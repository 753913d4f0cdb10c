"""The migrations build what the records say, alone and together, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from bot.migrate import alembic_config, migrate, migrations_folder
from core.database import Database
from core.records import Base


def test_the_migrations_build_exactly_what_the_records_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_there_is_one_head_and_the_files_are_numbered() -> None:
    script = ScriptDirectory.from_config(alembic_config(None))
    assert len(script.get_heads()) == 1
    numbers = sorted(path.name[:4] for path in (migrations_folder() / "versions").glob("*.py"))
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_several_processes_may_migrate_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    databases = [Database(url) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, databases))
    assert "review_item" in inspect(databases[0].engine).get_table_names()
    for database in databases:
        database.close()


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database)
    with database.reading() as session:
        assert session.connection().dialect.has_table(session.connection(), "vote") is False


@pytest.mark.parametrize("url", ["mysql://here/db", "nonsense"])
def test_an_unknown_kind_of_database_is_refused_with_what_to_use(url: str) -> None:
    with pytest.raises(Exception, match="Use postgresql"):
        Database(url)
