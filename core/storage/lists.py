"""Lists of values in kept statements: `among` is the condition, and `as_list` gives its values in the form that the
database takes.
"""

from collections.abc import Collection, Iterable
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ARRAY, Column, ColumnElement, String, any_, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

ALONE = "alone"  # the form of a statement whose lists have one value each


def form_of(kind: str, *lists: Collection[Any]) -> str:
    """The form in which lists are given to a statement (`among`, `as_list`): the kind of database, or `ALONE` for lists
    of one value. PostgreSQL plans a statement with a list each time, because the plan depends on the list; for a single
    value it keeps the plan. Reading the item of a single vote then takes 0.3 ms instead of 0.9."""
    return ALONE if all(len(values) == 1 for values in lists) else kind


def among(column: InstrumentedAttribute[Any] | Column[Any], form: str, name: str) -> ColumnElement[bool]:
    """Whether the column's value is in a list that is bound to this name (`as_list`). The statement is built once; a
    thousand separate values would be written into it each time. PostgreSQL gets an array, which its planner
    knows how to look up in an index: rows made of a document take it two to four times as long."""
    if form == ALONE:
        return column == bindparam(name, type_=column.type)
    if form == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(column.type)))
    values: Any = bindparam(name, type_=String)
    return column.in_(select(func.json_each(values).table_valued("value", name="listed").c.value))


def as_list(form: str, values: Iterable[Any]) -> Any:
    if form == ALONE:
        [value] = values
        return value
    return list(values) if form == "postgresql" else to_json(list(values)).decode()
