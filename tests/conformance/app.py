"""The small app of app.js in Bolt for Python: it logs what it hears and what it is answered, a JSON object a line.

Started by compare.py with its settings as JSON: api, mode (socket or http), port, log, bot_token, app_token, secret.
"""

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from slack_bolt import App, Args, BoltContext
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

Json = dict[str, Any]
Listener = Callable[[Args], None]

SURFACES: Json = json.loads(Path(__file__).with_name("surfaces.json").read_text(encoding="utf-8"))
PLAIN_ACTIONS = ("more", "label", "sure", "reasons", "day", "time", "moment", "owner", "place", "tags")
PLAIN_EVENTS = ("member_joined_channel", "member_left_channel", "user_change")
PAGES = 9  # at most, of one list


class Log:
    def __init__(self, path: str) -> None:
        self._file = Path(path).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115  (open as long as the process)
        self._lock = threading.Lock()

    def write(self, kind: str, **fields: object) -> None:
        with self._lock:
            self._file.write(json.dumps({"kind": kind, **fields}) + "\n")

    def hear(self, body: Json, context: BoltContext, next: Callable[[], object]) -> None:
        who = {"bot_id": context.bot_id, "bot_user_id": context.bot_user_id, "team_id": context.team_id}
        self.write("heard", body=body, context=who)
        next()

    def listener(self, listen: Listener) -> Listener:
        """Notes the end of what a listener does, and what it fails with."""

        def listener(args: Args) -> None:
            try:
                listen(args)
            except Exception as error:
                self.write("answer", to="listener", failed=repr(error))
                raise
            finally:
                self.write("done")

        return listener

    def call(self, client: WebClient, method: str, **arguments: object) -> Json:
        """Calls a method of the Web API and notes its answer, whatever it is."""
        named: Callable[..., Any] = getattr(client, method.replace(".", "_"))
        answer: Json
        try:
            answer = dict(named(**arguments).data)
        except SlackApiError as error:
            answer = refusal(error)
        self.write("answer", to=method, answer=answer)
        return answer

    def respond(self, args: Args, **message: Any) -> None:
        response = args.respond(**message)
        body = response.body if response.status_code == 200 else None
        self.write("answer", to="response_url", status=response.status_code, body=body)


def refusal(error: SlackApiError) -> Json:
    if error.response.status_code == 429:
        return {"ok": False, "error": "ratelimited", "retry_after": int(error.response.headers["Retry-After"])}
    if error.response.status_code != 200:
        return {"ok": False, "status": error.response.status_code}
    return dict(error.response.data)


def listen_to_events(app: App, log: Log) -> None:
    def message(args: Args) -> None:
        if args.payload.get("text") == "hello":
            log.write("answer", to="say", answer=args.say(f"Hi <@{args.payload['user']}>").data)

    def mention(args: Args) -> None:
        answer = args.say(text="You called?", thread_ts=args.payload["ts"])
        log.write("answer", to="say", answer=answer.data)

    def reaction_added(args: Args) -> None:
        item = args.payload["item"]
        place = {"channel": item["channel"], "timestamp": item["ts"]}
        log.call(args.client, "reactions.add", **place, name="eyes")
        log.call(args.client, "reactions.add", **place, name="eyes")
        log.call(args.client, "reactions.get", **place, full=True)

    def reaction_removed(args: Args) -> None:
        item = args.payload["item"]
        place = {"channel": item["channel"], "timestamp": item["ts"]}
        log.call(args.client, "reactions.remove", **place, name="eyes")
        log.call(args.client, "reactions.remove", **place, name="eyes")

    def home_opened(args: Args) -> None:
        log.call(args.client, "views.publish", user_id=args.payload["user"], view=SURFACES["home"])

    app.event("message")(log.listener(message))
    app.event("app_mention")(log.listener(mention))
    app.event("reaction_added")(log.listener(reaction_added))
    app.event("reaction_removed")(log.listener(reaction_removed))
    app.event("app_home_opened")(log.listener(home_opened))
    for name in PLAIN_EVENTS:
        app.event(name)(log.listener(lambda args: None))


