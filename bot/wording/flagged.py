"""Sentences that tell a person the outcome of a message that they flagged."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.wording.format import Format
from core.vocabulary import shown_answer

ORIGIN = re.compile(r"slack:([A-Z0-9_]+):(\d{1,12})\.\d{6}")  # the id under which a flagged message is stored

Moment = Callable[[datetime], str]


def flagged_settled(values: Mapping[str, Any], moment: Moment, form: Format) -> str:
    """The outcome of a flagged message. values: those of `NoticeKind.FLAGGED_SETTLED`; moment: writes a time."""
    who = "A lead" if values["by_lead"] else "The reviewers"
    label, model_label = values["label"], values["model_label"]
    answer = form.text(shown_answer(label)) if label else "none of the labels fits"
    model = "" if model_label is None else f" The model had said {form.text(model_label)}."
    same = " The model had said the same." if label is not None and label == model_label else model
    return f"{_opening(values, moment, form)} {who} decided: {answer}.{same}"


def flagged_erased(values: Mapping[str, Any], moment: Moment, form: Format) -> str:
    """The sentence on an erased message. values: those of `NoticeKind.FLAGGED_ERASED`."""
    return f"{_opening(values, moment, form)} Its text was erased before anything was decided, so the item is closed."


def _opening(values: Mapping[str, Any], moment: Moment, form: Format) -> str:
    found = ORIGIN.fullmatch(values["external_id"])
    if found is None:
        return f"You flagged {form.text(values['external_id'])} for review (item {values['item']})."
    at = datetime.fromtimestamp(int(found[2]), UTC)
    return f"You flagged a message from {moment(at)} in <#{found[1]}> for review (item {values['item']})."
