"""The canonical text of a policy, with every value, defaults included: equal policies have equal texts."""

import hashlib
import json
from typing import Any

from pydantic import ValidationError

from core.errors import Invalid
from core.policy.whole import Policy


def canonical_text(policy: Policy) -> str:
    """The policy as JSON with sorted keys."""
    return json.dumps(policy.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)


def policy_fingerprint(policy: Policy) -> str:
    """16 hex digits of a hash over every value of the policy."""
    return hashlib.sha256(canonical_text(policy).encode()).hexdigest()[:16]


def parse_canonical(text: str) -> Policy:
    """The policy of a stored text. Settings that this release does not know are left out: a newer release, beside which
    this one may still run, has stored them. Raises Invalid, naming the first setting that does not fit."""
    document = json.loads(text)
    try:
        return Policy.model_validate(document)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
    unknown = [problem["loc"] for problem in problems if problem["type"] == "extra_forbidden"]
    if not unknown:
        inmost = max(problems, key=lambda problem: len(problem["loc"]))  # a list is too short without its invalid entry
        where = ".".join(str(part) for part in inmost["loc"])
        raise Invalid(f"{where}: {inmost['msg'].removeprefix('Value error, ')}")
    for path in unknown:
        _remove(document, path)
    return parse_canonical(json.dumps(document))


def _remove(document: Any, path: tuple[int | str, ...]) -> None:
    *parents, key = path
    for part in parents:
        document = document[part]
    del document[key]
