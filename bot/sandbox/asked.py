"""Parameters of a request to the control API: person, channel, message, view. Raises Refused if one is wrong."""

from bot.sandbox import acts
from bot.sandbox.config import AppConfig
from bot.sandbox.errors import Refused
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Channel, Message, Person


class Asked:
    """A request to the control API, and the objects that its fields name."""

    def __init__(self, sandbox: Sandbox, fields: Json) -> None:
        self.sandbox = sandbox
        self.workspace = sandbox.workspace
        self.fields = fields

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        if value is None or value == "":
            raise Refused(f"The field {name!r} is missing.", 400)
        return str(value)

    def optional(self, name: str) -> str | None:
        value = self.fields.get(name)
        return None if value in (None, "") else str(value)

    @property
    def person(self) -> Person:
        return self.workspace.acting(self.text("person"))

    @property
    def channel(self) -> Channel:
        return self.workspace.visible_channel(self.person, self.text("channel"))

    @property
    def any_channel(self) -> Channel:
        return self.workspace.find_channel(self.text("channel"))

    @property
    def member_channel(self) -> Channel:
        channel, person = self.channel, self.person
        if person.id not in channel.members:
            raise Refused(f"{person.name} is not in {channel.name or channel.id}.", 403)
        return channel

    @property
    def message(self) -> Message:
        return acts.visible_message(self.sandbox, self.person, self.text("channel"), self.text("ts"))

    @property
    def app(self) -> AppConfig:
        name = self.optional("app")
        found = [app for app in self.workspace.apps.values() if name in (None, app.id, app.name)]
        if not found:
            raise Refused(f"There is no app {name!r} here.", 404)
        return found[0]

    @property
    def place(self) -> acts.Place:
        """The message, the top modal or the Home tab in which the person acts."""
        surface = self.fields.get("surface", "message")
        if surface == "modal":
            return acts.top_modal(self.sandbox, self.person)
        return acts.home_of(self.sandbox, self.person, self.app) if surface == "home" else self.message
