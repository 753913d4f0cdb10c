"""The workspace as a page for people: a shell rendered here, filled in the browser from `/control`.

The person is in the address, so that two windows can be two people. There is no login: everyone who can reach the page
can act as any person, so the workspace listens on loopback by default.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.sandbox.errors import Refused
from bot.sandbox.hosts import require_own_host
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Person, Workspace

HERE = Path(__file__).parent
WELCOME = "Pick a person and act as them; open a second person in another window to see both sides of a conversation."
TINTS = 8  # colours of avatars, .tint-0 to .tint-7 in base.css, by position in the workspace, as in avatars.js
ROLES = {"guest": "Guest", "external": "From another company", "deactivated": "Deactivated"}
# Images of blocks may come from anywhere, as in Slack. Scripts, styles and connections only from here.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: https: http:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(default=True))


def routes(sandbox: Sandbox) -> list[BaseRoute]:
    """`/`, `/as/<person>`, `/as/<person>/<channel or app>`, links to messages, and the static files."""
    workspace = sandbox.workspace

    async def start(request: Request) -> Response:
        require_own_host(request)
        return _rendered("start.html", _start(workspace, ""))

    async def archive(request: Request) -> Response:
        """Shows the list of people first, because a permalink does not name a person."""
        require_own_host(request)
        return _rendered("start.html", _start(workspace, _place_of_link(workspace, request)))

    async def shell(request: Request) -> Response:
        require_own_host(request)
        return _shell(workspace, request.path_params["person"])

    async def icon(request: Request) -> Response:
        return RedirectResponse("/static/icon.svg")

    return [
        Route("/", start, methods=["GET"]),
        Route("/as/{person}", shell, methods=["GET"]),
        Route("/as/{person}/{place}", shell, methods=["GET"]),
        Route("/archives/{channel}/{message}", archive, methods=["GET"]),
        Route("/favicon.ico", icon, methods=["GET"]),
        Mount("/static", Unstored(directory=HERE / "static"), name="static"),
    ]


class Unstored(StaticFiles):
    """Static files that the browser revalidates each time, because they have no versioned names."""

    def file_response(self, *args: object, **more: object) -> Response:
        response = super().file_response(*args, **more)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _shell(workspace: Workspace, reference: str) -> Response:
    try:
        person = workspace.acting(reference)
    except Refused as error:
        return _rendered("start.html", _start(workspace, "", error.sentence), error.status)
    values = {"person": person, "team": workspace.config.team_name, "modules": _modules()}
    return _rendered("shell.html", values)


def _modules() -> list[str]:
    """The names of all modules, to preload them at once instead of one import after another."""
    return sorted(path.name for path in (HERE / "static").glob("*.js") if path.name != "theme.js")


def _start(workspace: Workspace, place: str, problem: str = "") -> Json:
    return {
        "team": workspace.config.team_name,
        "welcome": workspace.config.welcome or WELCOME,
        "people": [_introduced(workspace, each) for each in workspace.people.values() if each.kind != "bot"],
        "apps": list(workspace.apps.values()),
        "place": place,
        "problem": problem,
    }


def _introduced(workspace: Workspace, person: Person) -> Json:
    channels = [
        each
        for each in workspace.channels.values()
        if each.im_with is None and not each.archived and person.id in each.members
    ]
    return {
        "id": person.id,
        "name": person.real_name,
        "initials": initials(person.real_name),
        "tint": list(workspace.people).index(person.id) % TINTS,
        "role": "Admin" if person.admin else ROLES.get(person.kind, ""),
        "away": person.kind == "deactivated",
        "channels": [each.name for each in channels],
    }


def initials(name: str) -> str:
    """Initials: at most two letters, of the first and the last word."""
    words = [word for word in name.replace("_", " ").replace("-", " ").split() if word[0].isalnum()] or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def _place_of_link(workspace: Workspace, request: Request) -> str:
    """The channel and message of `/archives/C1/p1700000000000100`, in the form of the page's addresses."""
    digits = request.path_params["message"].removeprefix("p")
    ts = f"{digits[:-6]}.{digits[-6:]}" if digits.isdecimal() and len(digits) > 6 else ""
    place = f"/{request.path_params['channel']}" if request.path_params["channel"] in workspace.channels else ""
    thread = request.query_params.get("thread_ts", "")
    thread = thread if thread.replace(".", "").isdecimal() else ""
    return place + (f"?thread={thread}&ts={ts}" if thread and ts else f"?ts={ts}" if place and ts else "")


def _rendered(name: str, values: Json, status: int = 200) -> Response:
    return Response(_templates.get_template(name).render(values), status, HEADERS, media_type="text/html")
