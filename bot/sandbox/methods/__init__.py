"""The Web API methods by name."""

from collections.abc import Callable, Mapping

from bot.sandbox.methods import bots, chat, conversations, files, modals, reactions, team, usergroups, users
from bot.sandbox.methods.call import Call
from bot.sandbox.wire import Json

METHODS: Mapping[str, Callable[[Call], Json]] = {
    **bots.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **modals.METHODS,
    **reactions.METHODS,
    **team.METHODS,
    **usergroups.METHODS,
    **users.METHODS,
}
