"""Bulk inserts and bulk updates, as fast as each database allows.

SQLAlchemy prepares each value of each row, and psycopg sends each row separately, which takes several times as long as
storing them. So PostgreSQL gets one statement with a list for each column, and SQLite's driver gets the rows ready to
be stored. Values common to all rows (a queue, a time) are prepared once. A single row, such as a single vote's, is
given value by value: PostgreSQL keeps the plan of that statement.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter
from typing import Any

from pydantic_core import to_json
from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    Select,
    String,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from core.storage.array_literals import literal_of_documents, literal_of_others, literal_of_texts
from core.storage.database import insert_for, kind_of
from core.storage.lists import among
from core.storage.ready import fetch, send, send_write, write, write_as_given

SQLITE = sqlite.dialect()
LARGEST = 8_000_000  # characters in one statement: a thousand texts of the greatest length would have two gigabytes

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Changes:
    """The shape of a bulk update. key: columns that identify a row; each: further values per row, also named after
    columns. values: given these as expressions by name, returns the columns to set; by default, the columns of
    `each`."""

    table: Table
    each: tuple[str, ...]
    key: tuple[str, ...] = ("id",)
    values: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Bulk:
    """The shape of a bulk insert into a table whose `id` counts up. same: columns with one value for all rows; each:
    columns with a value per row, of a type that JSON knows, or a time. key: columns that identify a row; a row that is
    stored already stays as it is. again: what INSERT does with such a row instead, without further values. back:
    columns to return."""

    table: Table
    same: tuple[str, ...]
    each: tuple[str, ...]
    key: tuple[str, ...] = ()
    again: Callable[[Any], Any] | None = None
    back: tuple[str, ...] = ()


def insert_all(session: Session, bulk: Bulk, same: Row, rows: Sequence[Row]) -> int:
    """Insert rows without the ORM. Their ids grow in the order in which the rows are given. Returns how many were not
    stored already."""
    return insert_all_sent(session, bulk, same, rows)()


def insert_all_sent(session: Session, bulk: Bulk, same: Row, rows: Sequence[Row]) -> Callable[[], int]:
    """Do what `insert_all` does within `at_once`. The returned function gives the number after the end of that
    block."""
    if not rows:
        return lambda: 0
    if kind_of(session) != "postgresql":
        written = _by_driver(session, bulk, same, rows)
        return lambda: written
    silent = _without_back(bulk)
    counts = [send_write(session, statement, {**same, **values}) for statement, values in _for_postgres(silent, rows)]
    return lambda: sum(count() for count in counts)


def insert_returning(session: Session, bulk: Bulk, same: Row, rows: Sequence[Row]) -> Sequence[Any]:
    """Insert rows as `insert_all` does. Returns the columns `bulk.back` of the rows that were not stored already, one
    tuple per row, in no order."""
    return insert_sent(session, bulk, same, rows)()


def insert_sent(session: Session, bulk: Bulk, same: Row, rows: Sequence[Row]) -> Callable[[], Sequence[Any]]:
    """Do what `insert_returning` does within `at_once`. The returned function gives the rows after the end of that
    block."""
    if not rows:
        return lambda: ()
    if kind_of(session) == "postgresql":
        answers = [send(session, statement, {**same, **values}) for statement, values in _for_postgres(bulk, rows)]
        return lambda: [row for answer in answers for row in answer()]
    newest = fetch(session, _newest(bulk.table), {})[0][0] or 0
    _by_driver(session, bulk, same, rows)
    found = fetch(session, _new_rows(bulk), {"newest": newest})
    return lambda: found


def update_all(session: Session, changes: Changes, rows: Sequence[Row]) -> None:
    """Update rows without the ORM. Each row has a value for each column of the key and of `each`; no two have the same
    key."""
    if not rows:
        return
    if kind_of(session) == "postgresql" and len(rows) > 1:
        keys = {f"keys_{name}": [row[name] for row in rows] for name in changes.key}
        for lists in _lists(changes.table, (*changes.key, *changes.each), rows):
            write(session, _update_from_lists(changes), [{**keys, **lists}])
    else:
        write(session, _update_by_values(changes), [{f"new_{name}": row[name] for name in row} for row in rows])


def _for_postgres(bulk: Bulk, rows: Sequence[Row]) -> Iterator[tuple[Any, Row]]:
    """Yield the statements for PostgreSQL, each with its values. Rows are given as lists, but a single row value by
    value, which takes two thirds of the time."""
    if len(rows) == 1:
        yield _from_values(bulk), _with_documents(bulk, rows[0])
    else:
        yield from ((_from_lists(bulk), lists) for lists in _lists(bulk.table, bulk.each, rows))


def _with_documents(bulk: Bulk, row: Row) -> Row:
    documents = {name: row[name] for name in _json_columns(bulk)}
    return {**row, **{name: value if value is None else to_json(value).decode() for name, value in documents.items()}}


@cache
def _json_columns(bulk: Bulk) -> Sequence[str]:
    return [name for name in bulk.each if isinstance(bulk.table.c[name].type, JSON)]


def _lists(table: Table, names: tuple[str, ...], rows: Sequence[Row]) -> Iterator[Row]:
    """Yield these columns of the rows as lists, by the names that `_unnested` gives them: of all rows, unless they
    would be longer than `LARGEST`."""
    columns = zip(*map(_picking(names), rows), strict=True)
    written = zip(names, _writers(table, names), columns, strict=True)
    lists = {_list_named(name): write_list(column) for name, write_list, column in written}
    if len(rows) > 1 and sum(map(len, lists.values())) > LARGEST:
        half = len(rows) // 2
        yield from _lists(table, names, rows[:half])
        yield from _lists(table, names, rows[half:])
    else:
        yield lists


@cache
def _writers(table: Table, names: tuple[str, ...]) -> Sequence[Callable[[Sequence[Any]], str]]:
    return [_writer(table.c[name]) for name in names]


def _writer(column: Column[Any]) -> Callable[[Sequence[Any]], str]:
    if isinstance(column.type, JSON):
        return literal_of_documents
    return literal_of_texts if isinstance(column.type, String) else literal_of_others


def _list_named(name: str) -> str:
    return f"list_{name}"


@cache
def _from_lists(bulk: Bulk) -> Any:
    """INSERT INTO … SELECT the values of `same`, the columns of `each` FROM unnest(…). Built once per shape."""
    columns = bulk.table.c
    same = [bindparam(name, type_=columns[name].type) for name in bulk.same]
    values = select(*same, *_unnested(bulk.table, bulk.each).values())
    statement = insert_for("postgresql", bulk.table).from_select([*bulk.same, *bulk.each], values)
    return _finished(statement, bulk).returning(*[columns[name] for name in bulk.back])


@cache
def _from_values(bulk: Bulk) -> Any:
    columns, documents = bulk.table.c, _json_columns(bulk)
    values: dict[str, Any] = {name: bindparam(name, type_=columns[name].type) for name in (*bulk.same, *bulk.each)}
    values |= {name: cast(bindparam(name, type_=String), JSON) for name in documents}
    statement = insert_for("postgresql", bulk.table).values(values)
    return _finished(statement, bulk).returning(*[columns[name] for name in bulk.back])


@cache
def _update_from_lists(changes: Changes) -> Any:
    """UPDATE … FROM unnest(…). The keys are also given as arrays: the planner does not know how many rows lists
    have, and would otherwise read a small table whole."""
    found = [among(changes.table.c[name], "postgresql", f"keys_{name}") for name in changes.key]
    return _updating(changes, _unnested(changes.table, (*changes.key, *changes.each))).where(*found)


@cache
def _update_by_values(changes: Changes) -> Any:
    types = {name: changes.table.c[name].type for name in (*changes.key, *changes.each)}
    return _updating(changes, {name: bindparam(f"new_{name}", type_=of_type) for name, of_type in types.items()})


def _updating(changes: Changes, given: Mapping[str, Any]) -> Any:
    found = [changes.table.c[name] == given[name] for name in changes.key]
    values = changes.values(given) if changes.values else {name: given[name] for name in changes.each}
    return changes.table.update().where(*found).values(dict(values))


def _unnested(table: Table, names: tuple[str, ...]) -> dict[str, Any]:
    """The columns of a table that PostgreSQL makes of the lists, by name. JSON is read from a text there; in one
    document with the other columns, it would be read twice."""
    types = {name: Text() if isinstance(table.c[name].type, (JSON, String)) else table.c[name].type for name in names}
    lists = [cast(bindparam(_list_named(name), type_=String), ARRAY(of_type)) for name, of_type in types.items()]
    parts = [Column(name, of_type) for name, of_type in types.items()]
    given = func.unnest(*lists).table_valued(*parts, name="given").render_derived().c
    return {name: cast(given[name], JSON) if isinstance(table.c[name].type, JSON) else given[name] for name in names}


@cache
def _without_back(bulk: Bulk) -> Bulk:
    return replace(bulk, back=())


def _by_driver(session: Session, bulk: Bulk, same: Row, rows: Sequence[Row]) -> int:
    return write_as_given(session, _for_driver(bulk)[0], [*_in_order(bulk, same, rows)])


@cache
def _newest(table: Table) -> Select[int]:
    return select(func.max(table.c.id))


@cache
def _new_rows(bulk: Bulk) -> Select[*tuple[Any, ...]]:
    """The rows whose id is above the highest id before the insert. These are the new rows, because no other connection
    writes to SQLite meanwhile."""
    columns = bulk.table.c
    return select(*[columns[name] for name in bulk.back]).where(columns.id > bindparam("newest"))


@cache
def _for_driver(bulk: Bulk) -> tuple[str, Sequence[str]]:
    """The statement for SQLite's driver, and the names of its values in their order. Built once per shape."""
    statement = insert_for("sqlite", bulk.table).values({name: bindparam(name) for name in (*bulk.same, *bulk.each)})
    compiled = _finished(statement, bulk).compile(dialect=SQLITE)
    return str(compiled), compiled.positiontup


