"""Requests from Slack, by socket or HTTP. Each gets an id, which its log lines carry, and is timed."""

import asyncio
import logging
import random
import re
import time
from binascii import a2b_qp
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import wait
from contextlib import contextmanager
from urllib.parse import unquote_to_bytes

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk import WebClient

from bot.observability.log_context import bound
from bot.observability.metrics import ACKNOWLEDGED
from bot.slack.inbound import payloads
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.payload_schema import PARSED, Payload, parse, parse_json
from bot.slack.inbound.pending import KindOfVote, Pending, TakeVote, kind_of_vote
from bot.slack.inbound.refusals import Refuse
from bot.slack.inbound.vote_collector import VoteCollector
from core.errors import NotAllowed
from core.review.votes import Receipt
from core.storage.deadlines import finished_within

log = logging.getLogger(__name__)

KINDS = frozenset({"block_actions", "view_submission", "view_closed", "block_suggestion", "message_action", "shortcut"})

# Seconds until a request has to be answered; Slack shows ⚠ after 3, and a busy machine needs some of these itself.
ANSWERED_WITHIN = 1.5
ELSEWHERE = "People from other workspaces can't act here."
WRAPPED = b"payload="
SUBJECT = re.compile(r"([0-9]{1,18})(?:\.[0-9]{1,18})?(\||$)")
UNREADABLE = (ValueError, RecursionError, TypeError, AttributeError, KeyError)


def unwrapped(body: bytes) -> str:
    """The JSON of a form, or any other body as it is. Raises UnicodeDecodeError."""
    json = _wrapped_json(body)
    return (body if json is None else json).decode()


def read_vote(body: bytes) -> Payload | None:
    """The vote that Slack sent over HTTP; None: the request is no vote. Votes do not need Bolt, which would take half
    of the time before a vote is cast."""
    json = _wrapped_json(body)
    parsed = parse_json(json) if json else None
    return parsed if parsed is not None and kind_of_vote(parsed) else None


def _wrapped_json(body: bytes) -> bytes | None:
    """The JSON of a form; None: the body is something else."""
    if not body.startswith(WRAPPED) or b"&" in body:
        return None
    return _unquoted(body[len(WRAPPED) :].replace(b"+", b" "))


def _unquoted(coded: bytes) -> bytes:
    """Decode %XX. Decoding as quoted-printable, which differs only in the sign before the two digits, is ten times as
    fast. Bodies in which quoted-printable would mean something else, and invalid codes, are left to urllib."""
    if not any(sign in coded for sign in (b"=", b"\r", b"\n")):
        decoded = a2b_qp(coded.replace(b"%", b"="))
        if len(coded) - len(decoded) == 2 * coded.count(b"%"):
            return decoded
    return unquote_to_bytes(coded)


def read_request(make: Callable[[], BoltRequest]) -> BoltRequest | None:
    """The request that Slack sent, by socket or over HTTP; None: Slack never sends such a request. Bolt reads the
    payload while it makes its request, and fails if the payload is nested too deeply or has the wrong shape. Listeners
    get the parsed payload as their argument `parsed`."""
    try:
        made = make()
    except UNREADABLE:
        return None
    parsed = parse(made.body)
    if parsed is None:
        return None
    made.context[PARSED] = parsed
    return made


