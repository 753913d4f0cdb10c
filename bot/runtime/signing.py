"""Signatures of the requests that Goldloop sends to other systems, by the Standard Webhooks convention."""

import os
from datetime import datetime

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from core.errors import Invalid
from core.policy.integrations import secret_variable


def signing_secret(endpoint: str) -> Webhook:
    """The endpoint's secret, from the environment. Raises Invalid, naming the variable."""
    name = secret_variable(endpoint)
    try:
        return Webhook(os.environ[name])
    except KeyError:
        raise Invalid(f"{name} is not set, so webhooks to {endpoint} cannot be signed.") from None
    except (ValueError, EmptyWebhookSecretError):
        raise Invalid(f"{name} is not a secret of the form whsec_… (base64).") from None


def signed_headers(endpoint: str, named: str, now: datetime, body: str) -> dict[str, str]:
    """The headers of a request with this body. named: the id of the request; receivers skip an id that they have seen.
    Raises Invalid as `signing_secret` does."""
    return {
        "content-type": "application/json",
        "webhook-id": named,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signing_secret(endpoint).sign(named, now, body),
    }
