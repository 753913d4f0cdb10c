"""The policy in force as this process knows it, and the steps that put a policy file in force."""

import getpass
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from core.errors import Invalid
from core.learning.learners.own_encoder import with_own_encoder
from core.learning.learners.registry import find_learner, how_to_get, offers_learner
from core.policy import Policy
from core.policy.file import load_policy
from core.policy_in_force.versions import (
    PutInForce,
    Standing,
    Started,
    newest_version,
    put_in_force,
    standing,
    start_under,
    stored_policy,
)
from core.storage.database import PATIENT, Database

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Held:
    """A policy and the number of its version; 0: it was never stored."""

    version: int
    policy: Policy


class PolicyInForce:
    """The policy that this process applies. Thread-safe: a new version replaces the old one as a whole."""

    def __init__(self, policy: Policy, extra_learners: Mapping[str, str] = {}) -> None:
        """policy: in force until a stored one is read. extra_learners: as in core/learning/learners/registry.py."""
        self._extra = extra_learners
        self._lock = threading.Lock()
        self.held = Held(0, policy)
        self._refused = 0  # the newest version that this process cannot apply
        self.problem = ""  # why the newest version is not applied
        self.followed = 0  # the version to which this process has brought cards and people in line

    @property
    def policy(self) -> Policy:
        """The version that was read last, for work that begins outside of a transaction."""
        return self.held.policy

    @property
    def version(self) -> int:
        return self.held.version

    def read(self, session: Session) -> Policy:
        """The policy of the version that this transaction sees; from then on the process applies it. Locks nothing."""
        return self.of(session, newest_version(session))

    def of(self, session: Session, newest: int) -> Policy:
        """The same as `read`, for a transaction that has read the number of the newest version. If this process cannot
        apply that version, because it cannot be read or names a learner that is not installed, the previous one stays
        in force here.
        """
        held = self.held
        if newest in (held.version, self._refused, 0):
            return held.policy
        try:
            policy = stored_policy(session, newest).policy
            _require_offered(policy, self._extra)
        except Invalid as problem:
            self._refuse(newest, str(problem))
            return held.policy
        log.info("Policy in force", extra={"policy_version": newest})
        return self.take(newest, policy)

    def take(self, version: int, policy: Policy) -> Policy:
        """Apply this version from now on. A version older than the present one, which a transaction that began earlier
        may see, applies to that transaction only."""
        with self._lock:
            if version > self.held.version:
                self.held, self.problem = Held(version, policy), ""
        return policy

    def _refuse(self, version: int, problem: str) -> None:
        with self._lock:
            if version > self._refused:
                self._refused, self.problem = version, problem
                log.error("%s This process goes on with version %d of the policy.", problem, self.held.version)


def reload_policy(
    database: Database, file: Path, by: str, now: datetime, extra_learners: Mapping[str, str] = {}
) -> PutInForce | None:
    """Validate the whole file, then put it in force for every process. None if it is in force already. Raises Invalid,
    saying what is wrong and where; then nothing changes."""
    policy = load_policy(file)
    require_learners(policy, extra_learners)
    with database.transaction(wait=PATIENT) as session:
        return put_in_force(session, policy, by, now)


def start_policy(
    database: Database, file: Policy, by: str, now: datetime, extra_learners: Mapping[str, str] = {}
) -> Started:
    """The same as core's `start_under`. Also raises Invalid if the file's policy is to be put in force and names a
    learner that is not installed."""
    with database.reading(wait=PATIENT) as session:
        is_new = standing(session, file) is Standing.NEW
    if is_new:
        _require_offered(file, extra_learners)
    with database.transaction(wait=PATIENT) as session:
        return start_under(session, file, by, now)


def require_learners(policy: Policy, extra: Mapping[str, str] = {}) -> None:
    """Raises Invalid, naming the queue, if a learner that the policy names is not installed or cannot be loaded."""
    for queue in policy.queues:
        try:
            find_learner(queue.retraining.learner, with_own_encoder(queue, extra))
        except Invalid as problem:
            raise Invalid(f"queues.{queue.name}.retraining.learner: {problem}") from problem


def this_user() -> str:
    """The name of the operating system's user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # in a container, the user may have no name
        return "unknown user"


def _require_offered(policy: Policy, extra: Mapping[str, str]) -> None:
    """Raises Invalid for a learner that is not installed. It checks only names: loading a learner takes a second, and a
    click may be waiting."""
    for queue in policy.queues:
        name = queue.retraining.learner
        if not offers_learner(name, with_own_encoder(queue, extra)):
            words = f"the learner “{name}” is not installed here. {how_to_get(name)}"
            raise Invalid(f"queues.{queue.name}.retraining.learner: {words}")
