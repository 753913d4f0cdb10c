"""Work after the acknowledgement: receipts, forms, the Home tab, news about people, so that no listener waits for Slack
while Slack waits for the listener. Receipts are said on an event loop, and one pool of threads runs all else.

This work may be lost with its process; work that must not be lost is a row, done by the worker.
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
    """Threads are started as they are needed, and kept."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="after-ack")
        self.response_urls = ResponseUrls()
        self.tell = self.response_urls.tell

    def run(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call it in another thread, under the log context of this one. Never raises: the listener's work is stored."""
        try:
            self._pool.submit(_logged, bound_fields(), function, *args, **kwargs)
        except RuntimeError:  # closed
            log.info("Work after the acknowledgement dropped at shutdown", extra={"work": function.__name__})

    def close(self) -> None:
        """Finish what was handed over, for at most `STOP_SECONDS`; what has not begun by then is dropped."""
        ending = threading.Thread(target=self._pool.shutdown, daemon=True, name="after-ack-ending")
        ending.start()
        ending.join(STOP_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.response_urls.close()


def _logged(context: Mapping[str, object], function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
    """An unexpected exception is logged here, once: there is no caller that could."""
    with bound(**context):
        try:
            function(*args, **kwargs)
        except Refusal as refusal:
            log.info("Work after the acknowledgement refused", extra={"code": refusal.code, "work": function.__name__})
        except Exception as error:
            extra = {"reference": uuid.uuid4().hex[:8], "work": function.__name__}
            log.error("Work after the acknowledgement failed", exc_info=error, extra=extra)
