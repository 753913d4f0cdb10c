"""`goldloop policy …`: a changed file is put in force, shown and compared; a bad one changes nothing."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.app import app
from bot.runtime.clock import utc_now
from bot.runtime.policy_in_force import PolicyInForce, reload_policy
from bot.runtime.services import assemble, slack_client
from core.errors import Invalid
from core.learning.learners.registry import how_to_get
from core.policy.file import load_policy
from core.policy_in_force.versions import newest_version, put_in_force
from core.storage.database import Database
from core.storage.running import Running, note_ended, note_running
from tests.operations.conftest import Place
from tests.people import ANA, BEN, CLEO, EVA, support_policy


@pytest.fixture
def typed(place: Place, monkeypatch: pytest.MonkeyPatch) -> "Typed":
    for name, value in place.values.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("COLUMNS", "200")
    return Typed()


class Typed:
    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(app, words)


def version(database: Database) -> int:
    with database.reading() as session:
        return newest_version(session)


def edited(place: Place, before: str, after: str) -> None:
    text = place.policy.read_text("utf-8")
    assert before in text
    place.policy.write_text(text.replace(before, after), "utf-8")


@pytest.mark.slow  # loads a learner, asks Slack
def test_a_changed_file_is_shown_put_in_force_and_listed(place: Place, typed: Typed) -> None:
    assert "is in force already" in typed("policy", "reload").output
    edited(place, EVA, "U_NEW")
    shown = typed("policy", "diff")
    assert (shown.exit_code, shown.output) == (1, '[queues.support]\n  reviewers: + "U_NEW", \u2212 "U_EVA"\n')
    assert version(place.database) == 1, "nothing was changed"
    done = typed("policy", "reload")
    assert done.exit_code == 0
    assert done.output.startswith(shown.output + "Version 2 of the policy is in force.")
    assert (typed("policy", "diff").exit_code, version(place.database)) == (0, 2)
    assert "U_EVA" in typed("policy", "show", "1").output
    assert "U_NEW" in typed("policy", "show").output
    listed = [line.split()[0] for line in typed("policy", "history").output.splitlines()]
    assert listed == ["version", "2", "1"]
    fingerprint = load_policy(place.policy).queues[0].fingerprint
    assert "U_NEW" in typed("policy", "show", fingerprint).output


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("leads = ", "leaders = ", r"queues.support.leaders is not a known setting"),
        ('"C_REVIEW"', '""', r"queues.support.channel = ''"),
        ("[queues.support]", "[queues.support", r"not valid TOML"),
        ("[queues.support]", '[queues.support]\nretraining = { learner = "tags" }', "There is no learner “tags”"),
    ],
)
def test_a_bad_file_changes_nothing_and_says_what_is_wrong_and_where(
    place: Place, typed: Typed, before: str, after: str, words: str
) -> None:
    edited(place, before, after)
    refused = typed("policy", "reload").exception
    assert isinstance(refused, Invalid)
    assert words in str(refused)
    assert version(place.database) == 1
    assert typed("pause", "-q", "support").exit_code == 0, "commands go on under what is stored"


def test_a_missing_file_changes_nothing(place: Place, typed: Typed) -> None:
    place.policy.unlink()
    assert "There is no policy file" in str(typed("policy", "reload").exception)
    assert version(place.database) == 1


def test_migrate_puts_a_new_file_in_force_and_takes_nothing_back(place: Place, typed: Typed) -> None:
    first = place.policy.read_text("utf-8")
    edited(place, EVA, "U_NEW")
    assert "is in force as version 2" in " ".join(typed("migrate").output.split())
    place.policy.write_text(first, "utf-8")
    assert "Version 2 of the policy stays in force" in " ".join(typed("migrate").output.split())
    assert version(place.database) == 2


@pytest.mark.slow  # loads a learner, asks Slack
def test_status_and_doctor_name_a_file_that_differs(place: Place, typed: Typed) -> None:
    def said(command: str) -> str:
        return " ".join(typed(command).output.split())

    assert "policy in force" not in said("status")
    assert "policy in force version 1, as in" in said("doctor")
    edited(place, EVA, "U_NEW")
    for command in ("status", "doctor"):
        assert "differs in 1 setting from version 1, in force since" in said(command)
    edited(place, "leads = ", "leaders = ")
    assert "The policy file cannot be used" in said("status")


def test_status_names_a_process_that_does_not_take_the_newest(place: Place, typed: Typed) -> None:
    stuck = Running("elsewhere:12:abc", "the worker", 0, "The learner “tags” is not installed here.")
    with place.database.transaction() as session:
        note_running(session, stuck, utc_now())
    said = " ".join(typed("status").output.split())
    assert "process 12 on elsewhere (the worker) uses version 0 of the policy, not 1. The learner “tags” is not" in said
    with place.database.transaction() as session:
        note_ended(session, stuck.name)
    assert "elsewhere" not in typed("status").output


def test_a_lone_web_process_keeps_a_backup_from_being_restored(place: Place, typed: Typed, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    saved.write_bytes(b"")
    for name in ("elsewhere:12:abc", "elsewhere:13:abc"):
        with place.database.transaction() as session:
            note_running(session, Running(name, "Slack over a socket", 1, ""), utc_now())
    refused = str(typed("restore", "--yes", str(saved)).exception)
    assert refused.startswith("Process 12 on elsewhere, process 13 on elsewhere are still running.")
    with place.database.transaction() as session:
        note_ended(session, "elsewhere:12:abc")
    assert "Process 13 on elsewhere is still running." in str(typed("restore", "--yes", str(saved)).exception)
    with place.database.transaction() as session:
        note_ended(session, "elsewhere:13:abc")
    assert "is still running" not in str(typed("restore", "--yes", str(saved)).exception)


def test_each_transaction_reads_what_counts_in_it(place: Place) -> None:
    """Two processes; the second knows of the change from its transaction, not from a look in between."""
    policy = load_policy(place.policy)
    one, two = (assemble(Database(place.values["DATABASE_URL"]), slack_client("x", "http://x/"), policy) for _ in "ab")
    try:
        edited(place, EVA, "U_NEW")
        assert reload_policy(one.database, place.policy, "ops", utc_now()) is not None
        assert EVA in two.policy.queues[0].reviewers
        with two.database.reading() as session:
            assert two.in_force.read(session).queues[0].reviewers == (ANA, BEN, "U_NEW")
        assert (two.in_force.version, two.policy.queues[0].reviewers) == (2, (ANA, BEN, "U_NEW"))
    finally:
        one.database.close()
        two.database.close()


@pytest.mark.usefixtures("sqlite_only")
def test_a_transaction_that_began_before_a_reload_goes_on_under_its_version(place: Place) -> None:
    held = PolicyInForce(load_policy(place.policy))
    edited(place, EVA, "U_NEW")
    with place.database.reading() as early:
        assert EVA in held.read(early).queues[0].reviewers
        reload_policy(place.database, place.policy, "ops", utc_now())
        with place.database.reading() as late:
            assert "U_NEW" in held.read(late).queues[0].reviewers
        assert EVA in held.read(early).queues[0].reviewers
    assert (held.version, held.policy.queues[0].reviewers[-1]) == (2, "U_NEW"), "and takes nothing back"


def test_a_process_without_the_learner_goes_on_and_says_why(place: Place) -> None:
    here, elsewhere = (
        PolicyInForce(load_policy(place.policy)),
        PolicyInForce(load_policy(place.policy), {"tags": "a:B"}),
    )
    tags = support_policy(retraining={"learner": "tags"}, leads=[CLEO])
    with place.database.transaction() as session:
        put_in_force(session, tags, "ops", utc_now())
    with place.database.reading() as session:
        for _ in range(2):
            assert here.read(session).queues[0].retraining.learner == "text"
        assert elsewhere.read(session).queues[0].retraining.learner == "tags"
    assert here.problem == "queues.support.retraining.learner: the learner “tags” is not installed here. " + how_to_get(
        "tags"
    )
    with place.database.transaction() as session:
        put_in_force(session, load_policy(place.policy), "ops", utc_now())
    with place.database.reading() as session:
        here.read(session)
    assert (here.version, here.problem) == (3, "")
