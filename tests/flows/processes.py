"""`goldloop run` as a process of its own, which may be killed at any moment.

Importing everything takes two seconds, most of it scikit-learn. So one process does that once, and each bot is forked
off it: a real process with its own id, memory and sockets, there in a moment.
"""

import multiprocessing
import os
import sys
from functools import cache
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from tests.people import support_policy, workspace

PRELOADED = [
    "bot.cli.app", "bot.cli.processes", "bot.server.run", "core.learning.learners.text", "scipy.stats",
    "scipy.optimize", "sklearn.feature_extraction.text", "sklearn.svm", "skops.io",
]  # fmt: skip


class Bot:
    """One process: `run`, `web` or `worker`. `more`: its environment beside what it needs to find its workspace."""

    def __init__(self, command: str, url: str, database_url: str, folder: Path, **more: str) -> None:
        app = workspace().apps[0]
        self.command = command
        self.environment = {
            "DATABASE_URL": database_url,
            "GOLDLOOP_POLICY": str(write_policy(folder)),
            "SLACK_API_URL": f"{url}/api/",
            "SLACK_BOT_TOKEN": app.bot_token,
            "SLACK_APP_TOKEN": app.app_token,
            **more,
        }
        self.process: ForkServerProcess | None = None

    def start(self) -> None:
        self.process = forking().Process(target=goldloop, args=(self.command, self.environment))
        self.process.start()

    def kill(self) -> None:
        """SIGKILL, which no process hears."""
        assert self.process is not None
        self.process.kill()
        self.process.join()

    def restart(self) -> None:
        self.kill()
        self.start()


def goldloop(command: str, environment: dict[str, str]) -> None:
    """What the process runs."""
    from bot.cli.app import main

    os.environ.update(environment)
    sys.argv = ["goldloop", command]
    main()


@cache
def forking() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def write_policy(folder: Path) -> Path:
    path = folder / "goldloop.toml"
    queue = support_policy().queues[0]
    lines = ["[queues.support]"]
    for name in ("channel", "leads_channel"):
        lines.append(f'{name} = "{getattr(queue, name)}"')
    for name in ("reviewers", "leads", "label_names"):
        lines.append(f"{name.replace('label_names', 'labels')} = {list(getattr(queue, name))!r}")
    lines += ["[queues.support.review]", "blind_share = 0.0", "[queues.support.golden]", "seed_share = 0.3"]
    path.write_text("\n".join(lines).replace("'", '"'), encoding="utf-8")
    return path
