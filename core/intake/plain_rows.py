"""A quick check for plain rows, which have all that is needed in the right types and nothing unusual. Most rows are
plain.

pydantic-core checks such a row in a fifth of the time that core/intake/predictions.py takes. That module reads all
other rows; it accepts what is unusual (an id that is a number, a picture, a text with a NUL), and says what is wrong.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic_core import SchemaValidator, ValidationError
from pydantic_core import core_schema as schema

from core.intake.limits import LONGEST_ID, LONGEST_NAME, LONGEST_TEXT, LONGEST_VALUE, MOST_FIELDS, SUM_TOLERANCE
from core.policy import QueuePolicy

NAME = r"^[!-~]([ -~]*[!-~])?$"  # printable ASCII without blanks around it
WITHOUT_NUL = r"^[^\x00]*$"
WORDS = r"^[^\x00]*[^\s\x00-\x1f][^\x00]*$"  # with something that is no white space; for Python, \x1c to \x1f are, too


def plain_row(row: Mapping[str, Any], policy: QueuePolicy) -> dict[str, Any] | None:
    """A copy of the row, with its numbers as floats, if the row is valid and can be stored without changes but for
    masking: a dictionary of `external_id`, `model_version` and `text`; `group` and `fields` if it has them; and
    `probabilities`, or `label` and `confidence`, or all three. None: the row is not plain."""
    try:
        found: dict[str, Any] = _validator(policy.label_names).validate_python(row)
    except ValidationError:
        return None
    return found if _has_answer(found) else None


def _has_answer(row: Mapping[str, Any]) -> bool:
    probabilities = row.get("probabilities")
    if probabilities is None:
        return "label" in row and "confidence" in row
    label = row.get("label")
    return sum(probabilities.values()) <= 1 + SUM_TOLERANCE and (
        label is None or label in probabilities or "confidence" in row
    )


@lru_cache(100)
def _validator(labels: tuple[str, ...]) -> SchemaValidator:
    name = schema.str_schema(strict=True, max_length=LONGEST_ID, pattern=NAME)
    chance = schema.float_schema(strict=True, ge=0, le=1, allow_inf_nan=False)
    label = schema.literal_schema([*labels])
    fields = schema.dict_schema(
        schema.str_schema(strict=True, max_length=LONGEST_NAME, pattern=WITHOUT_NUL),
        schema.str_schema(strict=True, max_length=LONGEST_VALUE, pattern=WITHOUT_NUL),
        max_length=MOST_FIELDS,
        strict=True,
    )
    required = {
        "external_id": name,
        "model_version": name,
        "text": schema.str_schema(strict=True, max_length=LONGEST_TEXT, pattern=WORDS),
    }
    optional = {
        "group": name,
        "fields": fields,
        "label": label,
        "confidence": chance,
        "probabilities": schema.dict_schema(label, chance, min_length=1, strict=True),
    }
    parts = {key: schema.typed_dict_field(kind) for key, kind in required.items()}
    parts |= {key: schema.typed_dict_field(kind, required=False) for key, kind in optional.items()}
    return SchemaValidator(schema.typed_dict_schema(parts, extra_behavior="forbid", strict=True))
