"""The installed versions are the tested ones: each dependency has one version, within its range."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.security.advisories import LOCK, NONE, SOME, UNREACHABLE, judged

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11.0", "3.12.0", "3.13.0")
CLEAN = {"name": "rich", "version": "15.0.0", "vulns": []}
HOLED = {"name": "jinja2", "version": "3.0.0", "vulns": [{"id": "CVE-1", "fix_versions": ["3.1.6"]}]}
UNASKED = {"name": "alembic", "skip_reason": "Dependency not found"}


def locked(python: str) -> dict[str, str]:
    """Name to version, for one version of Python on Linux."""
    there = {"python_full_version": python, "python_version": python.rsplit(".", 1)[0], "sys_platform": "linux"}
    found: dict[str, str] = {}
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        pinned = Requirement(line)
        if pinned.marker is None or pinned.marker.evaluate(there):
            [version] = pinned.specifier
            assert version.operator == "=="
            assert pinned.name not in found, "two versions of one"
            found[pinned.name] = version.version
    return found


@pytest.mark.parametrize("python", PYTHONS)
def test_whatever_the_project_needs_has_one_version_within_its_range(python: str) -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    versions = locked(python)
    for wanted in map(Requirement, needed):
        assert wanted.name in versions, f"run: make lock ({wanted.name} has no version)"
        assert versions[wanted.name] in wanted.specifier, f"run: make lock ({wanted})"


def test_the_versions_come_from_nowhere_in_particular() -> None:
    text = LOCK.read_text(encoding="utf-8")
    assert not any(sign in text for sign in ("://", "@", "--"))


@pytest.mark.parametrize("used", ["Makefile"])
def test_they_are_what_is_installed(used: str) -> None:
    assert f"-c {LOCK.name} -e '.[dev]'" in (ROOT / used).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        ([CLEAN], NONE, "No known holes in 1 packages."),
        ([CLEAN, HOLED], SOME, "jinja2 3.0.0: CVE-1, mended in 3.1.6"),
        ([HOLED, UNASKED], SOME, "Not asked about: alembic."),
        ([CLEAN, UNASKED], NONE, "Not asked about: alembic."),
        ([UNASKED], UNREACHABLE, "could not be reached"),
        ([], UNREACHABLE, "could not be reached"),
    ],
)
def test_what_an_audit_comes_to(found: list[dict[str, Any]], code: int, words: str) -> None:
    ended, said = judged({"dependencies": found})
    assert ended == code
    assert words in said
