"""`goldloop …` as operators type it, on both databases."""

import json
import subprocess
import sys
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet
from sqlalchemy import update

from bot.cli import export
from bot.cli.app import main
from bot.cli.data import BATCH
from bot.files import snapshots
from bot.files.tables import read_rows
from core.learning.data.snapshots import snapshot_rows
from core.learning.lifecycle.listing import training_set_of
from core.policy.file import load_policy
from core.queues import queue_named
from core.records.learning import GoldenExample
from core.review.listing import CorrectionLine
from core.storage.database import Database
from core.vocabulary import ErrorReason, Stratum
from tests.core.desk import BILLING, opened
from tests.core.models import promoted, seeded
from tests.flows.processes import write_policy
from tests.people import ANA, BEN, CLEO, support_policy


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


class Terminal:
    """Types a command as an operator would: words, environment, folder; reads what it printed and its exit code."""

    def __init__(self, folder: Path, captured: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.folder, self.captured, self.patch = folder, captured, patch

    def run(self, *words: str) -> Done:
        self.patch.setattr(sys, "argv", ["goldloop", *words])
        self.captured.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = self.captured.readouterr()
        return Done(code, out, err)

    def file(self, name: str, content: str) -> str:
        (self.folder / name).write_text(content, encoding="utf-8")
        return name


@pytest.fixture
def goldloop(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    for name, value in (("DATABASE_URL", database_url), ("GOLDLOOP_POLICY", str(write_policy(tmp_path)))):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path, capsys, monkeypatch)


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_it_is_a_program_of_its_own(goldloop: Terminal) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from bot.cli.app import main; main()", "migrate"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "up to date" in done.stdout


def test_seeds_come_in_once_and_a_part_becomes_golden(goldloop: Terminal) -> None:
    assert goldloop.run("migrate").returncode == 0
    rows = "".join(f"i want my money back for thing {number},refund\n" for number in range(40))
    file = goldloop.file("seed.csv", "text,label\n" + rows)
    first = goldloop.run("seed", file, "--queue", "support")
    assert first.returncode == 0, first.stderr
    assert " golden, 0 already stored." in first.stdout
    again = goldloop.run("seed", file, "--queue", "support")
    assert again.stdout.strip() == "0 for training, 0 golden, 40 already stored."


def test_a_bad_row_at_the_end_of_a_long_seed_file_stores_nothing(goldloop: Terminal) -> None:
    goldloop.run("migrate")
    rows = [f"i want my money back for thing {number},refund\n" for number in range(BATCH + 5)]
    bad = goldloop.file("bad.csv", "".join(["text,label\n", *rows, "where is it,spam\n"]))
    done = goldloop.run("seed", bad, "--queue", "support")
    assert done.returncode == 2
    assert f"Row {BATCH + 6}: “spam” is not a label of support" in done.stderr
    good = goldloop.file("good.csv", "".join(["text,label\n", *rows]))
    assert " golden, 0 already stored." in goldloop.run("seed", good, "--queue", "support").stdout


def test_bad_rows_are_named_and_the_good_ones_kept(goldloop: Terminal) -> None:
    goldloop.run("migrate")
    rows = [
        {"external_id": "1", "model_version": "m", "text": "late", "probabilities": {"delivery": 0.6, "refund": 0.4}},
        {"external_id": "2", "model_version": "m", "text": "late", "label": "nonsense", "confidence": 0.5},
        {"external_id": "3", "model_version": "m", "text": "", "label": "refund", "confidence": 0.5},
        {"external_id": "4", "model_version": "m", "text": "late", "label": "refund", "confidence": 2},
        {"external_id": "5", "model_version": "m", "text": "ok", "label": "refund", "confidence": 0.99},
    ]
    file = goldloop.file("rows.jsonl", "\n".join(map(json.dumps, rows)))
    done = goldloop.run("ingest", file, "--queue", "support")
    assert done.returncode == 2
    assert "Row 2: “nonsense” is not a label of support" in done.stdout
    assert "Row 3: A prediction needs text, image or image_url" in done.stdout
    assert "Row 4: confidence must be a number from 0 to 1" in done.stdout
    assert "2 new, 0 already stored, 1 flagged for review, 3 rejected." in done.stdout
    again = goldloop.run("ingest", file, "--queue", "support")
    assert "0 new, 2 already stored, 0 flagged for review, 3 rejected." in again.stdout
    told = goldloop.run("explain", "item", "1")
    assert "m predicted delivery (60%)." in told.stdout
    assert "Asked because the model is below 80%." in told.stdout


def test_a_line_that_cannot_be_read_ends_the_import_after_the_batches_before_it(goldloop: Terminal) -> None:
    """The next batch is read while PostgreSQL stores the one before it."""
    goldloop.run("migrate")
    rows = [
        json.dumps({"external_id": str(number), "model_version": "m", "text": "late", "label": label, "confidence": 1})
        for number, label in enumerate(["spam", *["refund"] * (2 * BATCH - 1)])
    ]
    done = goldloop.run("ingest", goldloop.file("rows.jsonl", "\n".join([*rows, "{"])), "--queue", "support")
    assert done.returncode == 2
    assert f"rows.jsonl, row {2 * BATCH + 1}: this is not JSON" in " ".join(done.stderr.split())
    again = goldloop.run("ingest", goldloop.file("again.jsonl", "\n".join(rows[1:])), "--queue", "support")
    assert f"0 new, {2 * BATCH - 1} already stored, 0 flagged for review, 0 rejected." in again.stdout


@pytest.mark.usefixtures("sqlite_only")
def test_a_table_of_probabilities_and_further_columns_is_a_file_of_predictions(goldloop: Terminal) -> None:
    goldloop.run("migrate")
    lines = ["external_id,model_version,text,p:refund,p:delivery,Plan", "1,m,late,0.4,0.6,Gold", "2,m,ok,0.99,,"]
    done = goldloop.run("ingest", goldloop.file("rows.csv", "\n".join(lines)), "--queue", "support")
    assert (done.returncode, done.stdout.strip()) == (0, "2 new, 0 already stored, 1 flagged for review, 0 rejected.")
    assert "m predicted delivery (60%)" in goldloop.run("explain", "item", "1").stdout


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize("content", ["", "external_id,model_version,text,label,confidence\n"])
def test_a_file_without_rows_is_an_error_that_says_what_is_missing(goldloop: Terminal, content: str) -> None:
    goldloop.run("migrate")
    done = goldloop.run("ingest", goldloop.file("rows.csv", content), "--queue", "support")
    said = " ".join(done.stderr.split())
    assert (done.returncode, done.stdout.strip()) == (1, "")
    assert "rows.csv: there are no rows: it needs a first line with the columns, and then a row for each" in said


@pytest.mark.usefixtures("sqlite_only")
def test_a_header_in_other_words_stores_nothing_and_the_help_names_the_columns(goldloop: Terminal) -> None:
    goldloop.run("migrate")
    file = goldloop.file("rows.csv", "id,model_version,body,label,confidence\n1,m,late,refund,0.5\n")
    done = goldloop.run("ingest", file, "--queue", "support")
    said = " ".join(done.stderr.split())
    assert done.returncode == 2
    assert "rows.csv: “id” is not a known column. Did you mean external_id? “body” is not a known column." in said
    assert "`goldloop ingest --help` lists the columns." in said
    told = goldloop.run("ingest", "--help").stdout
    assert all(name in told for name in ("external_id", "model_version", "image_url", "p:LABEL", "probabilities"))


@pytest.mark.usefixtures("sqlite_only")
def test_the_same_reason_is_said_once_with_its_count(goldloop: Terminal) -> None:
    goldloop.run("migrate")
    rows = "".join(f"{number},m,late,spam,0.5\n" for number in range(1200))
    file = goldloop.file("rows.csv", f"external_id,model_version,text,label,confidence\n{rows}")
    done = goldloop.run("ingest", file, "--queue", "support")
    assert done.stdout.count("“spam” is not a label") == 2
    assert "Row 1: “spam” is not a label of support" in done.stdout
    assert "1,200 rows: “spam” is not a label of support" in done.stdout
    assert "Labels outside the policy: “spam” (1,200)." in done.stdout


@pytest.mark.usefixtures("sqlite_only")
def test_a_seed_file_with_labels_outside_the_policy_names_them_all(goldloop: Terminal) -> None:
    goldloop.run("migrate")
    file = goldloop.file("seed.csv", "text,label\na,spam\nb,ham\nc,spam\nd,refund\n")
    done = goldloop.run("seed", file, "--queue", "support")
    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    assert "Labels that support does not have: “spam” (2), “ham” (1). Add them to the policy" in said
    assert "No rows were stored." in said


@pytest.mark.usefixtures("sqlite_only")
def test_a_queue_is_paused_and_goes_on(goldloop: Terminal) -> None:
    goldloop.run("migrate")
    said = [goldloop.run(word, "-q", "support").stdout.strip() for word in ("resume", "pause", "pause")]
    assert said == [
        "support is not paused.",
        "support is paused: no new cards are posted.",
        "support is paused already.",
    ]
    assert "support is paused: no new cards are posted." in goldloop.run("status").stdout
    assert goldloop.run("resume", "-q", "support").stdout.strip() == "support is no longer paused."
    assert goldloop.run("pause", "-q", "nonsense").returncode == 2


@pytest.mark.usefixtures("sqlite_only")
def test_a_senders_words_do_not_move_the_cursor(goldloop: Terminal) -> None:
    goldloop.run("migrate")
    row = {"external_id": "1", "model_version": "m\x1b[2J\u202e", "text": "late", "label": "refund", "confidence": 0.5}
    goldloop.run("ingest", goldloop.file("rows.jsonl", json.dumps(row)), "--queue", "support")
    told = goldloop.run("explain", "item", "1").stdout
    assert "m\ufffd[2J\ufffd predicted refund" in told


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_what_is_empty_is_not_there_and_a_number_may_be_a_text(goldloop: Terminal, name: str) -> None:
    """As tables have it: a value in every column, and columns that we do not know."""
    goldloop.run("migrate")
    row = {
        "external_id": "1",
        "model_version": "m",
        "text": "late",
        "label": "delivery",
        "confidence": "0.6",
        "odd": "",
    }
    file = goldloop.file(
        name, f"{','.join(row)}\n{','.join(row.values())}\n" if name == "rows.csv" else json.dumps(row)
    )
    if name == "rows.parquet":
        parquet.write_table(
            pyarrow.Table.from_pylist([{**row, "odd": None}, {**row, "external_id": "2", "odd": ""}]), file
        )
    assert " 0 rejected." in goldloop.run("ingest", file, "--queue", "support").stdout


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_corrections_are_written_to_a_file_with_every_answer_and_reason(
    goldloop: Terminal, database: Database, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PIECE", 2)
    goldloop.run("migrate")
    desk = opened(database, load_policy(goldloop.folder / "goldloop.toml"))
    item = desk.ticket("=1+1 charged twice", fields={"From": "Berlin"}, external_id="T-1")
    desk.click(ANA, item, BILLING, reason=ErrorReason.AMBIGUOUS, note="it says twice")
    desk.click(BEN, item, BILLING, note="so it does")
    for _ in range(4):
        desk.settled(ANA, BEN)
    done = goldloop.run("export", "corrections", name, "-q", "support")
    assert (done.returncode, done.stdout) == (0, f"5 corrections written to {name}.\n"), done.stderr
    first, *others = [row for _number, row in read_rows(goldloop.folder / name)]
    answers = first["answers"] if name == "rows.jsonl" else json.loads(first["answers"])
    assert [(one["label"], one["reason"], one["note"], one["person"]) for one in answers] == [
        (BILLING, "ambiguous", "it says twice", None),
        (BILLING, None, "so it does", None),
    ]
    text = "'=1+1 charged twice" if name == "rows.csv" else "=1+1 charged twice"
    assert (first["external_id"], first["text"], first["label"], first["note"]) == (
        "T-1",
        text,
        BILLING,
        "it says twice",
    )
    assert list(first) == list(export.TYPES) == [field.name for field in fields(CorrectionLine)]
    assert len(others) == 4


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_the_rows_that_a_model_was_trained_on_are_written_to_a_file(
    goldloop: Terminal, database: Database, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "PIECE", 5)
    model_id = promoted(seeded(opened(database, support_policy())))
    with database.reading() as session:
        head = training_set_of(session, queue_named(session, "support").id, model_id)
        rows = snapshot_rows(session, head.id)
    done = goldloop.run("export", "snapshot", name, "-q", "support")
    words = f"Snapshot {head.id} with {len(rows)} rows written to {name}.\n"
    assert (done.returncode, done.stdout) == (0, words), done.stderr
    written = [row for _number, row in read_rows(goldloop.folder / name)]
    assert [(row["text"], row["label"], float(row["weight"])) for row in written] == [
        (row.input.text, row.label, row.weight) for row in rows
    ]
    assert list(written[0]) == list(snapshots.TYPES)
    named = goldloop.run("export", "snapshot", f"named-{name}", "-q", "support", "--model", "v1")
    assert named.returncode == 0, named.stderr
    assert (goldloop.folder / f"named-{name}").read_bytes() == (goldloop.folder / name).read_bytes()


@pytest.mark.usefixtures("sqlite_only")
def test_without_a_live_model_the_export_asks_for_one(goldloop: Terminal, database: Database) -> None:
    opened(database, support_policy())
    done = goldloop.run("export", "snapshot", "rows.jsonl", "-q", "support")
    assert (done.returncode, "No model of support is live. Give --model." in done.stderr) == (2, True)
    done = goldloop.run("export", "snapshot", "rows.jsonl", "-q", "support", "--model", "9")
    assert (done.returncode, "This queue has no model 9." in done.stderr) == (2, True)
    assert list(goldloop.folder.glob("rows*")) == []


@pytest.mark.usefixtures("sqlite_only")
def test_an_export_overwrites_nothing_and_leaves_no_half_of_a_file(goldloop: Terminal) -> None:
    goldloop.run("migrate")
    there = goldloop.file("rows.csv", "precious")
    assert "rows.csv exists already" in goldloop.run("export", "corrections", there, "-q", "support").stderr
    assert (goldloop.folder / there).read_text() == "precious"
    assert (
        "must end in .csv, .jsonl, .parquet" in goldloop.run("export", "corrections", "a.txt", "-q", "support").stderr
    )
    assert goldloop.run("export", "corrections", "new.csv", "-q", "sales").returncode == 2
    assert not list(goldloop.folder.glob("new*"))
    none = goldloop.run("export", "corrections", "none.csv", "-q", "support")
    assert none.stdout == "0 corrections written to none.csv.\n"
    assert (goldloop.folder / "none.csv").read_text().startswith('"id","item_id","external_id","text"')


def test_reviewers_are_asked_again_about_a_stored_label(goldloop: Terminal) -> None:
    goldloop.run("migrate")
    goldloop.run("seed", goldloop.file("seed.csv", "text,label\ncharged twice,refund\n"), "--queue", "support")
    done = goldloop.run("ask-again", "--seed", "1", "--queue", "support")
    assert (done.returncode, done.stdout) == (0, "Item 1 was opened for the reviewers of support.\n"), done.stderr
    again = goldloop.run("ask-again", "--seed", "1", "--queue", "support")
    assert again.returncode == 2
    assert "asked about this label already (item 1)" in again.stderr
    assert "operator asked for a second look at the training label" in goldloop.run("explain", "item", "1").stdout


@pytest.mark.usefixtures("sqlite_only")
def test_a_pin_says_how_often_an_ordinary_retraining_breaks_one(goldloop: Terminal, database: Database) -> None:
    goldloop.run("migrate")
    rows = "".join(f"i want my money back for thing {number},refund\n" for number in range(40))
    goldloop.run("seed", goldloop.file("seed.csv", "text,label\n" + rows), "--queue", "support")
    assert "is a random example" in goldloop.run("golden", "pin", "1", "--queue", "support", "--by", CLEO).stderr
    with database.transaction() as session:
        session.execute(update(GoldenExample).values(stratum=Stratum.PAST_ERROR))
    done = goldloop.run("golden", "pin", "1", "--queue", "support", "--by", CLEO)
    assert "Golden example 1 is pinned (1 of 10)." in done.stdout, done.stderr
    assert "gets 3 to 10 of 100 past errors wrong again" in done.stdout
    shown = goldloop.run("golden", "show", "--queue", "support").stdout
    pinned = f"golden example 1: refund, pinned by {CLEO} "
    assert "1 past error pinned. `--past-errors` lists all" in shown
    assert pinned in shown
    assert "golden example 2: refund" not in shown
    listed = goldloop.run("golden", "show", "--past-errors", "--queue", "support").stdout
    assert pinned in listed
    assert "golden example 2: refund: i want my money back for thing" in listed
    done = goldloop.run("golden", "unpin", "1", "--queue", "support", "--by", CLEO)
    assert done.stdout == "Golden example 1 is not pinned. 0 past errors pinned.\n"
    assert "Only leads of support can pin" in goldloop.run("golden", "pin", "1", "-q", "support", "--by", "U9").stderr


def test_a_lead_keeps_the_golden_set_by_hand(goldloop: Terminal) -> None:
    goldloop.run("migrate")
    file = goldloop.file("own.csv", "text,label\ncharged twice,refund\nparcel late,delivery\n")
    done = goldloop.run("golden", "import", file, "--queue", "support")
    assert done.stdout.strip().startswith("2 golden, 0 already golden, 0 left out because they are used"), done.stderr
    by = ("--queue", "support", "--by", CLEO, "--why", "rule 4")
    for words, answer in (
        (("add", "my [red] chair", "delivery"), "Golden example 3 was added."),
        (("relabel", "1", "delivery"), "Golden example 1 is delivery now; it was refund."),
        (("retire", "2"), "Golden example 2 is retired."),
    ):
        done = goldloop.run("golden", *words, *by)
        assert (done.returncode, done.stdout.strip()) == (0, answer), done.stderr
    shown = goldloop.run("golden", "show", "--queue", "support").stdout
    assert "Random examples: 1 (1 from an imported test set)" in shown
    assert "Past errors: 1; used for training now: 0; retired: 1" in shown
    assert "With 1 random example, no drop in accuracy can be detected reliably." in shown
    assert f"{CLEO} relabelled golden example 1 (it was refund): rule 4" in shown
    listed = goldloop.run("golden", "suspects", "--queue", "support").stdout
    assert "0 labels on the list. Reviewers are asked about 5 a day." in listed
    refused = goldloop.run("golden", "retire", "1", "--queue", "support", "--by", ANA, "--why", "rule 4")
    assert refused.returncode == 2
    assert "Only leads of support can change the golden set" in refused.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("golden", "import", "missing.csv", "--queue", "support"), "missing.csv: there is no such file"),
        (("seed", "missing.csv", "--queue", "support"), "missing.csv: there is no such file"),
        (("seed", "goldloop.toml", "--queue", "support"), "a file must end in .csv, .jsonl, .parquet"),
        (
            ("ingest", "goldloop.toml", "--queue", "nonsense"),
            "There is no queue “nonsense”. The policy file defines: support.",
        ),
        (("explain", "item", "99"), "There is no item 99"),
        (("docs", "nonsense"), "There is no page “nonsense”. Pages: api, architecture, "),
        (("run",), "`goldloop docs slack`"),
        (("explain", "model", "99"), "There is no model 99"),
        (("rollback", "--queue", "support"), "support has no live model"),
        (("ask-again", "--queue", "support"), "Give exactly one of --golden, --seed and --correction"),
        (("ask-again", "--queue", "support", "--golden", "9"), "has no golden example 9"),
        (("ask-again", "--queue", "support", "--correction", "9"), "has no correction 9"),
        (("run",), "SLACK_BOT_TOKEN is not set"),
        (("sandbox", "missing.toml"), "missing.toml"),
    ],
)
@pytest.mark.usefixtures("sqlite_only")
def test_an_expected_no_is_a_sentence_and_exit_code_2(
    goldloop: Terminal, words: tuple[str, ...], sentence: str
) -> None:
    goldloop.run("migrate")
    done = goldloop.run(*words)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("postgresql://ann:secret-word@127.0.0.1:9/db", "refused"),
        ("sqlite:////no/such/folder/x.sqlite", "unable to open"),
    ],
)
def test_a_database_that_cannot_be_reached_is_said_with_its_reason(goldloop: Terminal, url: str, cause: str) -> None:
    goldloop.patch.setenv("DATABASE_URL", url)
    done = goldloop.run("migrate")
    said = " ".join(done.stderr.split())
    assert done.returncode == 2
    assert "Goldloop's database cannot be reached." in said
    assert "Database error: " in said
    assert cause in said
    assert "secret-word" not in said


@pytest.mark.usefixtures("sqlite_only")
def test_it_says_which_release_it_is(goldloop: Terminal) -> None:
    done = goldloop.run("--version")
    assert (done.returncode, done.stdout.split()) == (0, ["goldloop", version("goldloop")])
