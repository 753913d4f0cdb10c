"""The versions of the policy: each one that was put in force is a row, and the highest is in force. A policy file is
what an operator proposes; it counts once it is stored."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Invalid, NotFound
from core.policy import Policy
from core.policy.canonical import canonical_text, parse_canonical, policy_fingerprint
from core.policy.changes import Change, changes
from core.policy_in_force.sync import sync_queues
from core.records.policies import PolicyVersion
from core.storage.announcing import announce
from core.storage.database import insert
from core.storage.ready import fetch

_NEWEST = select(func.max(PolicyVersion.version))  # built once: each click asks it
FIRST = 1


@dataclass(frozen=True)
class StoredPolicy:
    version: int
    policy: Policy
    stored_at: datetime
    stored_by: str


@dataclass(frozen=True)
class VersionLine:
    """queues: names -> `QueuePolicy.fingerprint`, as flags, corrections and runs store it."""

    version: int
    stored_at: datetime
    stored_by: str
    queues: dict[str, str]


@dataclass(frozen=True)
class PutInForce:
    """A version that was stored just now. changes: compared with the version before, if there was one that can be
    read."""

    version: int
    changes: tuple[Change, ...]


class Standing(Enum):
    """A policy file compared with what is stored."""

    IN_FORCE = auto()
    FORMER = auto()  # it was in force, and another one has replaced it
    NEW = auto()  # it never was in force


@dataclass(frozen=True)
class Started:
    """The policy under which a process starts. put: if its file was put in force."""

    version: int
    policy: Policy
    standing: Standing
    put: PutInForce | None = None


def newest_version(session: Session) -> int:
    """The number of the version in force; 0 if none was stored yet."""
    return fetch(session, _NEWEST, {})[0][0] or 0


def policy_in_force(session: Session) -> StoredPolicy | None:
    """The policy in force. None: none was stored yet. Raises Invalid if this release cannot read it."""
    version = newest_version(session)
    return stored_policy(session, version) if version else None


def stored_policy(session: Session, version: int) -> StoredPolicy:
    """The policy of a version. Raises NotFound, and Invalid if this release cannot read it."""
    row = session.scalar(select(PolicyVersion).where(PolicyVersion.version == version))
    if row is None:
        raise NotFound(f"There is no version {version} of the policy.")
    return StoredPolicy(row.version, _parsed(row), row.stored_at, row.stored_by)


def policy_versions(session: Session) -> list[VersionLine]:
    """All versions, newest first."""
    rows = session.scalars(select(PolicyVersion).order_by(PolicyVersion.version.desc()))
    return [VersionLine(row.version, row.stored_at, row.stored_by, row.queues) for row in rows]


def version_meant(session: Session, named: str) -> int:
    """A version by its number, or by the fingerprint of a queue's policy, which means the newest version that has it.
    Raises NotFound."""
    for line in policy_versions(session):
        if named == str(line.version) or named in line.queues.values():
            return line.version
    raise NotFound(f"There is no version “{named}” of the policy. `goldloop policy history` lists them.")


def standing(session: Session, policy: Policy) -> Standing:
    """Compare a policy with every version, newest first, as this release reads them."""
    rows = session.scalars(select(PolicyVersion).order_by(PolicyVersion.version.desc()))
    for place, row in enumerate(rows):
        if _is_same(row, policy):
            return Standing.FORMER if place else Standing.IN_FORCE
    return Standing.NEW


def put_in_force(session: Session, policy: Policy, by: str, now: datetime) -> PutInForce | None:
    """Store the policy as the next version, and bring queues, guidelines and people in line with it. None: it is in
    force already, so nothing changes. Locks the first version's row: if two policies are put in force at once, each is
    compared with the one that was in force before it. Clicks do not wait: they read the number of the newest version
    and lock none."""
    _lock(session)
    newest = session.scalar(select(PolicyVersion).order_by(PolicyVersion.version.desc()).limit(1))
    if newest is not None and _is_same(newest, policy):
        return None
    version = newest.version + 1 if newest is not None else FIRST
    if not _stored(session, version, policy, by, now):
        return put_in_force(session, policy, by, now)  # another process was quicker with the first one
    sync_queues(session, policy, now)
    announce(session)
    return PutInForce(version, _changes(newest, policy))


def start_under(session: Session, policy: Policy, by: str, now: datetime) -> Started:
    """The policy for a process that starts with this policy in its file. A file that was never in force is put in
    force. A file that was in force, and is not any more, is out of date: the stored policy stays in force, so a machine
    with an old file reverts nothing. Queues, guidelines and people are brought in line with the policy in force. Raises
    Invalid if this release cannot read that."""
    _lock(session)
    found = standing(session, policy)
    if found is Standing.NEW and (put := put_in_force(session, policy, by, now)):
        return Started(put.version, policy, found, put)
    version = newest_version(session)
    stored = policy if found is not Standing.FORMER else stored_policy(session, version).policy
    sync_queues(session, stored, now)
    return Started(version, stored, found)


def _lock(session: Session) -> None:
    first = select(PolicyVersion.id).where(PolicyVersion.version == FIRST)
    session.execute(first.with_for_update(of=PolicyVersion))


def _stored(session: Session, version: int, policy: Policy, by: str, now: datetime) -> bool:
    """Store the version. False: this version exists already."""
    new = insert(session, PolicyVersion).values(
        version=version,
        text=canonical_text(policy),
        fingerprint=policy_fingerprint(policy),
        queues={queue.name: queue.fingerprint for queue in policy.queues},
        stored_at=now,
        stored_by=by,
    )
    made = new.on_conflict_do_nothing(index_elements=["version"]).returning(PolicyVersion.id)
    return session.execute(made).first() is not None


def _changes(before: PolicyVersion | None, policy: Policy) -> tuple[Change, ...]:
    try:
        return () if before is None else changes(_parsed(before), policy)
    except Invalid:
        return ()


def _parsed(row: PolicyVersion) -> Policy:
    try:
        return parse_canonical(row.text)
    except Invalid as problem:
        raise Invalid(f"Version {row.version} of the policy cannot be read by this release: {problem}") from problem


def _is_same(row: PolicyVersion, policy: Policy) -> bool:
    """Whether both are the same policy, by fingerprint or as this release reads them: settings and pseudonyms may
    differ."""
    if row.fingerprint == policy_fingerprint(policy):
        return True
    try:
        return canonical_text(_parsed(row)) == canonical_text(policy)
    except Invalid:
        return False
