"""bots.*"""

from bot.sandbox.errors import SlackError
from bot.sandbox.methods.call import Call
from bot.sandbox.wire import Json


def info(call: Call) -> Json:
    """The bot. Raises bot_not_found."""
    wanted = call.arguments.needed("bot")
    app = next((each for each in call.workspace.apps.values() if each.bot_id == wanted), None)
    if app is None:
        raise SlackError("bot_not_found")
    bot = {"id": app.bot_id, "deleted": False, "name": app.name, "app_id": app.id, "user_id": app.bot_user}
    return {"bot": bot | {"updated": call.workspace.people[app.bot_user].updated, "icons": {}}}


METHODS = {"bots.info": info}