def listen_to_actions(app: App, log: Log) -> None:
    def approve(args: Args) -> None:
        args.ack()
        place = {"channel": args.body["channel"]["id"], "ts": args.body["message"]["ts"]}
        log.call(args.client, "chat.update", **place, text="Settled.", blocks=SURFACES["settled"])

    def replace(args: Args) -> None:
        args.ack()
        log.respond(args, replace_original=True, text="Replaced.")

    def remove(args: Args) -> None:
        args.ack()
        log.respond(args, delete_original=True)

    def whisper(args: Args) -> None:
        args.ack()
        log.respond(
            args, response_type="ephemeral", replace_original=False, text="Only you.", blocks=SURFACES["whisper"]
        )

    def form(args: Args) -> None:
        args.ack()
        log.call(args.client, "views.open", trigger_id=args.body["trigger_id"], view=SURFACES["form"])
        log.call(args.client, "views.open", trigger_id=args.body["trigger_id"], view=SURFACES["form"])

    def change_view(args: Args) -> None:
        args.ack()
        view = args.body["view"]
        changed = {**SURFACES["form"], "title": {"type": "plain_text", "text": "Changed"}}
        log.call(args.client, "views.update", view_id=view["id"], hash=view["hash"], view=changed)
        log.call(args.client, "views.update", view_id=view["id"], hash=view["hash"], view=changed)

    def push_view(args: Args) -> None:
        args.ack()
        log.call(args.client, "views.push", trigger_id=args.body["trigger_id"], view=SURFACES["next"])

    def refresh(args: Args) -> None:
        args.ack()
        view = {**SURFACES["home"], "private_metadata": "second"}
        hash = args.body["view"]["hash"]
        log.call(args.client, "views.publish", user_id=args.body["user"]["id"], hash=hash, view=view)
        log.call(args.client, "views.publish", user_id=args.body["user"]["id"], hash=hash, view=view)

    for name, listen in {
        "approve": approve,
        "replace": replace,
        "remove": remove,
        "whisper": whisper,
        "form": form,
        "change_view": change_view,
        "push_view": push_view,
        "refresh": refresh,
    }.items():
        app.action(name)(log.listener(listen))
    for name in (*PLAIN_ACTIONS, "search", "search_grouped"):
        app.action(name)(log.listener(lambda args: acknowledge(args)))


def acknowledge(args: Args) -> None:
    args.ack()


def offered(words: str) -> list[Json]:
    names = [name for name in ("apple", "apricot", "banana") if words in name]
    return [{"text": {"type": "plain_text", "text": name.title()}, "value": name} for name in names]


def listen_to_searches(app: App, log: Log) -> None:
    def search(args: Args) -> None:
        args.ack(options=offered(args.body["value"]))

    def search_grouped(args: Args) -> None:
        label = {"type": "plain_text", "text": "Fruit"}
        args.ack(option_groups=[{"label": label, "options": offered(args.body["value"])}])

    app.options("search")(log.listener(search))
    app.options("search_grouped")(log.listener(search_grouped))


def listen_to_views(app: App, log: Log) -> None:
    def submitted(args: Args) -> None:
        note = args.payload["state"]["values"]["note"]["typed"]["value"]
        if note == "wrong":
            args.ack(response_action="errors", errors={"note": "Not this word."})
        elif note in ("change", "push"):
            args.ack(response_action={"change": "update"}.get(note, note), view=SURFACES["next"])
        elif note == "clear":
            args.ack(response_action="clear")
        else:
            args.ack()
        if args.body["response_urls"]:
            log.respond(args, text=f"A note: {note}")

    app.view("form")(log.listener(submitted))
    app.view_closed("form")(log.listener(acknowledge))
    app.view_closed("next")(log.listener(acknowledge))


def listen_to_shortcuts(app: App, log: Log) -> None:
    def inspect(args: Args) -> None:
        args.ack()
        view = {**SURFACES["form"], "private_metadata": args.body["message"]["ts"]}
        log.call(args.client, "views.open", trigger_id=args.body["trigger_id"], view=view)
        log.respond(args, text="Opened.")

    def start(args: Args) -> None:
        args.ack()
        log.call(args.client, "views.open", trigger_id=args.body["trigger_id"], view=SURFACES["next"])

    app.shortcut("inspect")(log.listener(inspect))
    app.shortcut("start")(log.listener(start))


def listen_to_commands(app: App, log: Log) -> None:
    def command(args: Args) -> None:
        verb = args.payload["text"].partition(" ")[0]
        COMMANDS.get(verb, plain)(args, log)

    app.command("/conform")(log.listener(command))


def plain(args: Args, log: Log) -> None:
    args.ack(f"You said: {args.payload['text']}")


def in_channel(args: Args, log: Log) -> None:
    args.ack(text="For all.", response_type="in_channel")


def with_blocks(args: Args, log: Log) -> None:
    args.ack(text="With blocks.", blocks=SURFACES["settled"])


