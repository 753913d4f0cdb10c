"""Loading of the policy file. An error names the file, the key, the value and what is allowed."""

import logging
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from core.errors import Invalid
from core.policy.integrations import ApiPolicy, WebhookEndpoint
from core.policy.queue import QueuePolicy
from core.policy.whole import Policy
from core.vocabulary import EventKind

log = logging.getLogger(__name__)

Part = TypeVar("Part", bound=BaseModel)


def load_policy(path: Path) -> Policy:
    """Read and validate a policy file. Raises Invalid, naming the file, the key, the value and what is allowed. A
    margin that can never flag a prediction is logged."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Invalid(
            f"There is no policy file {path}. Create one with `goldloop init`, or set GOLDLOOP_POLICY."
        ) from None
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{path}: not valid TOML: {error}.") from None
    policy = parse_policy(document, str(path))
    for queue in policy.queues:
        for key in queue.idle_margins:
            log.warning("A margin can never flag a prediction", extra={"queue": queue.name, "setting": key})
    return policy


def parse_policy(document: dict[str, Any], source: str) -> Policy:
    """The policy of a document. document: a parsed TOML file; source: its name in errors."""
    unknown = sorted(set(document) - {"queues", "api", "webhooks"})
    if unknown:
        raise Invalid(
            f"{source}: {unknown[0]} is not a known section. Valid sections are [queues.NAME], [api] and "
            "[webhooks.NAME]; see `goldloop docs policy`."
        )
    queues = _named(QueuePolicy, document, "queues", source)
    if not queues:
        raise Invalid(f"{source}: the [queues.NAME] section is missing; define at least one queue.")
    api = _section(ApiPolicy, document.get("api", {}), "api", source)
    webhooks = _named(WebhookEndpoint, document, "webhooks", source)
    _check_queues_of(webhooks, {queue.name for queue in queues}, source)
    _check_services_of(queues, webhooks, source)
    return Policy(queues=queues, api=api, webhooks=webhooks)


def _named(kind: type[Part], document: dict[str, Any], title: str, source: str) -> tuple[Part, ...]:
    """The sections [title.NAME], in the order of the file."""
    sections = document.get(title) or {}
    if not isinstance(sections, dict):
        raise Invalid(f"{source}: {title} must be a section with a name, like [{title}.NAME].")
    return tuple(_section(kind, values, f"{title}.{name}", source, name=name) for name, values in sections.items())


def _section(kind: type[Part], values: Any, title: str, source: str, **more: Any) -> Part:
    if not isinstance(values, dict):
        raise Invalid(f"{source}: {title} must be a section, like [{title}].")
    try:
        return kind.model_validate({**values, **more})
    except ValidationError as error:
        raise Invalid(_sentences(error, title, source)) from None


def _check_queues_of(webhooks: tuple[WebhookEndpoint, ...], known: set[str], source: str) -> None:
    for endpoint in webhooks:
        for name in endpoint.queues:
            if name not in known:
                raise Invalid(f"{source}: webhooks.{endpoint.name}.queues: there is no queue “{name}”.")


def _check_services_of(
    queues: tuple[QueuePolicy, ...], webhooks: tuple[WebhookEndpoint, ...], source: str
) -> None:  # fmt: skip
    """Raises Invalid if a queue whose models a service trains has no webhook that notifies the service."""
    named = {endpoint.name: endpoint for endpoint in webhooks}
    for queue in queues:
        key, name = f"{source}: queues.{queue.name}.external.webhook", queue.external.webhook
        if not queue.trains_elsewhere:
            continue
        if name not in named:
            raise Invalid(f"{key}: there is no section [webhooks.{name}].")
        if not named[name].wants(EventKind.TRAINING_REQUESTED, queue.name):
            raise Invalid(f"{key}: webhooks.{name} is not sent {EventKind.TRAINING_REQUESTED} for {queue.name}.")


def _sentences(error: ValidationError, prefix: str, source: str) -> str:
    """One sentence for each problem. A list with an invalid entry is not also reported as too short."""
    problems = error.errors(include_url=False)
    has_problem = {problem["loc"][:depth] for problem in problems for depth in range(len(problem["loc"]))}
    reported = (one for one in problems if one["type"] != "too_short" or one["loc"] not in has_problem)
    return "\n".join(_sentence(problem, prefix, source) for problem in reported)


def _sentence(problem: Any, prefix: str, source: str) -> str:
    key = ".".join([prefix, *(str(part) for part in problem["loc"])])
    if problem["type"] == "missing":
        return f"{source}: {key} is missing."
    if problem["type"] == "extra_forbidden":
        return f"{source}: {key} is not a known setting; see `goldloop docs policy`."
    what = problem["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if not problem["loc"]:
        return f"{source}: {prefix}: {what}."
    value = repr(problem["input"])
    return f"{source}: {key} = {value if len(value) <= 80 else value[:77] + '…'}: {what[0].lower() + what[1:]}."
