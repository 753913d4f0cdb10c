"""deploy/: the image and the compose file keep what docs/operations.md promises of them. `.ci/image` builds them where
a builder runs; here they are read and linted, and the health check is run."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from typer.main import get_command

from bot.cli.app import app
from bot.runtime.settings import Settings
from tests.web import web_server

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "Containerfile"
COMPOSE = ROOT / "deploy" / "compose.yaml"
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def instructions() -> Iterator[tuple[str, str]]:
    """Each instruction with its arguments, in order."""
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for whole in "\n".join(lines).replace("\\\n", " ").splitlines():
        if whole.strip():
            name, arguments = whole.split(None, 1)
            yield name, " ".join(arguments.split())


def last_stage() -> dict[str, str]:
    """The last of each instruction in the stage that becomes the image."""
    found: dict[str, str] = {}
    for name, arguments in instructions():
        found = {} if name == "FROM" else found | {name: arguments}
    return found


def compose() -> Any:
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))


def services() -> list[Any]:
    return [pytest.param(service, id=name) for name, service in compose()["services"].items()]


@pytest.mark.skipif(sys.platform == "win32", reason="hadolint is not packaged for Windows")
def test_the_linter_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint is not None, "run: make setup"
    done = subprocess.run([hadolint, "--no-color", FILE], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_goldloop_as_a_user_without_rights() -> None:
    stage = last_stage()
    user, group = stage["USER"].split(":")
    assert int(user) >= 10_000
    assert int(group) >= 10_000
    assert json.loads(stage["ENTRYPOINT"]) == ["goldloop"]
    assert json.loads(stage["CMD"])[0] in get_command(app).commands  # type: ignore[attr-defined]


def test_what_the_wheel_takes_along_is_copied_before_it_is_built() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"])
    copied = {source for name, arguments in instructions() if name == "COPY" for source in arguments.split()}
    assert needed <= copied


def test_what_the_image_copies_is_there_and_nothing_else_is_sent_to_the_builder() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = [
        source
        for name, arguments in instructions()
        if name == "COPY" and "--from" not in arguments
        for source in arguments.split()[:-1]
    ]
    assert sorted(sources) == sorted(kept)
    assert all((ROOT / source).exists() for source in sources)
    assert not any(fnmatch(secret, one) for one in kept for secret in (".env", "goldloop.toml", "goldloop.sqlite"))


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (503, 1), (None, 1)])
def test_its_health_check_fails_where_the_process_does_not_answer(
    unused_port: int, status: int | None, exit_code: int
) -> None:
    command = json.loads(last_stage()["HEALTHCHECK"].split("CMD", 1)[1])
    check = [sys.executable, *command[1:]]
    environment = {**os.environ, "PORT": str(unused_port)}
    if status is None:
        assert subprocess.run(check, env=environment, capture_output=True).returncode == exit_code
        return
    web = Starlette(routes=[Route("/health/live", lambda _request: Response(status_code=status))])
    with web_server(web, unused_port):
        assert subprocess.run(check, env=environment, capture_output=True).returncode == exit_code


@pytest.mark.parametrize("service", services())
def test_every_service_has_a_read_only_root_and_no_rights(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert not service.get("privileged")
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_web_and_worker_wait_for_postgresql_and_get_time_to_stop() -> None:
    services = compose()["services"]
    assert "healthcheck" in services["database"]
    for name in ("web", "worker"):
        service = services[name]
        assert service["command"] == [name]
        assert (COMPOSE.parent / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == FILE
        assert service["depends_on"] == {"database": {"condition": "service_healthy"}}
        assert int(service["stop_grace_period"].removesuffix("s")) > Settings().stop_seconds
        assert service["environment"]["DATABASE_URL"].startswith("postgresql://")


def test_secrets_come_from_outside_and_the_page_names_each() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{(\w+)", text))
    assert asked == {"POSTGRES_PASSWORD", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"}
    [example] = re.findall(r"```\n\s*(POSTGRES_PASSWORD=.*?)```", PAGE, re.DOTALL)
    assert set(re.findall(r"^\s*(\w+)=", example, re.MULTILINE)) == asked
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"deploy/.env", "deploy/goldloop.toml"} <= set(ignored)
