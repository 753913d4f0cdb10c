"""The Web API methods by name."""

from collections.abc import Callable, Mapping

from bot.sandbox.methods import chat, conversations, files, modals, reactions, usergroups, users
from bot.sandbox.methods.call import Call
from bot.sandbox.wire import Json

METHODS: Mapping[str, Callable[[Call], Json]] = {
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **modals.METHODS,
    **reactions.METHODS,
    **usergroups.METHODS,
    **users.METHODS,
}
