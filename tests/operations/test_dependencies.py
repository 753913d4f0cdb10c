"""Private parts of dependencies that we use exist in the installed versions.

Where one of these fails after an upgrade, look at the module named beside it before the version's upper bound in
pyproject.toml is raised.
"""

import shutil
import subprocess
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from slack_sdk.socket_mode.builtin.client import SocketModeClient
from slack_sdk.socket_mode.builtin.connection import Connection
from uvicorn.server import ServerState

PROTOCOLS = {
    "h11": ("uvicorn.protocols.http.h11_impl", "H11Protocol"),
    "httptools": ("uvicorn.protocols.http.httptools_impl", "HttpToolsProtocol"),
}


def set_at_birth(kind: type[Any]) -> set[str]:
    """Names of the attributes that the constructor sets, and those of methods."""
    return {*kind.__init__.__code__.co_names, *dir(kind)}


def require(kind: type[Any], there: set[str], needed: set[str], where: str) -> None:
    missing = sorted(needed - there)
    assert not missing, f"{kind.__module__}.{kind.__name__} has no {', '.join(missing)} any more; {where} needs it"


@pytest.mark.parametrize("library", PROTOCOLS)
def test_uvicorns_connections_say_what_they_owe_us(library: str) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed, so uvicorn does not use it")
    path, name = PROTOCOLS[library]
    module = import_module(path)
    protocol, cycle = getattr(module, name), module.RequestResponseCycle
    where = "bot/server/slow_clients.py"
    require(protocol, set_at_birth(protocol), {"cycle", "timeout_keep_alive_task", "transport"}, where)
    require(cycle, set_at_birth(cycle), {"more_body", "response_complete"}, where)


def test_uvicorns_server_counts_its_connections_and_ticks() -> None:
    where = "bot/server/slow_clients.py"
    require(
        uvicorn.Server, set_at_birth(uvicorn.Server), {"server_state", "main_loop", "on_tick", "should_exit"}, where
    )
    require(ServerState, set(vars(ServerState())), {"connections"}, where)


def test_slacks_socket_says_how_it_is_and_lets_itself_be_woken() -> None:
    where = "bot/slack/inbound/socket_mode.py"
    of_client = {
        "socket_mode_request_listeners",
        "auto_reconnect_enabled",
        "closed",
        "message_queue",
        "current_session",
    }
    require(SocketModeClient, set_at_birth(SocketModeClient), of_client, where)
    require(Connection, set_at_birth(Connection), {"last_ping_pong_time", "sock"}, where)


def test_a_missing_attribute_is_named() -> None:
    class Renamed:
        def __init__(self) -> None:
            self.exchange = None

    with pytest.raises(AssertionError, match=r"Renamed has no cycle any more; bot/server/slow_clients\.py needs it"):
        require(Renamed, set_at_birth(Renamed), {"cycle"}, "bot/server/slow_clients.py")


def test_the_demo_is_set_up_without_the_tools_for_development(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    for name in ("Makefile", "pyproject.toml", ".constraints.txt", "client/pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(root / name, tmp_path / name)

    def planned(target: str) -> str:
        return subprocess.run(["make", "-n", target], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert ("-e . -e client" in planned("demo"), "[dev]" in planned("demo")) == (True, False)
    assert planned("test").index("-e . -e client") < planned("test").index("-e '.[dev]' -e client")
