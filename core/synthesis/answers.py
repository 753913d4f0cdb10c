"""The texts in an answer of a language model. No part of an answer is trusted: it may be cut, a refusal, or something
else altogether."""

import json
import re
from dataclasses import dataclass
from typing import Any

from core.text.storable import storable
from core.vocabulary import CallProblem

MOST_TEXTS = 50  # texts of one answer; further ones are left out
LONGEST = 2000  # characters of a text; the guards leave out far shorter ones

_LEAD = re.compile(r"^\s*(?:(?:[QA]|Text|Message)\s*:|\(?\d{1,2}[.):]|[-*•])\s*", re.IGNORECASE)
_QUOTES = {"“": "”", '"': '"', "«": "»", "„": "“"}


@dataclass(frozen=True)
class Written:
    """The texts of an answer. tokens_in, tokens_out: as the model's server counts them; None: it gave no number.
    problem: None: the answer is complete."""

    texts: tuple[str, ...]
    tokens_in: int | None = None
    tokens_out: int | None = None
    problem: CallProblem | None = None


def read_answer(body: str) -> Written:
    """Read an answer. body: of OpenAI's chat format, verbatim."""
    answer = _parsed(body)
    usage = _dict(answer.get("usage"))
    tokens = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    choices = answer.get("choices")
    if not isinstance(choices, list):
        return Written((), *tokens, CallProblem.WRONG_SHAPE)
    choice = _dict(choices[0]) if choices else {}
    message = _dict(choice.get("message"))
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        return Written((), *tokens, CallProblem.REFUSED)
    content = message.get("content")
    if not isinstance(content, str) or not content.strip():
        return Written((), *tokens, CallProblem.EMPTY)
    if choice.get("finish_reason") == "length":
        return Written(_cleaned(_whole(content)), *tokens, CallProblem.CUT)
    found = _parsed(content).get("texts")
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        return Written((), *tokens, CallProblem.WRONG_SHAPE)
    texts = _cleaned(found)
    return Written(texts, *tokens, None if texts else CallProblem.EMPTY)


def _parsed(text: str) -> dict[str, Any]:
    try:
        return _dict(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def _whole(cut: str) -> list[str]:
    """The whole texts of a cut answer: without the last one, unless its closing quote is there."""
    decoder, found = json.JSONDecoder(), []
    at = cut.find("[") + 1
    while at and (opening := re.compile(r'[\s,]*(?=")').match(cut, at)):
        try:
            text, at = decoder.raw_decode(cut, opening.end())
        except ValueError:
            break
        found.append(text)
    return found


def _cleaned(texts: list[str]) -> tuple[str, ...]:
    found = [_bare(storable(text[: 2 * LONGEST]))[:LONGEST] for text in texts[:MOST_TEXTS]]
    return tuple(text for text in found if text)


def _bare(text: str) -> str:
    """The text without "A:", "2." and quotes around it."""
    text = _LEAD.sub("", " ".join(text.split()), count=1).strip()
    return text[1:-1].strip() if len(text) > 1 and _QUOTES.get(text[0]) == text[-1] else text
