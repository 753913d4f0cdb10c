"""The migrations build what the records say, alone and together, on both databases."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Timer

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from bot.runtime.migrate import alembic_config, migrate, migrations_folder, newest_revision
from core.records import Base
from core.storage.database import Database


def test_the_migrations_build_exactly_what_the_records_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_postgresql_vacuums_each_table_as_the_records_say(database: Database) -> None:
    if database.is_sqlite:
        return
    wanted = {
        table.name: {f"{name}={value}" for name, value in table.dialect_options["postgresql"]["with"].items()}
        for table in Base.metadata.tables.values()
        if table.dialect_options["postgresql"]["with"]
    }
    told = text("SELECT relname, reloptions FROM pg_class WHERE relkind = 'r' AND reloptions IS NOT NULL")
    with database.engine.connect() as connection:
        assert {name: set(options) for name, options in connection.execute(told)} == wanted
    assert wanted


def test_there_is_one_head_and_the_files_are_numbered() -> None:
    script = ScriptDirectory.from_config(alembic_config(None))
    assert script.get_heads() == [newest_revision()]
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


@pytest.mark.slow
def test_a_new_database_is_opened_by_several_processes_at_once(tmp_path: Path) -> None:
    """Twenty new files: which of the openers turns WAL on is left to chance, and none of them may be refused."""
    for number in range(20):
        together = Barrier(4)

        def opened(database: Database, together: Barrier = together) -> str:
            together.wait()
            with database.engine.connect() as connection:
                mode: str = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
            return mode

        databases = [Database(f"sqlite:///{tmp_path / f'{number}.sqlite'}") for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(opened, databases)) == ["wal"] * 4
        for database in databases:
            database.close()


def test_who_opens_a_database_that_another_is_making_waits_for_it(tmp_path: Path) -> None:
    file = tmp_path / "new.sqlite"
    maker = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN IMMEDIATE")
    maker.execute("CREATE TABLE started (at TEXT)")
    database = Database(f"sqlite:///{file}")
    done = Timer(0.3, maker.execute, ["COMMIT"])
    done.start()
    with database.reading() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM started").scalar_one() == 0
    done.join()
    maker.close()
    database.close()


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database)
    with database.reading() as session:
        assert session.connection().dialect.has_table(session.connection(), "vote") is False


@pytest.mark.parametrize("url", ["mysql://here/db", "nonsense"])
def test_an_unknown_kind_of_database_is_refused_with_what_to_use(url: str) -> None:
    with pytest.raises(Exception, match="Use postgresql"):
        Database(url)
