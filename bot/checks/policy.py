"""The policy file."""

from collections.abc import Generator
from pathlib import Path

from bot.checks.finding import Finding, bad, good
from core.errors import Refusal
from core.policy import Policy
from core.policy.file import load_policy


def readable_policy(path: Path) -> Generator[Finding, None, Policy | None]:
    """Returns the policy, or None if it cannot be loaded."""
    try:
        policy = load_policy(path)
    except Refusal as refusal:
        remedy = "Run `goldloop init`, or set GOLDLOOP_POLICY." if not path.exists() else "Fix this in the file."
        yield bad("policy", str(refusal), remedy)
        return None
    except OSError as error:
        yield bad("policy", f"{path} cannot be read: {error.strerror}.", "Give Goldloop's user permission to read it.")
        return None
    names = ", ".join(queue.name for queue in policy.queues)
    yield good("policy", f"{path}: {names}")
    return policy
