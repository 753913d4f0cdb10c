"""`goldloop doctor` on policy, database, delivery and models: one thing broken at a time, on both databases."""

import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import make_url, text, update
from typer.testing import CliRunner

from bot.checks.database import room_on_disk
from bot.checks.doctor import report
from bot.checks.finding import Finding, Outcome, bad, good, note
from bot.checks.policy import readable_policy
from bot.cli.app import app
from bot.runtime.clock import utc_now
from bot.runtime.processes import is_gone, this_process
from bot.slack.delivery.deliver import DELIVERY
from core.delivery import backlog, notices, outbox
from core.delivery.recipients import leads_of
from core.intake.unknown_labels import count_unknown_labels
from core.queues import queue_named
from core.records.delivery import Posting
from core.records.jobs import Job
from core.records.learning import SeedExample
from core.storage import leases
from core.storage.running import Running, note_running
from core.vocabulary import Card, NoticeKind
from tests.core.desk import Desk
from tests.core.models import promoted, seeded
from tests.operations.conftest import Place
from tests.people import LEADS, support_policy


def only(findings: list[Finding]) -> Finding:
    [found] = findings
    return found


@pytest.mark.usefixtures("sqlite_only")
def test_a_policy_that_is_not_there_or_wrong_is_said_with_key_and_value(place: Place) -> None:
    place.policy.write_text("[queues.support]\nchannel = 7", encoding="utf-8")
    assert "queues.support.channel = 7" in only(place.bad()).words
    place.policy.unlink()
    assert "goldloop init" in only(place.bad()).remedy


@pytest.mark.usefixtures("sqlite_only")
def test_scopes_are_not_checked_while_the_policy_cannot_be_read(place: Place) -> None:
    place.policy.write_text("[queues.support]\nchannel = 7", encoding="utf-8")
    assert "scopes" not in [finding.subject for finding in place.findings()]


@pytest.mark.usefixtures("sqlite_only")
def test_a_queue_that_is_not_in_the_database_yet(place: Place) -> None:
    place.policy.write_text(place.policy.read_text(encoding="utf-8").replace("support", "returns"), encoding="utf-8")
    assert only(place.bad()).words == "Not in the database yet: returns."


@pytest.mark.usefixtures("sqlite_only")
def test_a_missing_sqlite_file_is_found_and_not_made(place: Place, tmp_path: Path) -> None:
    place.values["DATABASE_URL"] = f"sqlite:///{tmp_path / 'new.sqlite'}"
    assert "goldloop migrate" in only(place.bad()).remedy
    assert not (tmp_path / "new.sqlite").exists()


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize(
    "url", ["postgresql://ann:secret-word@127.0.0.1:9/goldloop", "mysql://ann:secret-word@here/db", "nonsense"]
)
def test_a_database_that_cannot_be_reached_is_said_without_its_password(place: Place, url: str) -> None:
    place.values["DATABASE_URL"] = url
    found = only(place.bad())
    assert (found.subject, "DATABASE_URL" in found.remedy) == ("database", True)
    assert "secret-word" not in found.words + found.remedy


def test_a_database_that_is_well_is_named_without_its_password(place: Place) -> None:
    assert place.bad() == []
    assert "connected to" in only([finding for finding in place.findings() if finding.subject == "database"]).words


@pytest.mark.usefixtures("sqlite_only")
def test_a_file_that_is_no_database(place: Place, tmp_path: Path) -> None:
    (tmp_path / "odd.sqlite").write_bytes(b"not a database, " * 100)
    place.values["DATABASE_URL"] = f"sqlite:///{tmp_path / 'odd.sqlite'}"
    assert "not a database" in only(place.bad()).words


