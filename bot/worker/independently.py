"""Work on rows that do not count attempts, one by one: a failure on one row does not stop the others."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from core.errors import DatabaseUnavailable, ModelUnavailable
from core.storage.database_errors import Seldom

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

HOUR = 60.0 * 60  # between two log lines about the same row
_seldom = Seldom(HOUR)


def for_each(things: Iterable[T], act: Callable[[T], R], what: str) -> list[R]:
    """Call a function for each thing; returns the results of the calls that succeeded. what: names the work in the log.
    Raises DatabaseUnavailable, which is not the fault of any of them."""
    results = []
    for thing in things:
        try:
            results.append(act(thing))
        except DatabaseUnavailable:
            raise
        except ModelUnavailable as away:  # the service is asked again at the next interval
            if _seldom.may_say(f"{what} {getattr(thing, 'name', '')} unavailable"):
                log.warning("Model unavailable", extra={"work": what, "reason": str(away)})
        except Exception:
            name = str(getattr(thing, "name", thing))  # a queue's whole policy is too long for a line
            if _seldom.may_say(f"{what} {name}"):
                log.exception("Work on one row failed", extra={"work": what, "of": name})
    return results
