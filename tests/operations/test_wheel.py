"""The built wheel works away from the checkout: migrations, manifest, pages and data are inside. `make wheel-test`."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from bot.cli.pages import page_names
from bot.demo.place import __file__ as demo_file

pytestmark = [pytest.mark.release, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *words: str | Path) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "GOLDLOOP_", "PYTHON"))}
    done = subprocess.run([str(word) for word in words], cwd=folder, env=kept, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The folder of programs of a new environment with the wheel in it. What Goldloop needs is lent by ours: a path
    in a .pth file brings our packages, but not our editable install of Goldloop itself."""
    run(ROOT, sys.executable, "-m", "pip", "wheel", ROOT, "--no-deps", "--quiet", "--wheel-dir", tmp_path)
    [wheel] = tmp_path.glob("goldloop-*.whl")
    place = tmp_path / "environment"
    venv.create(place, with_pip=False)
    target = place / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    (target / "lent.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--python", place / "bin" / "python", "install")
    run(tmp_path, *pip, "--no-deps", "--no-index", "--ignore-installed", "--quiet", wheel)
    return place / "bin"


def test_an_empty_folder_becomes_a_goldloop(installed: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    goldloop = installed / "goldloop"
    where = run(empty, installed / "python", "-c", "import bot, core; print(bot.__file__, core.__file__)")
    assert where.count(str(installed.parent)) == 2
    assert "Goldloop" in run(empty, goldloop, "manifest")
    ids = ("--channel=C1", "--leads-channel=C2", "--lead=U1", "--label=a", "--label=b", "--time-zone=UTC")
    assert "Wrote goldloop.toml with" in run(empty, goldloop, "init", "--queue=support", "--title=Support", *ids)
    assert "The database is up to date." in run(empty, goldloop, "migrate")
    assert (empty / "goldloop.sqlite").stat().st_size > 0
    (empty / "rows.csv").write_text("text,label\nfirst,a\nsecond,b\n", encoding="utf-8")
    assert "0 already stored." in run(empty, goldloop, "seed", "rows.csv", "--queue=support")


def test_a_sender_installs_the_client_without_the_server(tmp_path: Path) -> None:
    run(ROOT, sys.executable, "-m", "pip", "wheel", ROOT / "client", "--no-deps", "--quiet", "--wheel-dir", tmp_path)
    [wheel] = tmp_path.glob("goldloop_client-*.whl")
    assert {"goldloop_client/py.typed", "goldloop_client/client.py"} < set(ZipFile(wheel).namelist())
    venv.create(tmp_path / "sender", with_pip=False)
    python = tmp_path / "sender" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(tmp_path, *pip, "install", "--quiet", "-c", ROOT / ".constraints.txt", wheel)
    run(tmp_path, python, "-c", "import goldloop_client; goldloop_client.Client('http://127.0.0.1:9', 't').close()")
    there = {line.split("==")[0] for line in run(tmp_path, *pip, "list", "--format=freeze").split()}
    assert {"goldloop-client", "httpx", "pydantic"} <= there
    assert there.isdisjoint({"goldloop", "sqlalchemy", "urllib3", "fastapi"})


MOST_MB = 510


@pytest.mark.timeout(1800)  # it downloads two hundred megabytes and compiles them
def test_an_installation_without_extras_is_small_and_is_told_its_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real one, with everything that it needs, compiled by pip."""
    run(ROOT, sys.executable, "-m", "pip", "wheel", ROOT, "--no-deps", "--quiet", "--wheel-dir", tmp_path)
    [wheel] = tmp_path.glob("goldloop-*.whl")
    venv.create(tmp_path / "bare", with_pip=False)
    python = tmp_path / "bare" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(tmp_path, *pip, "install", "--quiet", "-c", ROOT / ".constraints.txt", wheel)
    libraries = tmp_path / "bare" / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    size = sum(file.lstat().st_blocks * 512 for file in libraries.rglob("*")) / 2**20
    with capsys.disabled():
        sys.stdout.write(f"\nInstalled, with bytecode: {size:.0f} MB (at most {MOST_MB})\n")
    there = {line.split("==")[0].lower() for line in run(tmp_path, *pip, "list", "--format=freeze").split()}
    assert there.isdisjoint({"pyarrow", "phonenumbers", "python-stdnum"})
    code = "import bot.demo.play, bot.demo.place, bot.server.run, core.learning.learners.text"  # as `goldloop demo`
    run(tmp_path, python, "-c", code)
    assert size <= MOST_MB


def test_the_pages_that_errors_name_travel_too(installed: Path) -> None:
    assert run(installed, installed / "goldloop", "docs").split() == page_names()
    page = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
    assert run(installed, installed / "goldloop", "docs", "slack").strip() == page.strip()


def test_the_pages_and_data_of_the_demo_travel_too(installed: Path) -> None:
    package = Path(run(installed, installed / "python", "-c", "import bot; print(bot.__file__)").strip()).parent
    for folder in (ROOT / "bot" / "sandbox" / "static", ROOT / "bot" / "sandbox" / "templates", Path(demo_file).parent):
        names = {path.name for path in folder.iterdir() if path.is_file()}
        assert names == {path.name for path in (package / folder.relative_to(ROOT / "bot")).iterdir() if path.is_file()}


def test_the_example_of_a_service_is_built_and_keeps_the_contract(tmp_path: Path) -> None:
    """In a new environment, with the client alone; what both need is lent by ours, as above."""
    example = ROOT / "examples" / "own-model"
    for source in (ROOT / "client", example):
        run(ROOT, sys.executable, "-m", "pip", "wheel", source, "--no-deps", "--quiet", "--wheel-dir", tmp_path)
    client, service = sorted(tmp_path.glob("goldloop_*.whl"))
    assert "own_model/service.py" in ZipFile(service).namelist()
    place = tmp_path / "place"
    venv.create(place, with_pip=False)
    target = place / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    (target / "lent.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    python = place / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install")
    run(tmp_path, *pip, "--no-deps", "--no-index", "--ignore-installed", "--quiet", client, service)
    (tmp_path / "test_contract.py").write_text((example / "tests" / "test_contract.py").read_text(encoding="utf-8"))
    told = run(tmp_path, python, "-m", "pytest", "-p", "no:cacheprovider", "-rs", "test_contract.py")
    assert re.search(r"= [1-9]\d* passed in ", told), told  # none skipped
    assert (place / "bin" / "own-model").exists()