@pytest.mark.usefixtures("sqlite_only")
def test_no_place_for_temporary_files(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    found = only(place.bad())
    assert "is not usable: No such file or directory" in found.words
    assert "TMPDIR" in found.remedy


@pytest.mark.usefixtures("sqlite_only")
def test_a_folder_that_is_not_there(place: Place, tmp_path: Path) -> None:
    place.values["DATABASE_URL"] = f"sqlite:///{tmp_path / 'nowhere' / 'new.sqlite'}"
    assert "Create the folder" in only(place.bad()).remedy


@pytest.mark.usefixtures("sqlite_only")
def test_a_database_of_which_a_part_is_damaged(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "damaged.sqlite"
    with sqlite3.connect(make_url(place.values["DATABASE_URL"]).database or "") as whole:
        whole.execute(f"VACUUM INTO '{file}'")
    written = file.read_bytes()
    file.write_bytes(written[:8192] + b"\xff" * (len(written) - 8192))
    place.values["DATABASE_URL"] = f"sqlite:///{file}"
    found = only(place.bad())
    assert "malformed" in found.words
    assert "Restore the last backup" in found.remedy


@pytest.mark.parametrize(
    ("revision", "remedy"), [("0001", "Set DATABASE_URL to a new database"), ("9999", "Install that release")]
)
def test_a_database_of_another_release(place: Place, revision: str, remedy: str) -> None:
    with place.database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    found = only(place.bad())
    assert (found.subject, remedy in found.remedy) == ("schema", True)


def test_a_database_without_tables(place: Place) -> None:
    with place.database.transaction() as session:
        session.execute(text("DROP TABLE alembic_version"))
    assert only(place.bad()).words == "The database has no tables yet."


def test_a_clock_apart_from_the_databases(place: Place) -> None:
    """SQLite has no clock of its own; Slack's is looked at in any case."""
    place.values["SLACK_BOT_TOKEN"] = ""
    apart = [finding.subject for finding in place.bad(clock=lambda: utc_now() - timedelta(hours=1))]
    assert ("database clock" in apart) == (not place.database.is_sqlite)


def test_a_disk_without_room_is_found_only_where_it_is_ours(place: Place) -> None:
    assert [finding.subject for finding in room_on_disk(place.values["DATABASE_URL"])] in ([], ["disk"])


def refused(place: Place, reason: str, subject: int = 1) -> None:
    with place.database.transaction() as session:
        queue = queue_named(session, "support")
        outbox.show(session, Card.RUN, subject, leads_of(queue), queue, utc_now())
        row = session.query(Posting).where(Posting.subject_id == subject).one()
        outbox.mark_failed(session, row.id, utc_now(), permanent=reason)


def test_messages_that_slack_refused_for_good_are_counted_by_channel_and_reason(place: Place) -> None:
    refused(place, "is_archived", 1)
    refused(place, "is_archived", 2)
    found = only(place.bad())
    assert found.words == f"2 messages to {LEADS} failed: is_archived"
    assert "Unarchive the channel" in found.remedy
    assert "goldloop retry-deliveries" in found.remedy


def test_retry_deliveries_sends_them_after_all(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(place, "not_in_channel")
    with place.database.transaction() as session:
        notices.notify(session, NoticeKind.DECISION_PENDING, "k", LEADS, None, {}, utc_now())
        assert backlog.waiting(session).count == 1
    monkeypatch.setenv("DATABASE_URL", place.values["DATABASE_URL"])
    assert CliRunner().invoke(app, ["retry-deliveries"]).stdout == "1 message will be sent again.\n"
    with place.database.reading() as session:
        assert backlog.given_up(session) == []
        assert backlog.waiting(session).count == 2
    assert place.bad() == []


def test_messages_that_wait_too_long_ask_for_a_worker(place: Place) -> None:
    with place.database.transaction() as session:
        long_ago = utc_now() - timedelta(minutes=20)
        queue = queue_named(session, "support")
        outbox.show(session, Card.RUN, 1, leads_of(queue), queue, long_ago)
    found = only(place.bad())
    assert found.words == "1 message waiting, the oldest for 20 minutes."
    assert "worker" in found.remedy


def test_a_redrawn_card_waits_from_when_it_is_wanted_again_and_not_from_a_retry(place: Place) -> None:
    start = utc_now() - timedelta(hours=5)
    with place.database.transaction() as session:
        queue = queue_named(session, "support")
        outbox.show(session, Card.RUN, 1, leads_of(queue), queue, start)
        posting = session.query(Posting).one()
        outbox.mark_delivered(session, posting.id, 1, "1.0", start)
        assert backlog.waiting(session) == backlog.Waiting(0, None)
        outbox.show(session, Card.RUN, 1, leads_of(queue), queue, start + timedelta(hours=1))
        outbox.show(session, Card.RUN, 1, leads_of(queue), queue, start + timedelta(hours=2))
        outbox.mark_failed(session, posting.id, start + timedelta(hours=3), retry_after=60)
        session.flush()
        assert backlog.waiting(session) == backlog.Waiting(1, start + timedelta(hours=1))


def job(name: str, key: str, state: str, error: str = "") -> Job:
    return Job(
        name=name,
        key=key,
        mutex="train:support",
        payload={},
        state=state,
        next_attempt_at=utc_now(),
        failure_reason=error,
    )


def test_a_job_that_failed_for_good_is_found_until_a_later_one_has_gone_well(place: Place) -> None:
    with place.database.transaction() as session:
        session.add(job("train", "train:1", "dead", "ValueError: no rows"))
    found = only(place.bad())
    assert found.words == "train (train:1) failed permanently: ValueError: no rows"
    with place.database.transaction() as session:
        session.add(job("train", "train:2", "done"))
    assert place.bad() == []


@pytest.mark.slow
def test_whether_a_worker_runs_is_seen_at_once(place: Place) -> None:
    def of_worker() -> Finding:
        return only([finding for finding in place.findings() if finding.subject == "worker"])

    assert (of_worker().outcome, "No worker is sending to Slack" in of_worker().words) == (Outcome.NOTE, True)
    with place.database.transaction() as session:
        leases.acquire(session, DELIVERY, "another-host:12:abc", utc_now(), is_gone)
    assert (of_worker().outcome, of_worker().words) == (Outcome.GOOD, "process 12 on another-host sends to Slack")
    with place.database.transaction() as session:
        session.execute(
            text("UPDATE lease SET leased_by = :gone"), {"gone": f"{this_process().rsplit(':', 2)[0]}:999999999:abc"}
        )
    assert of_worker().outcome is Outcome.NOTE
    for name, works in (("another-host:13:abc", False), ("another-host:14:abc", True)):
        with place.database.transaction() as session:
            note_running(session, Running(name, "its parts", 1, "", works), utc_now())
        assert of_worker().outcome is (Outcome.GOOD if works else Outcome.NOTE)
    assert of_worker().words == "process 14 on another-host runs, with nothing to send"


def test_the_summary_counts_failures_and_warnings() -> None:
    console = Console(record=True, width=100)
    for findings in ([good("a", "b")], [good("a", "b"), note("c", "d")], [note("c", "d"), bad("e", "f", "g")]):
        console.print(report(findings))
    said = console.export_text()
    for words in ("All checks passed.", "No checks failed. Warnings: 1.", "1 of 2 checks failed."):
        assert said.count(words) == 1


def of_model(place: Place) -> list[Finding]:
    """The desk's own clock is an hour behind, so its messages have waited long; that is not asked here."""
    return [finding for finding in place.findings() if finding.subject == "model of support"]


@pytest.mark.usefixtures("sqlite_only")
def test_labels_that_left_the_policy_or_came_into_it_since_the_model_learned(place: Place) -> None:
    promoted(seeded(Desk(place.database, support_policy())))
    written = place.policy.read_text(encoding="utf-8")
    assert '"delivery"' in written
    place.policy.write_text(written.replace('"delivery"', '"shipping"'), encoding="utf-8")
    found = only(of_model(place))
    assert (found.outcome, found.words) == (
        Outcome.NOTE,
        "v1 is live. It never predicts “shipping”: there were no examples when it was trained. "
        "It also learned “delivery”, not in the policy; the next best label is predicted.",
    )
    assert "goldloop retrain -q support" in found.remedy


@pytest.mark.usefixtures("sqlite_only")
def test_a_learner_that_is_not_installed(place: Place) -> None:
    with place.policy.open("a", encoding="utf-8") as file:
        file.write('\n[queues.support.retraining]\nlearner = "bert"\n')
    [unknown, live] = of_model(place)
    assert "no learner “bert”" in unknown.words
    assert unknown.remedy == "Set queues.support.retraining.learner to an installed learner."
    assert live.words == "No model is live yet."


def test_a_live_model_that_was_changed_is_found(place: Place) -> None:
    assert only(of_model(place)).words == "No model is live yet."
    promoted(seeded(Desk(place.database, support_policy())))
    assert only(of_model(place)).words == "v1 is live"
    with place.database.transaction() as session:
        session.execute(text("UPDATE artifact SET runtime = 'scikit-learn 0.1'"))
    found = only(of_model(place))
    assert found.outcome is Outcome.BAD
    assert "made with scikit-learn 0.1" in found.words


def test_labels_outside_the_policy_are_named_with_their_counts(place: Place) -> None:
    desk = Desk(place.database, support_policy())
    assert "all received labels are in the policy" in [finding.words for finding in place.findings()]
    seeded(desk)
    with desk.database.transaction() as session:
        count_unknown_labels(session, {"spam": 1}, utc_now(), desk.rules)
        count_unknown_labels(session, {"parcel": 1, "spam": 2}, utc_now(), desk.rules)
        session.execute(update(SeedExample).where(SeedExample.id == 1).values(label="former"))
        session.execute(update(SeedExample).where(SeedExample.id == 2).values(label="former", erased_at=utc_now()))
    said = [finding.words for finding in place.findings() if finding.subject == "labels of support"]
    assert said == [
        "Predictions with labels outside the policy were rejected: “spam” (3), “parcel” (1).",
        "Stored examples have labels that are no longer in the policy: “former” (1).",
    ]


def test_a_margin_that_can_never_flag_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "goldloop.toml"
    names = 'channel="C1"\nleads_channel="C2"\nleads=["U1"]\nlabels=["spam","ham"]\n'
    path.write_text(f"[queues.support]\n{names}[queues.support.flagging]\nmargin = 0.1\n")
    _policy, found = readable_policy(path)
    assert found.outcome is Outcome.NOTE
    assert found.words.startswith("queues.support.flagging.margin can never flag a prediction")
