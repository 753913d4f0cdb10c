"""Are these five fields a schedule? The worker's clock would find out only when it runs, and then none of the queues
would be retrained; so the policy file is not accepted with one that is not.
"""

import re

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))

_NUMBERS = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", re.ASCII)
_NAMES = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?", re.ASCII | re.IGNORECASE)


def crontab_problem(text: str) -> str | None:
    """What is wrong, in words; None if nothing is. Taken are `*`, numbers, ranges, lists and steps; months also by
    name, weekdays by name only (1 is Monday for cron and Tuesday for APScheduler)."""
    fields = text.split()
    if len(fields) != len(FIELDS):
        return "needs five fields: minute hour day month weekday"
    if any(character.isdigit() for character in fields[4]):
        return "name the weekday (mon, tue, …); numbers mean different days to different programs"
    for field, (name, low, high) in zip(fields, FIELDS, strict=True):
        if not all(_is_span(part, name, low, high) for part in field.split(",")):
            allowed = "mon to sun" if name == "weekday" else f"{low} to {high}"
            return f"the {name} “{field}” must be * or from {allowed}, with ranges like a-b, lists like a,b or steps"
    return None


def _is_span(part: str, name: str, low: int, high: int) -> bool:
    names = {"month": MONTHS, "weekday": WEEKDAYS}.get(name, ())
    named = _NAMES.fullmatch(part)
    if named and names:
        first, last = named[1].lower(), (named[2] or named[1]).lower()
        return first in names and last in names and names.index(first) <= names.index(last)
    match = _NUMBERS.fullmatch(part)
    if match is None:
        return False
    start = low if match[1] is None else int(match[1])
    end = int(match[2]) if match[2] else high if match[3] or match[1] is None else start
    return low <= start <= end <= high and (match[3] is None or 1 <= int(match[3]) <= end - start)
