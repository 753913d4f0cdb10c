"""The policy file."""

import os
from collections.abc import Generator
from pathlib import Path

from bot.checks.finding import Finding, bad, good, note
from core.errors import Refusal
from core.policy import Policy
from core.policy.file import load_policy


def readable_policy(path: Path) -> Generator[Finding, None, Policy | None]:
    """Load the policy file. Returns the policy, or None if it cannot be loaded."""
    try:
        policy = load_policy(path)
    except Refusal as refusal:
        yield bad("policy", str(refusal), _remedy(path))
        return None
    names = ", ".join(queue.name for queue in policy.queues)
    yield good("policy", f"{path}: {names}")
    for queue in policy.queues:
        for key in queue.idle_margins:
            words = f"queues.{queue.name}.{key} can never flag a prediction: below it, `confidence` flags it already."
            yield note("policy", words, "Raise it above 2 × `confidence` - 1, or remove it.")
    return policy


def _remedy(path: Path) -> str:
    if not path.exists():
        return "Run `goldloop init`, or set GOLDLOOP_POLICY."
    if not os.access(path, os.R_OK):
        return "Give Goldloop's user permission to read it."
    return "Fix this in the file."
