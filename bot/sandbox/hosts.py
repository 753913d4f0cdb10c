"""Host names under which the workspace accepts requests. There is no login, so a page of another site in the same
browser must have no access, neither directly nor through a name of its own that resolves to this machine."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from bot.sandbox.errors import Refused


def require_own_host(request: Request) -> None:
    """Raises Refused for a foreign host name. Addresses and this machine's own names cannot be rebound."""
    host = request.headers.get("host", "")
    if not _is_ours(urlsplit(f"//{host}").hostname or ""):
        raise Refused(f"This workspace does not accept requests for {host}. Use its own address.", 403)


def _is_ours(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return name in ("localhost", socket.gethostname().lower())
