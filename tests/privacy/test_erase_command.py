"""`goldloop erase` as an operator types it."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from bot.cli.erase import commands
from core.errors import Invalid
from core.records.queues import Member
from core.storage.database import Database
from tests.core.desk import opened
from tests.core.models import promoted, seeded
from tests.people import ANA, BEN, support_policy

pytestmark = pytest.mark.usefixtures("sqlite_only")

POLICY = """
[queues.support]
channel = "C_REVIEW"
leads_channel = "C_LEADS"
leads = ["U_CLEO"]
labels = ["refund", "billing error", "delivery"]
"""


def goldloop(folder: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from bot.cli.app import main; main()", *arguments],
        cwd=folder,
        env={"DATABASE_URL": url, "PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_it_says_in_numbers_what_it_did(tmp_path: Path, database: Database, database_url: str) -> None:
    desk = opened(database, support_policy())
    desk.settled(ANA, BEN, text="rosalind wants her money back", external_id="E-1")
    (tmp_path / "goldloop.toml").write_text(POLICY, encoding="utf-8")
    done = goldloop(tmp_path, database_url, "erase", "--external-id", "E-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "support: erased 1 prediction, 0 golden examples" in done.stdout
    assert "No model was trained on it." in done.stdout
    unknown = goldloop(tmp_path, database_url, "erase", "--external-id", "E-9")
    assert unknown.returncode == 2
    assert "No queue has a prediction with the external id “E-9”." in unknown.stderr


@pytest.mark.slow
def test_it_deletes_old_models_and_names_of_people_who_have_left(
    tmp_path: Path, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = seeded(opened(database, support_policy()))
    desk.settled(ANA, BEN, text="rosalind wants her money back", external_id="E-1")
    promoted(desk)
    promoted(desk)
    with database.transaction() as session:
        session.execute(update(Member).where(Member.person == ANA).values(active=False))
    (tmp_path / "goldloop.toml").write_text(POLICY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    done = erase("--external-id", "E-1", "--purge-models")
    assert "Models trained on it: v1, v2. To remove it from the live model, retrain" in done
    assert "Models deleted: v1. Training run 3 is queued. Promote its model." in done
    gone = erase("--person", ANA)
    assert gone.startswith("Replaced U_ANA by former-")
    assert "in 1 vote, 0 approvals, 0 decisions and 0 other rows." in gone
    for wrong in ((), ("--person", ANA, "--purge-models"), ("--person", ANA, "--external-id", "E-1")):
        with pytest.raises(Invalid, match="or --person alone"):
            erase(*wrong)


def erase(*arguments: str) -> str:
    """In this process."""
    return CliRunner().invoke(commands, arguments, catch_exceptions=False).output
