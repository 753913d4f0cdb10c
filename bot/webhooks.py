"""Delivery of webhooks, signed by the Standard Webhooks convention and retried until the endpoint accepts them."""

import asyncio
import json
import logging
import time
from datetime import datetime
from hashlib import sha256

from bot.runtime.retry_after import seconds_asked
from bot.runtime.services import Services
from bot.runtime.signing import signed_headers
from core.delivery.webhooks import Attempted, DueEvent, address, claim_next_delivery, is_waiting, note_attempt
from core.errors import Invalid
from core.policy.integrations import WebhookEndpoint
from core.storage.database import PATIENT
from core.vocabulary import DeliveryState

log = logging.getLogger(__name__)

TIMEOUT = 10.0  # seconds for a whole attempt; slower endpoints should answer first and work afterwards
GONE = 410  # means "stop sending" by the convention


def deliver_next_event(services: Services) -> bool:
    """Create the deliveries of new events, then make one attempt. True if there may be more."""
    endpoints, now = services.policy.webhooks, services.clock()
    with services.database.reading(wait=PATIENT) as session:
        if not is_waiting(session, endpoints, now):
            return False
    with services.database.transaction(wait=PATIENT) as session:
        address(session, endpoints, now)
        due = claim_next_delivery(session, endpoints, services.process, now)
    if due is None:
        return False
    endpoint = next(one for one in endpoints if one.name == due.endpoint)
    attempt = attempted(endpoint, services, due)
    state = services.database.retry_until_committed(
        lambda session: note_attempt(session, due.delivery_id, attempt, services.clock())
    )
    if attempt.is_ours and state is DeliveryState.DEAD:
        log.error("Webhook delivery given up", extra={"delivery": due.delivery_id, "reason": attempt.outcome})
    return True


def attempted(endpoint: WebhookEndpoint, services: Services, due: DueEvent) -> Attempted:
    """Make one attempt. Returns its outcome, also for every error."""
    import httpx  # loads Rich, 5 MB, which a process without webhooks does not need

    began = time.monotonic()
    try:
        status, retry_after = _posted(endpoint, services, due)
    except TimeoutError:
        return Attempted(None, f"no answer within {TIMEOUT:g} seconds", _since(began))
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        Invalid,
        ValueError,
        OSError,
    ) as error:  # errors from addresses, proxies and certificate files
        said = str(error) if isinstance(error, Invalid) else f"no answer ({type(error).__name__})"
        return Attempted(None, said, _since(began))
    except Exception as error:
        log.warning("Webhook delivery failed", extra={"delivery": due.delivery_id}, exc_info=error)
        return Attempted(None, f"{type(error).__name__} in sending it", _since(began), is_ours=True)
    outcome = f"{status} {httpx.codes.get_reason_phrase(status)}".strip()
    delivered, gone = 200 <= status < 300, status == GONE
    return Attempted(status, outcome, _since(began), delivered, gone, seconds_asked(retry_after))


def webhook_id(event_id: int, happened_at: datetime) -> str:
    """A unique id of the event, the same for every attempt. It includes the event's time, because two databases, or one
    restored from a backup, use the same numbers."""
    return f"evt_{event_id}_{sha256(happened_at.isoformat().encode()).hexdigest()[:12]}"


def _posted(endpoint: WebhookEndpoint, services: Services, due: DueEvent) -> tuple[int, str]:
    """Send the event; returns status and Retry-After. Raises httpx's errors, TimeoutError or Invalid."""
    now = services.clock()
    message = {"type": due.kind, "timestamp": due.happened_at.isoformat(), "data": due.data}
    body, named = json.dumps(message, ensure_ascii=False), webhook_id(due.event_id, due.happened_at)
    headers = signed_headers(endpoint.name, named, now, body)
    loop = asyncio.new_event_loop()  # asyncio.run would wait for a DNS lookup that hangs
    try:
        return loop.run_until_complete(_response(endpoint.url, body.encode(), headers))
    finally:
        loop.close()


async def _response(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """POST the body. One timeout covers everything, because httpx's own restarts with each byte. Redirects are not
    followed: events go only to the address in the policy."""
    import httpx

    async with (
        asyncio.timeout(TIMEOUT),
        httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False) as client,
        client.stream("POST", url, content=body, headers=headers) as answer,  # the answer's body is not read
    ):
        return answer.status_code, answer.headers.get("retry-after", "")


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
