"""The question of a review item: what it is about, and the content that people see.

Most items are about a prediction. People are asked again about a stored label too: that of a golden example, or of a
training row, whose content is in a seed example or in the corrected prediction. And they are asked whether a text
that a language model wrote deserves the label that it was written for. All code that shows an item's content
reads it here. Statements that join items to predictions to judge a model add `ABOUT_PREDICTION`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVarTuple

from sqlalchemy import Select, func

from core.records.learning import GoldenExample, SeedExample
from core.records.predictions import Prediction
from core.records.reviews import ReviewItem
from core.records.synthetic import SyntheticText
from core.vocabulary import QuestionAbout

Asked = TypeVarTuple("Asked")

# Of a statement that `with_content` has joined.
TEXT = func.coalesce(Prediction.text, GoldenExample.text, SeedExample.text, SyntheticText.text)
CONTENT_HASH = func.coalesce(
    Prediction.content_hash, GoldenExample.content_hash, SeedExample.content_hash, SyntheticText.content_hash
)
ERASED_AT = func.coalesce(
    Prediction.erased_at, GoldenExample.erased_at, SeedExample.erased_at, SyntheticText.erased_at,
    type_=Prediction.erased_at.type,
)  # fmt: skip
ABOUT_PREDICTION = ReviewItem.about == QuestionAbout.PREDICTION


@dataclass(frozen=True)
class Question:
    """What people are asked. name: the sender's id of the input, or what the example is called here. prediction: the
    one that the item is about, with the model's label and its flags; None where people are asked about a stored label:
    no suggestion is shown, and no model is judged by the answer. written_for: the label for which a language model
    wrote the text; None: a person wrote it."""

    about: QuestionAbout
    name: str
    text: str
    image_url: str | None
    fields: Mapping[str, str]
    content_hash: str
    erased_at: datetime | None
    prediction: Prediction | None
    written_for: str | None = None


def question_of(item: ReviewItem) -> Question:
    if item.prediction is not None:
        return _of_prediction(item.about, item.prediction)
    if item.golden is not None:
        return _of_example(item.about, f"golden example {item.golden.id}", item.golden)
    if item.synthetic is not None:
        return _of_written(item.about, item.synthetic)
    assert item.seed is not None, "the table's constraint"
    return _of_example(item.about, f"seed example {item.seed.id}", item.seed)


def with_content(items: Select[*Asked]) -> Select[*Asked]:
    """Join the four tables that may hold the content of an item to a statement about items. One of them has it."""
    return (
        items.outerjoin(Prediction, Prediction.id == ReviewItem.prediction_id)
        .outerjoin(GoldenExample, GoldenExample.id == ReviewItem.golden_id)
        .outerjoin(SeedExample, SeedExample.id == ReviewItem.seed_id)
        .outerjoin(SyntheticText, SyntheticText.id == ReviewItem.synthetic_id)
    )


def _of_prediction(about: QuestionAbout, row: Prediction) -> Question:
    return Question(
        about=about,
        name=row.external_id,
        text=row.text,
        image_url=row.image_url,
        fields=row.fields,
        content_hash=row.content_hash,
        erased_at=row.erased_at,
        prediction=row if about is QuestionAbout.PREDICTION else None,
    )


def _of_written(about: QuestionAbout, row: SyntheticText) -> Question:
    name = f"synthetic text {row.id}"
    return Question(about, name, row.text, None, {}, row.content_hash, row.erased_at, None, row.batch.label)


def _of_example(about: QuestionAbout, name: str, row: GoldenExample | SeedExample) -> Question:
    """The question about an example. A seed example has no fields."""
    fields = row.fields if isinstance(row, GoldenExample) else {}
    return Question(about, name, row.text, row.image_url, fields, row.content_hash, row.erased_at, None)
