"""Predictions as callers send them, validated. Only a validated prediction is stored."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from core.errors import LONGEST_FIELD, Invalid
from core.intake.limits import (
    LONGEST_ID,
    LONGEST_LABEL,
    LONGEST_LINK,
    LONGEST_NAME,
    LONGEST_TEXT,
    LONGEST_VALUE,
    MOST_FIELDS,
    MOST_PICTURES,
    SUM_TOLERANCE,
)
from core.intake.names import KNOWN, likely_name
from core.intake.plain_rows import plain_row
from core.learning.data.inputs import Input
from core.learning.learners.suspicion import Said
from core.pictures.burned_in import require_no_burned_in_text
from core.pictures.decoded import Decoded
from core.policy import QueuePolicy
from core.text.picture_address import picture_address
from core.text.storable import storable

OBJECT = (dict, Mapping)  # dict first: a check against an abstract class is several times slower
NUMBERS = frozenset({float, int})  # not bool
ABSENT: Mapping[str, None] = dict.fromkeys(("image_url", "probabilities", "group", "link", "suspicion"))

Key = tuple[str, str]  # external id and model version: each is stored once


class LabelsOutsidePolicy(Invalid):
    """The prediction has labels that the queue does not have. labels: their names, cut as labels are."""

    def __init__(self, sentence: str, field: str, labels: Iterable[str]) -> None:
        super().__init__(sentence, field=field)
        self.labels = tuple(storable(label[:LONGEST_LABEL]) for label in labels)


@dataclass(frozen=True)
class NewPrediction:
    """A prediction to store. Its texts are masked if the policy keeps no originals. label is None only for a text that
    a person flagged while no model was live."""

    external_id: str
    model_version: str
    text: str = ""
    image_url: str | None = None  # a web address, or that of stored pictures
    fields: dict[str, str] = field(default_factory=dict)
    label: str | None = None
    confidence: float | None = None
    probabilities: dict[str, float] | None = None
    group: str | None = None  # a patient, customer or conversation: never in both training and golden set
    link: str | None = None  # to the input in the sender's own system; None: as the policy says
    suspicion: float | None = None  # by a model of Goldloop: how suspicious its answer is, in [0, 1]

    @classmethod
    def made(cls, values: Mapping[str, Any]) -> "NewPrediction":
        """A prediction with these values; `ABSENT` stands for those that are not given. A frozen dataclass sets each
        value separately, which would take a third of the time of a check."""
        new = object.__new__(cls)
        new.__dict__.update(ABSENT)
        new.__dict__.update(values)
        return new

    def answered(self, model: str, said: Said) -> "NewPrediction":
        """The same input with the answer of this Goldloop model."""
        return replace(
            self, model_version=model, label=said.label, confidence=said.confidence,
            probabilities=said.probabilities, suspicion=said.suspicion,
        )  # fmt: skip

    @property
    def key(self) -> Key:
        return self.external_id, self.model_version

    @property
    def input(self) -> Input:
        return Input.of(self.text, self.image_url, self.fields, self.group)


def checked_prediction(
    row: Mapping[str, Any], policy: QueuePolicy, pictures: Mapping[str, Decoded | Invalid] = {}
) -> NewPrediction:
    """Validate a row of a file or a request. Raises Invalid with the field and what is allowed.

    A row needs probabilities, or a label with a confidence, or all three. pictures: the files that came with it, by the
    names that rows give as `image`; each decoded, or why it could not be.
    """
    if plain := plain_prediction(row, policy):
        return plain
    if not KNOWN.issuperset(row):
        unknown = min(str(name)[:LONGEST_FIELD] for name in set(row) - KNOWN)
        meant = likely_name(unknown)
        hint = f"Did you mean {meant}?" if meant else f"Valid fields: {', '.join(sorted(KNOWN))}."
        raise Invalid(f"“{unknown}” is not a known field. {hint}", field=unknown)
    if row.get("image") and row.get("image_url"):
        raise Invalid("Give image or image_url, not both.", field="image")
    text, image_url = _text(row.get("text")), _address(row.get("image_url")) or _pictures(row, pictures, policy)
    if not text.strip() and not image_url:
        raise Invalid("A prediction needs text, image or image_url.", field="text")
    probabilities = _probabilities(row.get("probabilities"), policy)
    label = _label(row.get("label"), probabilities, policy)
    return NewPrediction(
        external_id=_identifier(row, "external_id"),
        model_version=_identifier(row, "model_version"),
        text=policy.privacy.stored(text),
        image_url=image_url,
        fields=_fields(row.get("fields"), policy),
        label=label,
        confidence=_confidence(row.get("confidence"), label, probabilities),
        probabilities=probabilities,
        group=_identifier(row, "group") if row.get("group") not in (None, "") else None,
        link=_link(row.get("link")),
        suspicion=None,
    )


def plain_prediction(row: Mapping[str, Any], policy: QueuePolicy) -> NewPrediction | None:
    """The same as `checked_prediction` for a plain row (core/intake/plain_rows.py), in a third of the time. None: the
    row is not plain."""
    values = plain_row(row, policy)
    if values is None:
        return None
    probabilities = values.get("probabilities") or {}
    if "label" not in values:
        values["label"] = _likeliest(probabilities)
    if "confidence" not in values:
        values["confidence"] = probabilities[values["label"]]
    values["text"] = policy.privacy.stored(values["text"])
    if "fields" not in values:
        values["fields"] = {}
    elif not policy.privacy.keep_original:
        values["fields"] = _fields(values["fields"], policy)
    return NewPrediction.made(values)


def _identifier(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None or value == "":
        raise Invalid(f"{name} is missing.", field=name)
    value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    stripped = value.strip() if isinstance(value, str) and value == storable(value) else ""
    if not stripped or len(value) > LONGEST_ID:
        raise Invalid(f"{name} must be a string of 1 to {LONGEST_ID} characters.", field=name)
    return stripped


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid("text must be a string.", field="text")
    if len(value) > LONGEST_TEXT:
        raise Invalid(f"text has {len(value):,} characters; the limit is {LONGEST_TEXT:,}.", field="text")
    return storable(value)


def _address(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 3000 or value != storable(value) or not _is_web_address(value):
        raise Invalid("image_url must be an http or https address of at most 3,000 characters.", field="image_url")
    return value


def _link(value: Any) -> str | None:
    """The link of a row. In a message it stands between < and |, so these characters would end it."""
    if value is None or value == "":
        return None
    words = 'link must be an http or https address of at most 1,000 ASCII characters, without spaces or < > | " `.'
    if not isinstance(value, str) or len(value) > LONGEST_LINK or not _is_web_address(value):
        raise Invalid(words, field="link")
    if not value.isascii() or not value.isprintable() or any(mark in value for mark in '<>|"` '):
        raise Invalid(words, field="link")
    return value


def picture_names(image: Any) -> list[str]:
    """The files that a row names as `image`: one, or a list of them, the most important first. Raises Invalid."""
    if image is None or image == "":
        return []
    names = [image] if isinstance(image, str) else image
    if not isinstance(names, list) or not names or not all(isinstance(one, str) and one for one in names):
        raise Invalid("image must be the name of a file, or a list of names.", field="image")
    if len(names) > MOST_PICTURES:
        words = f"image names {len(names)} files; an input has at most {MOST_PICTURES} pictures."
        raise Invalid(words, field="image")
    return names


def _pictures(row: Mapping[str, Any], pictures: Mapping[str, Decoded | Invalid], policy: QueuePolicy) -> str | None:
    """The address under which the named files will be stored; None: the row names no file. A file that is named twice
    counts once."""
    found = [_picture(name, pictures, policy) for name in picture_names(row.get("image"))]
    return picture_address(*dict.fromkeys(found)) if found else None


def _picture(name: str, pictures: Mapping[str, Decoded | Invalid], policy: QueuePolicy) -> str:
    found = pictures.get(name)
    if found is None:
        remedy = "Send it with the predictions, as multipart/form-data."
        raise Invalid(f"No file “{name[:80]}” came with this prediction. {remedy}", field="image")
    if isinstance(found, Invalid):
        raise found
    require_no_burned_in_text(found, policy)
    return found.sha256


def _is_web_address(value: str) -> bool:
    try:
        return urlsplit(value).scheme in ("http", "https")
    except ValueError:  # e.g. "http://[", an incomplete IPv6 address
        return False


def _fields(value: Any, policy: QueuePolicy) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, OBJECT) or len(value) > MOST_FIELDS:
        raise Invalid(f"fields must be an object with at most {MOST_FIELDS} entries.", field="fields")
    if policy.privacy.keep_original:
        return {
            storable(str(name))[:LONGEST_NAME]: storable(str(content))[:LONGEST_VALUE]
            for name, content in value.items()
        }
    stored = policy.privacy.stored  # masked before they are cut, because a part of a phone number is not recognised
    texts = {storable(str(name)): storable(str(content)) for name, content in value.items()}
    texts = {stored(name[:LONGEST_TEXT]): stored(content[:LONGEST_TEXT]) for name, content in texts.items()}
    return {name[:LONGEST_NAME]: content[:LONGEST_VALUE] for name, content in texts.items()}


def _probabilities(value: Any, policy: QueuePolicy) -> dict[str, float] | None:
    if value is None:
        return None
    if not isinstance(value, OBJECT) or not value:
        raise Invalid("probabilities must be an object of labels and numbers.", field="probabilities")
    _require_labels(value, policy, "probabilities")
    if NUMBERS.issuperset(map(type, value.values())) and _are_probabilities(value.values()):
        return _as_floats(value)
    _require_probabilities(value)
    total = sum(value.values())
    if total > 1 + SUM_TOLERANCE:
        raise Invalid(f"probabilities add up to {total:.3f}, which is more than 1.", field="probabilities")
    return dict(zip(value, map(float, value.values()), strict=True))


def _as_floats(value: Mapping[str, float] | None) -> dict[str, float] | None:
    if value is None or int not in map(type, value.values()):
        return None if value is None else dict(value)
    return {name: float(number) for name, number in value.items()}


def _are_probabilities(numbers: Collection[float]) -> bool:
    """Whether all of them are probabilities. They are checked all at once: with many labels, one by one would take
    longer than the rest of the row. A NaN is not noticed by min and max, but by the sum."""
    return min(numbers) >= 0 and max(numbers) <= 1 and 0 <= sum(numbers) <= 1 + SUM_TOLERANCE


def _require_probabilities(value: Mapping[str, Any]) -> None:
    for name, probability in value.items():
        if not _is_probability(probability):
            raise Invalid(f"probabilities.{name} must be a number from 0 to 1.", field="probabilities")


def _label(value: Any, probabilities: dict[str, float] | None, policy: QueuePolicy) -> str:
    if value is None or value == "":
        if probabilities is None:
            raise Invalid("A prediction needs a label or probabilities.", field="label")
        return _likeliest(probabilities)
    _require_labels([value], policy, "label")
    return str(value)


def _likeliest(probabilities: Mapping[str, float]) -> str:
    """The most likely label; of several, the last by name."""
    values = list(probabilities.values())
    highest = max(values)
    if values.count(highest) == 1:  # mostly; looked for without a step in Python for each label
        return list(probabilities)[values.index(highest)]
    return max(name for name, probability in probabilities.items() if probability == highest)


def _confidence(value: Any, label: str, probabilities: dict[str, float] | None) -> float:
    if value is None or value == "":
        if probabilities is None or label not in probabilities:
            raise Invalid(f"The label “{label}” needs a confidence or a probability.", field="confidence")
        return probabilities[label]
    if not _is_probability(value):
        raise Invalid("confidence must be a number from 0 to 1.", field="confidence")
    return float(value)


def _require_labels(values: Collection[Any], policy: QueuePolicy, where: str) -> None:
    if isinstance(values, OBJECT) and values.keys() <= policy.label_named.keys():
        return
    unknown = [value for value in values if not isinstance(value, str) or value not in policy.label_named]
    if unknown:
        known = ", ".join(policy.label_names[:10]) + (", …" if len(policy.label_names) > 10 else "")
        sentence = f"“{str(unknown[0])[:80]}” is not a label of {policy.name} ({known})."
        raise LabelsOutsidePolicy(sentence, where, [value for value in unknown if isinstance(value, str)])


def _is_probability(value: Any) -> bool:
    return isinstance(value, (float, int)) and not isinstance(value, bool) and 0 <= value <= 1