def _in_order(bulk: Bulk, same: Row, rows: Sequence[Row]) -> Iterator[tuple[Any, ...]]:
    """Yield each row's values as a tuple in the statement's order. Giving them by name, in a dictionary, takes more
    than twice the time."""
    form = _form(bulk)
    constants = [_preparing(bulk.table.c[name])(same[name]) for name in bulk.same]
    for row in rows:
        whole = [*form.pick(row), *constants]
        for place in form.documents:
            if whole[place] is not None:
                whole[place] = to_json(whole[place]).decode()
        for place, prepared in form.prepare:
            whole[place] = prepared(whole[place])
        yield form.order(whole)


@dataclass(frozen=True)
class _Form:
    """The conversion of a row into the statement's order: `pick` takes the values of `each`, the values of `same` are
    appended, and `order` sorts both by place. documents: places of values stored as JSON; prepare: places of values
    whose types the records define, each with its conversion."""

    pick: Callable[[Any], tuple[Any, ...]]
    order: Callable[[Any], tuple[Any, ...]]
    documents: Sequence[int]
    prepare: Sequence[tuple[int, Callable[[Any], Any]]]


@cache
def _form(bulk: Bulk) -> _Form:
    given, columns = [*bulk.each, *bulk.same], bulk.table.c
    types = [(place, columns[name]) for place, name in enumerate(bulk.each)]
    return _Form(
        pick=_picking(bulk.each),
        order=_picking([given.index(name) for name in _for_driver(bulk)[1]]),
        documents=[place for place, column in types if isinstance(column.type, JSON)],
        prepare=[(place, _preparing(column)) for place, column in types if isinstance(column.type, TypeDecorator)],
    )


def _picking(keys: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that returns the values of these keys in a row: always a tuple, also of a single value."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda row: tuple(row[key] for key in keys)


@cache
def _preparing(column: Column[Any]) -> Callable[[Any], Any]:
    return column.type.dialect_impl(SQLITE).bind_processor(SQLITE) or (lambda value: value)


def _finished(statement: Any, bulk: Bulk) -> Any:
    if bulk.again:
        return bulk.again(statement)
    return statement.on_conflict_do_nothing(index_elements=bulk.key) if bulk.key else statement
