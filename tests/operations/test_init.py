"""`goldloop init` writes a policy that loads, whatever the labels are called, and never over another file."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner, Result

from bot.cli.app import app
from bot.cli.policy_template import EXAMPLES, HEAD, Answers, policy_text
from core.errors import Invalid
from core.policy import QueuePolicy
from core.policy.file import load_policy, parse_policy

BY_OPTION = (
    "--queue=support",
    "--title=Support",
    "--channel=C0REVIEW",
    "--leads-channel=C0LEADS",
    "--lead=U0CLEO",
    "--lead=U0KIM",
    "--reviewer=U0ANA",
    "--reviewer=U0BEN",
    "--time-zone=Europe/Berlin",
)
ANSWERS = ("support", "Support tickets", "C0REVIEW", "C0LEADS", "U0CLEO", "U0ANA, U0BEN", "refund, delivery", "UTC")


@pytest.mark.parametrize(("words", "zone"), [((), "UTC"), (("--time-zone=Asia/Tokyo",), "Asia/Tokyo")])
def test_a_script_needs_no_time_zone(path: Path, words: tuple[str, ...], zone: str) -> None:
    done = init(path, *BY_OPTION[:-1], "--label=a", "--label=b", *words)
    assert done.exit_code == 0, done.output
    assert load_policy(path).queues[0].time_zone == zone


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "goldloop.toml"


def init(path: Path, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["init", "--file", str(path), *words], input=typed)


def said_no(result: Result) -> str:
    assert isinstance(result.exception, Invalid)
    return str(result.exception)


def only_queue(path: Path) -> QueuePolicy:
    [queue] = load_policy(path).queues
    return queue


def test_it_asks_and_what_it_writes_loads(path: Path) -> None:
    done = init(path, typed="\n".join(ANSWERS))
    assert done.exit_code == 0
    assert done.output.endswith("then run `goldloop migrate` and `goldloop doctor`.\n")
    queue = only_queue(path)
    assert (queue.name, queue.title, queue.channel, queue.leads_channel) == ANSWERS[:4]
    assert (queue.leads, queue.reviewers, queue.label_names) == (
        ("U0CLEO",),
        ("U0ANA", "U0BEN"),
        ("refund", "delivery"),
    )


def test_an_answer_that_cannot_be_is_asked_for_again(path: Path) -> None:
    typed = [
        "Support!",
        "support",
        "",
        "#review",
        "C0REVIEW",
        "C0LEADS",
        "",
        "U0CLEO",
        "",
        "refund",
        "refund, delivery",
    ]
    done = init(path, typed="\n".join([*typed, "Berlin", "Europe/Berlin"]))
    assert done.exit_code == 0, done.output
    for sentence in (
        "use lowercase letters",
        "“#review” is not a Slack id",
        "Enter at least two labels",
        "“Berlin” is not a time",
    ):
        assert sentence in done.output
    assert only_queue(path).reviewers == ()


def test_by_options_it_asks_nothing(path: Path) -> None:
    assert init(path, *BY_OPTION, "--label", "refund", "--label", "late, or lost").exit_code == 0
    queue = only_queue(path)
    assert queue.label_names == ("refund", "late, or lost")
    assert queue.leads == ("U0CLEO", "U0KIM")
    assert queue.admins == ()


def test_admins_and_user_groups_are_named_by_option(path: Path) -> None:
    named = ("--admin=U0MIA", "--admin=S0ADMINS", "--lead=S0LEADS")
    assert init(path, *BY_OPTION, *named, "--label", "refund", "--label", "delivery").exit_code == 0
    assert only_queue(path).admins == ("U0MIA", "S0ADMINS")
    assert only_queue(path).leads == ("U0CLEO", "U0KIM", "S0LEADS")


def test_the_labels_may_come_from_a_data_file_the_most_frequent_first(path: Path, tmp_path: Path) -> None:
    data = tmp_path / "seed.csv"
    data.write_text("text,label\na,delivery\nb,refund\nc,refund\nd,\u201codd\u201d = 1\n", encoding="utf-8")
    assert init(path, *BY_OPTION, "--labels-from", str(data)).exit_code == 0
    assert only_queue(path).label_names == ("refund", "delivery", "“odd” = 1")


def test_a_file_that_is_there_is_not_touched(path: Path) -> None:
    path.write_text("mine", encoding="utf-8")
    assert "already exists and was not changed" in said_no(init(path, *BY_OPTION, "--label", "a", "--label", "b"))
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--label", "refund"), "labels"),
        (("--label", "refund", "--label", "refund"), "is listed twice"),
        ((), "No file was written: --label or --labels-from is missing"),
        (("--labels-from", "nowhere.csv"), "there is no such file"),
        (
            ("--label", "a", "--label", "b", "--labels-from", "nowhere.csv"),
            "Use either --label or --labels-from, not both.",
        ),
        (("--label", "a", "--label", "b", "--channel", "#review"), "is not a Slack id"),
    ],
)
def test_what_would_not_load_is_not_written(path: Path, words: tuple[str, ...], sentence: str) -> None:
    assert sentence in said_no(init(path, *BY_OPTION, *words))
    assert not path.exists()


def test_every_default_it_shows_is_the_default(path: Path) -> None:
    """Taking the # away from all of them changes nothing; the example of a setting without a default is left alone."""
    names = ("refund", 'say "no"', "back\\slash", "tab\there", "del\x7f", "umlaut ü")
    text = policy_text(Answers("support", "Support", "C1", "C2", (), ("U1",), names, "UTC"))
    path.write_text(text, encoding="utf-8")
    as_written = only_queue(path)
    assert as_written.label_names == names
    defaults = re.sub(r"^# (\w+ = )(?!.*# example)", r"\1", text.removeprefix(HEAD), flags=re.MULTILINE)
    path.write_text(defaults, encoding="utf-8")
    assert only_queue(path).fingerprint == as_written.fingerprint
    assert "\nconfidence = 0.8\n" in path.read_text(encoding="utf-8")


def test_each_line_behind_a_hash_works_when_the_hash_is_taken_away() -> None:
    given = Answers("support", "Support", "C1", "C2", (), ("U1",), ("a", "b"), "UTC")
    text = policy_text(given)
    lines = re.findall(r"^# ((\w+) = .*)$", text, flags=re.MULTILINE)
    assert sorted(name for _, name in lines) == sorted(set_by_default({*vars(given), "queue", "name"}))
    for line, name in lines:
        raw = tomllib.loads(text.replace(f"\n# {line}\n", f"\n{line}\n"))
        assert raw != tomllib.loads(text)
        [queue] = parse_policy(raw, "the policy").queues
        assert queue.retraining.cron == (EXAMPLES["cron"] if name == "cron" else None)


def set_by_default(given: set[str]) -> Iterator[str]:
    """Every setting of a queue and of its sections for which there is no prompt."""
    for name, field in QueuePolicy.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from field.annotation.model_fields
        elif name not in given:
            yield name
