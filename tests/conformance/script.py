"""The workspace of the comparison, and what people do in it, one act after another."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from bot.sandbox.client import ControlError, Message, Outcome, SandboxClient, View
from bot.sandbox.config import (
    AppConfig,
    ChannelConfig,
    CommandConfig,
    PersonConfig,
    SandboxConfig,
    ShortcutConfig,
)
from bot.sandbox.wire import Json

EVENTS = (
    "app_home_opened",
    "app_mention",
    "member_joined_channel",
    "member_left_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "reaction_added",
    "reaction_removed",
    "user_change",
)
APP = AppConfig(
    "A_CONFORM",
    "conform",
    bot_user="U_CONFORM",
    bot_token="xoxb-conformance",
    app_token="xapp-conformance",
    signing_secret="hush",
    events=EVENTS,
    commands=(CommandConfig("/conform", "Does what it is told", "[verb]"),),
    shortcuts=(ShortcutConfig("inspect", "Inspect"), ShortcutConfig("start", "Start", "global")),
)
WORKSPACE = SandboxConfig(
    people=(
        PersonConfig("U_ANA", "ana", "Ana Lima", tz="Europe/Lisbon"),
        PersonConfig("U_BEN", "ben", "Ben Ott"),
        PersonConfig("U_DAN", "dan", "Dan Roe"),
        PersonConfig("U_GUS", "gus", "Gus Guest", kind="guest"),
        PersonConfig("U_XENA", "xena", "Xena Elsewhere", kind="external", team_id="T_OTHER"),
    ),
    channels=(
        ChannelConfig("C_REVIEW", "review", members=("ana", "ben", "xena", "U_CONFORM")),
        ChannelConfig("C_LEADS", "leads", private=True, members=("ana", "U_CONFORM")),
        ChannelConfig("C_SECRET", "secret", private=True, members=("dan",)),
        ChannelConfig("C_TOWN", "town", members=("ana", "dan")),
        ChannelConfig("C_OLD", "old", members=("ana", "U_CONFORM"), archived=True),
    ),
    apps=(APP,),
    rates=False,
)


@dataclass
class Stage:
    """Where the acts take place. `ana` does nearly everything; `ben` looks on."""

    box: SandboxClient

    def __post_init__(self) -> None:
        self.ana = self.box.person("ana")
        self.ben = self.box.person("ben")
        self.xena = self.box.person("xena")

    def said(self, words: str) -> Message:
        """The last message in #review with these words."""
        return [each for each in self.ana.messages("review") if words in each.plain][-1]

    def shared(self, words: str) -> bool:
        """Whether a message with these words and a file is there; files come later than the call that shares them."""
        return any(words in each.plain and each.files for each in self.ana.messages("review"))

    @property
    def card(self) -> Message:
        return self.said("Case 7")

    @property
    def form(self) -> View:
        view = self.ana.view
        assert view is not None, "no modal is open"
        return view

    @property
    def direct(self) -> str:
        """The channel between ana and the app; it is there once the Home tab was open."""
        channels = self.box.get("state", person="ana")["channels"]
        return str(next(each["id"] for each in channels if each["kind"] == "im"))


Do = Callable[[Stage], object]


@dataclass(frozen=True)
class Act:
    name: str
    do: Do
    hears: tuple[str, ...] = ()  # what the app must hear, in the order of the alphabet
    until: Callable[[Stage], object] = field(default=lambda stage: True)  # what comes after the app has done its part


def told(outcome: object) -> object:
    """What an act gives back, without the time it took."""
    if isinstance(outcome, Outcome):
        return {name: value for name, value in asdict(outcome).items() if name != "ms"}
    return asdict(outcome) if isinstance(outcome, Message | View) else outcome


def command(line: str) -> Do:
    return lambda stage: stage.ana.command(line, "review")


def click(name: str) -> Do:
    return lambda stage: stage.ana.click(stage.card, name)


def choose(action_id: str, value: object) -> Do:
    return lambda stage: stage.ana.choose(stage.card, action_id, value)


def submit(**values: object) -> Do:
    return lambda stage: stage.ana.submit(values)


def look_up(surface: str, action_id: str, query: str) -> Do:
    return lambda stage: stage.ana.suggestions(getattr(stage, surface), action_id, query)


