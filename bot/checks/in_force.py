"""Checks of the policy in force: whether the file matches it, and whether every process uses it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bot.checks.finding import Finding, Findings, good, note
from bot.runtime.processes import is_gone, process_title
from bot.wording.numbers import count
from core.errors import Invalid, Refusal
from core.policy import Policy
from core.policy.changes import changes
from core.policy.file import load_policy
from core.policy_in_force.versions import StoredPolicy, policy_in_force
from core.storage.database import Database
from core.storage.running import running

SUBJECT = "policy in force"
LATE = "It takes a new version within seconds if it can; otherwise read its log, and restart it."


def file_in_force(database: Database, file: Path) -> Findings:
    """Check whether the policy file equals the policy in force: an operator may have changed it, or have another file
    here."""
    try:
        policy = load_policy(file)
    except Refusal as problem:
        yield note(
            SUBJECT, f"The policy file cannot be used: {problem}", "What is stored stays in force. Fix the file."
        )
        return
    yield from compared(database, policy, file)


def compared(database: Database, policy: Policy, file: Path) -> Findings:
    """Compare the file with the policy in force. policy: the file's."""
    with database.reading() as session:
        try:
            stored = policy_in_force(session)
        except Invalid as problem:
            yield note(SUBJECT, str(problem), "Run `goldloop policy reload` to put the file in force.")
            return
    if stored is None:
        yield note(SUBJECT, "No policy is stored yet.", "Start Goldloop, or run `goldloop migrate`.")
    else:
        yield _compared(stored, policy, file)


def processes(database: Database, clock: Callable[[], datetime]) -> Findings:
    """Find processes that apply another version than the newest."""
    with database.reading() as session:
        try:
            stored = policy_in_force(session)
        except Invalid:
            return
        found = running(session, clock(), is_gone)
    for one in found:
        if stored is not None and one.policy_version != stored.version:
            words = f"{process_title(one.name)} ({one.parts}) uses version {one.policy_version}"
            yield note(SUBJECT, f"{words} of the policy, not {stored.version}. {one.policy_problem}".strip(), LATE)


def _compared(stored: StoredPolicy, policy: Policy, file: Path) -> Finding:
    found = changes(stored.policy, policy)
    if not found:
        return good(SUBJECT, f"version {stored.version}, as in {file}")
    since = f"{stored.stored_at:%Y-%m-%d %H:%M UTC}"
    words = f"{file} differs in {count(len(found), 'setting')} from version {stored.version}, in force since {since}."
    remedy = "Run `goldloop policy diff` to see how, and `goldloop policy reload` to put the file in force."
    return note(SUBJECT, words, remedy)
