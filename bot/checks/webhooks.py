"""Other systems: can what they are told be signed, and did they hear it?"""

from bot.checks.finding import Findings, bad, good
from bot.webhooks import signing_secret
from core.delivery.webhook_log import endpoint_lines
from core.errors import Invalid
from core.policy import Policy
from core.storage.database import Database


def webhooks(database: Database, policy: Policy) -> Findings:
    for endpoint in policy.webhooks:
        try:
            signing_secret(endpoint.name)
        except Invalid as problem:
            yield bad("webhooks", str(problem), "Make one with `goldloop webhooks secret`, and set it for the worker.")
    with database.reading() as session:
        dead = [line for line in endpoint_lines(session) if line.dead]
    for line in dead:
        words = f"{line.dead} events never reached {line.endpoint}"
        yield bad("webhooks", words, "See why with `goldloop webhooks`, mend it, then `goldloop webhooks replay`.")
    if policy.webhooks and not dead:
        yield good("webhooks", f"no event was given up for {', '.join(one.name for one in policy.webhooks)}")
