"""Under which names this workspace is to be reached. There is no login, so a page of another site, open in the same
browser, must not read or act here: not directly, and not by a name of its own that was made to lead here."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from bot.sandbox.errors import Refused


def require_own_host(request: Request) -> None:
    """Raises Refused. An address cannot be made to lead here, nor can the names that this machine has itself."""
    host = request.headers.get("host", "")
    if not _is_ours(urlsplit(f"//{host}").hostname or ""):
        raise Refused(f"{host} is not where this workspace is; use its address.", 403)


def _is_ours(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return name in ("localhost", socket.gethostname().lower())