def refused(do: Do) -> Do:
    """The workspace itself says no, with a sentence."""

    def attempt(stage: Stage) -> Json:
        try:
            return {"unexpected": told(do(stage))}
        except ControlError as error:
            return {"refused": str(error), "status": error.status}

    return attempt


def twice(stage: Stage) -> Message:
    stage.box.events("twice")
    before = len(stage.box.inspector())
    message = stage.ana.post("review", "said once, heard twice")
    stage.box.wait_for(lambda: sum(entry["kind"] == "ack" for entry in stage.box.inspector()[before:]) == 2)
    stage.box.events("normal")
    return message


def limited(stage: Stage) -> Outcome:
    stage.box.fault("chat.postMessage", "ratelimited", retry_after=7)
    return stage.ana.command("/conform post", "review")


def broken(stage: Stage) -> Outcome:
    stage.box.fault("chat.postMessage", "server_error")
    return stage.ana.command("/conform post", "review")


EVERYTHING = {
    "note": "all in",
    "label": "fine",
    "tags": ["old", "new"],
    "found": "apricot",
    "sure": "no",
    "reasons": ["tone"],
    "day": "2025-12-31",
    "time": "23:59",
    "owner": "U_BEN",
    "place": "C_REVIEW",
}
CLICK = ("block_actions",)
COMMAND = ("/conform",)

