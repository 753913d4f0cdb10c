"""Lazy listeners that share the payload they are about.

Bolt parses the whole request anew and copies it for each lazy listener, the message with all its blocks included: a
sixth of the processor time of a click. Ours only read what they are given, so they are given the same.
"""

import copy

from slack_bolt import App, BoltContext, BoltRequest
from slack_bolt.listener.thread_runner import ThreadListenerRunner


class SharingRunner(ThreadListenerRunner):
    """A context of its own for each, the payload for all."""

    def _build_lazy_request(self, request: BoltRequest, lazy_func_name: str) -> BoltRequest:
        shared = copy.copy(request)
        shared.context = BoltContext(request.context)
        shared.lazy_only, shared.lazy_function_name = True, lazy_func_name
        return shared


def share_payloads(app: App) -> None:
    """Before any request comes."""
    app._listener_runner = SharingRunner(**vars(app.listener_runner))
