"""`goldloop erase` as an operator types it."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.storage.database import Database
from tests.core.desk import opened
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
