"""A probe: a question that may hang, with a time limit."""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


class Probe(Generic[T]):
    """Asks one question at a time. While an earlier one hangs, no thread is started, so that a dead network does not
    pile up threads."""

    def __init__(self, question: Callable[[], T], seconds: float) -> None:
        self._question, self._seconds = question, seconds
        self._asking = threading.Lock()

    def ask(self) -> T | None:
        """The answer; None if it failed or did not come in time."""
        if not self._asking.acquire(timeout=self._seconds):
            return None
        answers: list[T] = []
        thread = threading.Thread(target=self._run, args=(answers,), daemon=True, name="probe")
        thread.start()
        thread.join(self._seconds)
        return answers[0] if answers else None

    def _run(self, answers: list[T]) -> None:
        try:
            answers.append(self._question())
        except Exception as error:  # noqa: BLE001 - probes repeat every few seconds: no traceback each time
            log.info("Health probe failed", extra={"reason": f"{type(error).__name__}: {error}".splitlines()[0]})
        finally:
            self._asking.release()
