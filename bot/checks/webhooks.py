"""Webhooks: each endpoint needs a signing secret, and no delivery may be dead."""

from bot.checks.finding import Findings, bad, good
from bot.runtime.signing import signing_secret
from core.delivery.webhook_log import endpoint_lines
from core.errors import Invalid
from core.policy import Policy
from core.storage.database import Database


def webhooks(database: Database, policy: Policy) -> Findings:
    for endpoint in policy.webhooks:
        try:
            signing_secret(endpoint.name)
        except Invalid as problem:
            yield bad(
                "webhooks", str(problem), "Create one with `goldloop webhooks secret`, and set it for the worker."
            )
    with database.reading() as session:
        dead = [line for line in endpoint_lines(session) if line.dead]
    for line in dead:
        words = f"{line.dead} {'delivery' if line.dead == 1 else 'deliveries'} to {line.endpoint} failed permanently."
        yield bad(
            "webhooks", words, "Run `goldloop webhooks` to see why, fix the cause, then run `goldloop webhooks replay`."
        )
    if policy.webhooks and not dead:
        yield good("webhooks", f"no failed deliveries to {', '.join(one.name for one in policy.webhooks)}")
