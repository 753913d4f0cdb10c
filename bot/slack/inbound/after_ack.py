"""Work after the acknowledgement: receipts, forms, the Home tab, news about people. No listener waits for Slack while
Slack waits for the listener. Receipts are sent on an event loop; a pool of threads does all other work.

This work is lost if its process ends. Work that must not be lost is a row, done by the worker.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec

from bot.observability.log_context import bound, bound_fields
from bot.slack.inbound.response_url import ResponseUrls
from core.errors import Refusal

THREADS = 32  # each waits for an answer of Slack most of its time; no others are made for this, Bolt's pool stays empty
STOP_SECONDS = 5.0  # for what is under way when the process ends

P = ParamSpec("P")

log = logging.getLogger(__name__)


class AfterAck:
    """The pool of threads. They are started when they are needed, and kept."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="after-ack")
        self.response_urls = ResponseUrls()
        self.tell = self.response_urls.tell

    def run(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call the function in another thread, under the log context of this one. Never raises: the listener's own work
        is stored already."""
        try:
            self._pool.submit(_logged, bound_fields(), function, *args, **kwargs)
        except RuntimeError:  # closed
            log.info("Work after the acknowledgement dropped at shutdown", extra={"work": function.__name__})

    def close(self) -> None:
        """Finish the work that was handed over, for at most `STOP_SECONDS`. Work that has not begun by then is
        dropped."""
        ending = threading.Thread(target=self._pool.shutdown, daemon=True, name="after-ack-ending")
        ending.start()
        ending.join(STOP_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.response_urls.close()


def _logged(context: Mapping[str, object], function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
    """Run it and log an unexpected exception: there is no caller that could."""
    with bound(**context):
        try:
            function(*args, **kwargs)
        except Refusal as refusal:
            log.info("Work after the acknowledgement refused", extra={"code": refusal.code, "work": function.__name__})
        except Exception as error:
            extra = {"reference": uuid.uuid4().hex[:8], "work": function.__name__}
            log.error("Work after the acknowledgement failed", exc_info=error, extra=extra)
