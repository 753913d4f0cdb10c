"""`goldloop model …` as operators type it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cli.context import model_meant
from core.errors import Invalid
from core.storage.database import Database
from tests.core.desk import NOW, opened, sent
from tests.core.learning.test_shadow import worked
from tests.core.models import candidate, promoted, seeded
from tests.flows.test_terminal import Terminal, goldloop
from tests.people import CLEO, support_policy

__all__ = ["goldloop"]


@pytest.fixture
def terminal(goldloop: Terminal, database: Database) -> Terminal:
    """With a live model."""
    promoted(seeded(opened(database, support_policy())))
    return goldloop


def test_a_model_is_shown_as_text_and_as_json(terminal: Terminal) -> None:
    shown = terminal.run("model", "show", "1")
    assert shown.returncode == 0, shown.stderr
    assert "v1 (model 1)\n  State: live.\n" in shown.stdout
    assert f"promoted by {CLEO}" in shown.stdout
    card = json.loads(terminal.run("model", "show", "1", "--json").stdout)
    assert (card["name"], card["state"], card["decisions"][0]["leads"]) == ("v1", "live", [CLEO])


def test_a_model_may_be_named_as_people_name_it(terminal: Terminal) -> None:
    by_id = terminal.run("model", "show", "1").stdout
    assert by_id
    assert terminal.run("model", "show", "v1").stdout == by_id
    assert terminal.run("model", "show", "v1", "--queue", "support").stdout == by_id
    history = terminal.run("explain", "model", "1").stdout
    assert history
    assert terminal.run("explain", "model", "v1").stdout == history


def test_of_several_queues_a_name_needs_one(terminal: Terminal, database: Database) -> None:
    support = support_policy()
    policy = support.model_copy(
        update={"queues": (support.queues[0].model_copy(update={"name": "billing"}), *support.queues)}
    )
    with database.reading() as session:
        with pytest.raises(Invalid, match=r"Give --queue: billing, support\."):
            model_meant(session, policy, "v1", "")
        assert model_meant(session, policy, "v1", "support") == model_meant(session, policy, "1", "") == 1


def test_evidence_is_written_once_and_verified_without_a_database(terminal: Terminal) -> None:
    written = terminal.run("model", "evidence", "1")
    assert written.returncode == 0, written.stderr
    digest = written.stdout.split("Digest: ")[1].strip()
    again = terminal.run("model", "evidence", "1")
    assert (again.returncode, "exists already" in again.stderr) == (2, True)
    terminal.patch.setenv("DATABASE_URL", "sqlite:////no/such/folder/x.sqlite")
    terminal.patch.setenv("GOLDLOOP_POLICY", "missing.toml")
    verified = terminal.run("model", "verify", "support-v1-evidence.zip", "--digest", digest)
    assert (verified.returncode, verified.stdout) == (
        0,
        f"The evidence of v1 of support is unchanged.\nDigest: {digest}\n",
    )
    other = terminal.run("model", "verify", "support-v1-evidence.zip", "--digest", "0" * 64)
    assert (other.returncode, "This is a different evidence pack" in other.stdout) == (2, True)


@pytest.mark.usefixtures("sqlite_only")
def test_a_file_that_was_changed_is_named(terminal: Terminal) -> None:
    terminal.run("model", "evidence", "1", "--out", "pack.zip")
    packed = bytearray(Path("pack.zip").read_bytes())
    packed[packed.index(b"card.json") + 20] ^= 0xFF
    Path("changed.zip").write_bytes(packed)
    done = terminal.run("model", "verify", "changed.zip")
    assert (done.returncode, done.stdout) == (2, "card.json is damaged and cannot be read.\n")


@pytest.mark.usefixtures("sqlite_only")
def test_a_shadow_is_printed_with_its_disagreements(goldloop: Terminal, database: Database) -> None:
    desk = seeded(opened(database, support_policy(rollout={"shadow_hours": 24})))
    candidate(desk)
    worked(desk, NOW)
    desk.ingest(sent("where is the parcel with my lamp", {"refund": 0.9, "delivery": 0.1}, external_id="T-1"))
    worked(desk, NOW + timedelta(minutes=1))
    assert goldloop.run("model", "shadow", "1").stdout.splitlines() == [
        "The shadow is running until 2026-11-25 09:00 UTC. So far:",
        "In shadow, it agreed with the stored answers on 0 of 1 prediction (0.0%).",
        "refund: agreed in 0 of 1 (0%)",
        "refund → delivery: 1",
    ]
    apart = json.loads(goldloop.run("model", "shadow", "1", "--examples").stdout)
    assert (apart["id"], apart["answered"], apart["candidate"]) == ("T-1", "refund", "delivery")


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "9"), "There is no model 9"),
        (("show", "v9"), "The queue support has no model v9"),
        (("show", "v1", "--queue", "nowhere"), "nowhere"),
        (("show", "seven"), "“seven” is not a model. Give its name, such as v7, or its id."),
        (("shadow", "1"), "Model 1 was never in shadow"),
        (("evidence", "9"), "There is no model 9"),
        (("evidence", "1", "--out", "no/folder/x.zip"), "no/folder/x.zip cannot be written"),
        (("verify", "missing.zip"), "missing.zip cannot be read"),
        (("verify", "goldloop.toml"), "This is not an evidence pack"),
    ],
)
def test_an_expected_no_is_a_sentence(terminal: Terminal, words: tuple[str, ...], sentence: str) -> None:
    done = terminal.run("model", *words)
    assert done.returncode == 2
    assert sentence in done.stderr