ACTS = (
    Act("say hello", lambda stage: stage.ana.post("review", "hello"), ("message",)),
    Act("mention the app", lambda stage: stage.ana.post("review", "<@U_CONFORM> help"), ("app_mention", "message")),
    Act("reply in a thread", lambda stage: stage.ana.post("review", "why?", stage.said("hello").ts), ("message",)),
    Act("edit a message", lambda stage: stage.ana.edit(stage.said("hello"), "hello, all"), ("message",)),
    Act("hear an event twice", twice, ("message", "message")),
    Act("delete a message", lambda stage: stage.ana.delete(stage.said("said once")), ("message",)),
    Act("react", lambda stage: stage.ana.react(stage.said("hello, all"), "+1"), ("reaction_added",)),
    Act(
        "react in a skin tone",
        lambda stage: stage.ana.react(stage.said("hello, all"), "wave::skin-tone-3"),
        ("reaction_added",),
    ),
    Act("take a reaction off", lambda stage: stage.ana.unreact(stage.said("hello, all"), "+1"), ("reaction_removed",)),
    Act("open the Home tab", lambda stage: stage.ana.open_home(), ("app_home_opened",)),
    Act("open it again", lambda stage: stage.ana.open_home(), ("app_home_opened",)),
    Act("click in it", lambda stage: stage.ana.click_home("Refresh"), CLICK),
    Act("write to the app", lambda stage: stage.ana.post(stage.direct, "hello"), ("message",)),
    Act("write in private", lambda stage: stage.ana.post("leads", "hello"), ("message",)),
    Act("ask in private", lambda stage: stage.ana.command("/conform channel", "leads"), COMMAND),
    Act("ask from another team", refused(lambda stage: stage.xena.command("/conform", "review"))),
    Act("ask by command", command("/conform what <is> this & that?"), COMMAND),
    Act("ask without words", command("/conform"), COMMAND),
    Act("answer in the channel", command("/conform channel"), COMMAND),
    Act("answer with blocks", command("/conform blocks"), COMMAND),
    Act("answer nothing", command("/conform silent"), COMMAND),
    Act("answer by response_url", command("/conform respond"), COMMAND),
    Act("answer six times", command("/conform often"), COMMAND),
    Act("use an unknown command", refused(command("/nothing"))),
    Act("a message's life", command("/conform life"), COMMAND),
    Act("an ephemeral message", command("/conform ephemeral"), COMMAND),
    Act("replace it", lambda stage: stage.ana.click(stage.said("Only you."), "Replace"), CLICK),
    Act("another one", command("/conform ephemeral"), COMMAND),
    Act("remove it", lambda stage: stage.ana.click(stage.said("Only you."), "Remove"), CLICK),
    Act("upload a file", command("/conform upload"), COMMAND, until=lambda stage: stage.shared("Here it is.")),
    Act("list by pages", command("/conform lists"), COMMAND),
    Act("what Slack refuses", command("/conform refused"), COMMAND),
    Act("too many calls", limited, COMMAND),
    Act("a server error", broken, COMMAND),
    Act("post a card", command("/conform card"), COMMAND),
    Act("overflow menu", click("Skip"), CLICK),
    Act("overflow, three times", lambda stage: stage.ana.click(stage.card, "Report", retries=2), CLICK * 3),
    Act("a click by another team", lambda stage: stage.xena.click(stage.card, "Skip"), CLICK),
    Act("static select", choose("label", "fine"), CLICK),
    Act("search", look_up("card", "search", "ap"), ("block_suggestion",)),
    Act("external select", choose("search", "apricot"), CLICK),
    Act("search in groups", look_up("card", "search_grouped", ""), ("block_suggestion",)),
    Act("multi external select", choose("search_grouped", ["apple", "banana"]), CLICK),
    Act("multi select", choose("tags", ["old", "odd"]), CLICK),
    Act("multi select, too many", refused(choose("tags", ["old", "odd", "new"]))),
    Act("radio buttons", choose("sure", "no"), CLICK),
    Act("checkboxes", choose("reasons", ["links", "tone"]), CLICK),
    Act("checkboxes, none", choose("reasons", []), CLICK),
    Act("date picker", choose("day", "2024-12-24"), CLICK),
    Act("time picker", choose("time", "13:45"), CLICK),
    Act("date and time picker", choose("moment", 1735689600), CLICK),
    Act("users select", choose("owner", "U_BEN"), CLICK),
    Act("conversations select", choose("place", "C_TOWN"), CLICK),
    Act("an answer for one", click("Whisper"), CLICK),
    Act("replace that", lambda stage: stage.ana.click(stage.said("Only you."), "Replace"), CLICK),
    Act("button with confirm", click("Approve"), CLICK),
    Act("a second card", command("/conform card"), COMMAND),
    Act("replace the original", click("Replace"), CLICK),
    Act("a third card", command("/conform card"), COMMAND),
    Act("open a modal", click("Form"), CLICK),
    Act("submit it empty", submit()),
    Act("submit what is wrong", submit(note="wrong"), ("view_submission",)),
    Act("search in the modal", look_up("form", "search", "an"), ("block_suggestion",)),
    Act("dispatching input", lambda stage: stage.ana.choose(stage.form, "sure", "yes"), CLICK),
    Act("update the modal", lambda stage: stage.ana.click_view("Change"), CLICK),
    Act("push onto the modal", lambda stage: stage.ana.click_view("Push"), CLICK),
    Act("close the pushed one", lambda stage: stage.ana.close_view(), ("view_closed",)),
    Act("submit everything", submit(**EVERYTHING), ("block_suggestion", "view_submission")),
    Act("open it again", click("Form"), CLICK),
    Act("answer with an update", submit(note="change"), ("view_submission",)),
    Act("close that", lambda stage: stage.ana.close_view(), ("view_closed",)),
    Act("open it once more", click("Form"), CLICK),
    Act("answer with a push", submit(note="push"), ("view_submission",)),
    Act("close them all", lambda stage: stage.ana.close_view(everything=True), ("view_closed", "view_closed")),
    Act("open it for the last time", click("Form"), CLICK),
    Act("answer with clear", submit(note="clear"), ("view_submission",)),
    Act("message shortcut", lambda stage: stage.ana.shortcut(stage.card, "inspect"), ("message_action",)),
    Act("close its modal", lambda stage: stage.ana.close_view(), ("view_closed",)),
    Act("global shortcut", lambda stage: stage.ana.global_shortcut("start"), ("shortcut",)),
    Act("close its modal", lambda stage: stage.ana.close_view(), ("view_closed",)),
    Act("delete the original", click("Remove"), CLICK),
    Act("invite the app", lambda stage: stage.box.invite("U_CONFORM", "town"), ("member_joined_channel",)),
    Act("join a channel", lambda stage: stage.ben.join("town"), ("member_joined_channel",)),
    Act("leave it", lambda stage: stage.ben.leave("town"), ("member_left_channel",)),
    Act("change a person", lambda stage: stage.box.change_person("gus", real_name="Gus"), ("user_change",)),
    Act("deactivate a person", lambda stage: stage.box.deactivate("gus"), ("user_change",)),
)
