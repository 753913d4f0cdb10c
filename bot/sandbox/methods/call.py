"""One call of a Web API method: the app that makes it, its arguments and the workspace it changes."""

from dataclasses import dataclass

from bot.sandbox.arguments import Arguments
from bot.sandbox.config import AppConfig
from bot.sandbox.errors import SlackError
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.workspace import Channel, Message, Person, Workspace


@dataclass(frozen=True)
class Call:
    sandbox: Sandbox
    app: AppConfig
    method: str
    arguments: Arguments

    @property
    def workspace(self) -> Workspace:
        return self.sandbox.workspace

    def seen_channel(self, name: str = "channel") -> Channel:
        """A channel that the bot can see: any public one, or a private one of which it is a member. Raises
        channel_not_found."""
        channel = self.workspace.find_channel(self.arguments.needed(name))
        if channel.private and self.app.bot_user not in channel.members:
            raise SlackError("channel_not_found")
        return channel

    def posting_channel(self) -> Channel:
        """A channel to which the bot may post; a person's id means their direct messages. Raises not_in_channel."""
        reference = self.arguments.text("channel")
        if not reference:
            raise SlackError("channel_not_found")
        if reference in self.workspace.people:
            person = self.workspace.people[reference]
            if person.kind == "deactivated":
                raise SlackError("channel_not_found")
            return self.workspace.direct_messages(reference, self.app.bot_user)
        channel = self.seen_channel()
        everywhere = self.app.scopes is not None and "chat:write.public" in self.app.scopes
        if self.app.bot_user not in channel.members and not everywhere:
            raise SlackError("not_in_channel")
        return channel

    def message(self, channel: Channel, name: str) -> Message:
        found = channel.messages.get(self.arguments.needed(name))
        if found is None:
            raise SlackError("message_not_found")
        return found

    def person(self, name: str = "user") -> Person:
        found = self.workspace.people.get(self.arguments.text(name) or "")
        if found is None:
            raise SlackError("user_not_found")
        return found