def silent(args: Args, log: Log) -> None:
    args.ack()


def respond(args: Args, log: Log) -> None:
    args.ack()
    log.respond(args, text="For you.")
    log.respond(args, text="For all.", response_type="in_channel")
    log.respond(args, text="With blocks.", blocks=SURFACES["settled"])
    log.respond(args, text="Nothing to replace.", replace_original=True)
    log.respond(args, text="", blocks=[{"type": "section"}])


def respond_often(args: Args, log: Log) -> None:
    args.ack()
    for number in range(1, 7):
        log.respond(args, text=f"Answer {number}")


def card(args: Args, log: Log) -> None:
    args.ack()
    answer = args.say(text="Case 7: spam?", blocks=SURFACES["card"])
    log.write("answer", to="say", answer=answer.data)


def life(args: Args, log: Log) -> None:
    """A message from its beginning to its end."""
    args.ack()
    channel = args.payload["channel_id"]
    metadata = {"event_type": "case", "event_payload": {"number": 7}}
    posted = log.call(args.client, "chat.postMessage", channel=channel, text="Life & <death>", metadata=metadata)
    place = {"channel": channel, "ts": posted["ts"]}
    log.call(args.client, "chat.update", **place, text="Changed")
    log.call(args.client, "chat.getPermalink", channel=channel, message_ts=posted["ts"])
    reply = {"channel": channel, "thread_ts": posted["ts"]}
    log.call(args.client, "chat.postMessage", **reply, text="A reply", reply_broadcast=True)
    log.call(args.client, "conversations.replies", **place, include_all_metadata=True)
    log.call(args.client, "chat.delete", **place)
    log.call(args.client, "chat.delete", **place)


def ephemeral(args: Args, log: Log) -> None:
    args.ack()
    place = {"channel": args.payload["channel_id"], "user": args.payload["user_id"]}
    log.call(args.client, "chat.postEphemeral", **place, text="Only you.", blocks=SURFACES["whisper"])


def upload(args: Args, log: Log) -> None:
    args.ack()
    place = {"channel": args.payload["channel_id"], "initial_comment": "Here it is."}
    answer = args.client.files_upload_v2(**place, filename="votes.csv", title="Votes", content="item,label\n7,spam ✓\n")
    log.write("answer", to="files.uploadV2", answer={"files": answer["files"]})


def lists(args: Args, log: Log) -> None:
    """Page by page, as far as the cursor leads."""
    args.ack()
    for method, given in SURFACES["paged"]:
        cursor: Json = {}
        for _ in range(PAGES):
            page = log.call(args.client, method, **given, **cursor)
            if not (page.get("response_metadata") or {}).get("next_cursor") or method == "conversations.history":
                break
            cursor = {"cursor": page["response_metadata"]["next_cursor"]}


def refused(args: Args, log: Log) -> None:
    args.ack()
    for method, given in SURFACES["refused"]:
        shown = {"view": SURFACES[given["view"]]} if "view" in given else {}
        log.call(args.client, method, **{**given, **shown})


def post(args: Args, log: Log) -> None:
    args.ack()
    log.call(args.client, "chat.postMessage", channel=args.payload["channel_id"], text="Once")
    log.call(args.client, "chat.postMessage", channel=args.payload["channel_id"], text="Twice")


COMMANDS: dict[str, Callable[[Args, Log], None]] = {
    "channel": in_channel,
    "blocks": with_blocks,
    "silent": silent,
    "respond": respond,
    "often": respond_often,
    "card": card,
    "life": life,
    "ephemeral": ephemeral,
    "upload": upload,
    "lists": lists,
    "refused": refused,
    "post": post,
}


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


def main() -> None:
    settings: Json = json.loads(sys.argv[1])
    log = Log(settings["log"])
    client = WebClient(settings["bot_token"], base_url=settings["api"], retry_handlers=[])
    app = App(client=client, signing_secret=settings["secret"])
    app.use(log.hear)
    for listen in (
        listen_to_events,
        listen_to_actions,
        listen_to_searches,
        listen_to_views,
        listen_to_shortcuts,
        listen_to_commands,
    ):
        listen(app, log)
    if settings["mode"] == "socket":
        SocketModeHandler(app, settings["app_token"]).start()
    else:
        site = SlackRequestHandler(app, path="/slack/events")
        make_server("127.0.0.1", settings["port"], site, Server, Quiet).serve_forever()


if __name__ == "__main__":
    main()
