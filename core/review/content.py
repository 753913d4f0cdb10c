"""The content of an input as people may see it: masked as the policy says, with a placeholder where it was erased.
All code that shows or exports content uses it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from core.learning.data.inputs import Input
from core.policy import QueuePolicy
from core.review.questions import Question

ERASED = "(erased)"


@dataclass(frozen=True)
class Content:
    text: str
    image_url: str | None
    fields: dict[str, str]


def shown_content(question: Question, queue: QueuePolicy) -> Content:
    """The content as people may see it. The names of fields are chosen by the sender and not masked; their values
    are."""
    return Content(
        text=shown_text(question.text, question.erased_at, queue),
        image_url=question.image_url,
        fields=_shown_fields(question.fields, queue),
    )


def shown_input(input: Input, queue: QueuePolicy) -> Input:
    """The same as `shown_content` for an input. An erased input is empty and stays so."""
    return replace(input, text=queue.privacy.shown(input.text), fields=_shown_fields(input.fields, queue))


def shown_text(text: str, erased_at: datetime | None, queue: QueuePolicy) -> str:
    return ERASED if erased_at else queue.privacy.shown(text)


def _shown_fields(fields: Mapping[str, str], queue: QueuePolicy) -> dict[str, str]:
    return {name: queue.privacy.shown(value) for name, value in fields.items()}