class TimedApp(App):
    """The Bolt app, with a time limit from a request's arrival to its answer. The limit holds for all that a listener
    does before it answers, however many transactions that is; work after the answer has limits of its own.

    Votes bypass Bolt, and are answered when they are decided (pending.py).
    """

    def __init__(
        self, slack: WebClient, after_ack: AfterAck, votes: VoteCollector, refuse: Refuse, team: str | None
    ) -> None:
        """team: the workspace whose people may vote."""
        super().__init__(
            name="goldloop",  # otherwise Bolt searches the sources of all callers for a name, which takes 0.1 s
            client=slack,
            process_before_response=True,
            request_verification_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        self.after_ack = after_ack
        self._votes, self._refuse, self._team = votes, refuse, team
        self.takes: Mapping[KindOfVote, TakeVote] = {}

    def take_votes(self, takes: Mapping[KindOfVote, TakeVote]) -> None:
        """Set the functions that hand each kind of vote to the collector."""
        self.takes = takes

    def stop_votes(self) -> None:
        """Take no further votes; those under way are committed or refused. Safe to repeat."""
        self._votes.close()

    def close(self) -> None:
        """Finish the work that follows acknowledgements, such as receipts; called after the last request."""
        self.stop_votes()
        self.after_ack.close()

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        parsed: Payload = req.context[PARSED]
        if kind := kind_of_vote(parsed):
            return self._voted(kind, parsed)
        with _timed(parsed):
            return super().dispatch(req)

    def _voted(self, kind: KindOfVote, parsed: Payload) -> BoltResponse:
        with _timed(parsed):
            taken = self._taken(kind, parsed)
            if isinstance(taken, BoltResponse):
                return taken
            wait([taken.receipt])
            return self._decided(parsed, taken, taken.receipt.exception() or taken.receipt.result())

    async def vote(self, parsed: Payload) -> BoltResponse:
        """The same as `_voted` on an event loop: other requests are answered while the vote is decided."""
        kind = kind_of_vote(parsed)
        assert kind is not None
        with _timed(parsed):
            taken = self._taken(kind, parsed)
            if isinstance(taken, BoltResponse):
                return taken
            return self._decided(parsed, taken, await _outcome(taken))

    def _taken(self, kind: KindOfVote, parsed: Payload) -> Pending | BoltResponse:
        """Hand the vote to the collector; or answer it, if it is of another workspace or of an older version, or comes
        after `stop_votes`."""
        try:
            if payloads.team(parsed) not in (None, self._team):
                raise NotAllowed(ELSEWHERE)
            return self.takes[kind](parsed)
        except Exception as error:  # noqa: BLE001 - it is answered, and logged there
            return self._refuse(error, parsed)

    def _decided(self, parsed: Payload, taken: Pending, outcome: Receipt | BaseException) -> BoltResponse:
        if isinstance(outcome, Exception):
            return self._refuse(outcome, parsed, taken.refused)
        assert isinstance(outcome, Receipt), "the collector reports nothing else"
        try:
            taken.then(outcome)
        except Exception as error:
            log.error("Receipt failed", exc_info=error)  # the vote is stored
        return BoltResponse(status=200)


@contextmanager
def _timed(parsed: Payload) -> Iterator[None]:
    start = time.monotonic()
    kind = kind_of(parsed)
    try:
        with (
            bound(request=f"{random.getrandbits(48):012x}", kind=kind, **subject_of(parsed)),
            finished_within(ANSWERED_WITHIN),
        ):
            yield
    finally:
        ACKNOWLEDGED.labels(kind).observe(time.monotonic() - start)


async def _outcome(pending: Pending) -> Receipt | BaseException:
    """Wait for the outcome on the event loop on which the vote was taken: the collector reports it there."""
    is_told = asyncio.Event()
    pending.receipt.add_done_callback(lambda _receipt: is_told.set())
    await is_told.wait()
    return pending.receipt.exception() or pending.receipt.result()


def kind_of(payload: Payload) -> str:
    """The kind of a payload for metrics: one of a few words, since each is a time series of its own."""
    if payload.command:
        return "command"
    if payload.type == "event_callback":
        return "event"
    return payload.type if payload.type in KINDS else "other"


def subject_of(payload: Payload) -> dict[str, int]:
    """The id of the item or model that a control or a form is about, for log lines."""
    carried = ""
    if payload.actions:
        carried = payload.actions[0].value
    elif payload.view:
        carried = payload.view.private_metadata
    found = SUBJECT.match(carried)
    return {"subject": int(found[1])} if found else {}
