"""The executor of a command: it runs the computing part of a job in a thread, so that Ctrl-C and a cancelled job end
the wait at once. The thread is left behind, and ends with the process."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from core.jobs import Check, Report, unchecked

T = TypeVar("T")
CHECK_SECONDS = 0.5  # between two calls of `check`


def execute_in_thread(function: Callable[..., T], *arguments: Any, report: Report, check: Check = unchecked) -> T:
    """An `Execute` in a thread of this process. If `check` raises, the thread goes on until the process ends, which
    should be soon."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(function(*arguments, report))
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            future.set_exception(error)

    threading.Thread(target=work, daemon=True, name="work").start()
    while not wait((future,), CHECK_SECONDS).done:
        check()
    return future.result()
