"""Columns of a file of predictions: their meaning, and suggestions for unknown names."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from core.errors import Invalid
from core.intake.limits import MOST_FIELDS
from core.intake.names import KNOWN, likely_name, misspelt_name
from core.intake.predictions import OBJECT

PROBABILITY = "p:"  # the prefix of a column with a label's probability


@dataclass(frozen=True)
class Columns:
    """The columns of a file. known: columns that Goldloop defines; labels: column -> label whose probability it holds;
    fields: all others."""

    known: tuple[str, ...]
    labels: Mapping[str, str]
    fields: tuple[str, ...]

    @cached_property
    def others(self) -> bool:
        """Whether there are columns that Goldloop does not define."""
        return bool(self.labels or self.fields)


@lru_cache(100)
def columns_of(names: tuple[str, ...]) -> Columns:
    """The columns by meaning. Raises Invalid, naming every problem once: a required column is missing; a column looks
    misspelt and would become a field unnoticed; there are more fields than a prediction can have."""
    known = tuple(name for name in names if name in KNOWN)
    labels = {name: name[len(PROBABILITY) :].strip() for name in names if name.casefold().startswith(PROBABILITY)}
    fields = tuple(name for name in names if name not in KNOWN and name not in labels)
    problems = list(_problems(known, labels, fields))
    if problems:
        raise Invalid(" ".join(problems), field="columns")
    return Columns(known, labels, fields)


def prediction_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a file in the form that `checked_prediction` reads: without empty cells, with numbers and objects parsed
    from text. Raises Invalid."""
    columns = columns_of(tuple(map(str, row)))
    filled = {str(name): value for name, value in row.items() if value is not None and value != ""}
    found = {name: filled[name] for name in columns.known if name in filled} if columns.others else filled
    for name in ("probabilities", "fields"):
        if name in found:
            found[name] = _without_nulls(_object(name, found[name]))
    if "image" in found:
        found["image"] = picture_cell(found["image"])
    if "confidence" in found:
        found["confidence"] = _number("confidence", found["confidence"])
    if not columns.others:
        return found
    if chances := {label: _number(name, filled[name]) for name, label in columns.labels.items() if name in filled}:
        found["probabilities"] = chances
    if others := {name: filled[name] for name in columns.fields if name in filled}:
        found["fields"] = found.get("fields", {}) | others
    return found


def picture_cell(value: Any) -> Any:
    """The files that a cell names as `image`: a name, or a JSON list of names."""
    if not isinstance(value, str) or not value.startswith("["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value  # a file may have such a name


def missing_column(name: str, columns: Collection[str]) -> str:
    """A sentence that names the missing column, or the misspelt one."""
    meant = _likely_column(name, columns)
    return f"The column {name} is missing." if meant is None else _unknown(meant, name)


def _problems(known: Collection[str], labels: Collection[str], fields: Collection[str]) -> Iterator[str]:
    missing = list(_missing({*known}, bool(labels)))
    yield from (missing_column(name, fields) for name in missing)
    named = {_likely_column(name, fields) for name in missing}
    for field in (field for field in fields if field not in named):
        if meant := misspelt_name(field, KNOWN.difference(known, missing)):
            yield _unknown(field, meant)
    if "probabilities" in known and labels:
        yield "Give either the column probabilities or columns p:LABEL, not both."
    if len(fields) > MOST_FIELDS:
        shown = ", ".join([*fields][:5])
        yield f"{len(fields)} columns would be fields ({shown}, …); a prediction has at most {MOST_FIELDS}."


def _missing(known: set[str], has_label_columns: bool) -> Iterator[str]:
    yield from (name for name in ("external_id", "model_version") if name not in known)
    if not known & {"text", "image", "image_url"}:
        yield "text"
    if has_label_columns or "probabilities" in known:
        return
    yield from (name for name in ("label", "confidence") if name not in known)


def _likely_column(name: str, columns: Collection[str]) -> str | None:
    return next((column for column in columns if likely_name(column, {name})), None)


def _unknown(column: str, meant: str) -> str:
    return f"“{column}” is not a known column. Did you mean {meant}?"


def _number(name: str, value: Any) -> Any:
    """The number in a text; any other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        point = " Write a point, not a comma." if "," in value else ""
        raise Invalid(f"{name} must be a number from 0 to 1.{point}", field=name) from None


def _without_nulls(found: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in found.items() if value is not None} if None in found.values() else found


def _object(name: str, value: Any) -> Mapping[str, Any]:
    """The object in a cell: JSON as text, or the object or map of a format that has them."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
        found = dict(found) if isinstance(found, list) else found
    except (ValueError, TypeError, RecursionError):
        found = None
    if not isinstance(found, OBJECT):
        raise Invalid(f'{name} must be a JSON object, such as {{"refund": 0.6}}.', field=name)
    return found
