"""team.*"""

from bot.sandbox.errors import SlackError
from bot.sandbox.methods.call import Call
from bot.sandbox.wire import Json


def info(call: Call) -> Json:
    """The workspace's own team. Raises team_not_found for any other."""
    config = call.workspace.config
    if call.arguments.text("team") not in (None, call.workspace.team_id):
        raise SlackError("team_not_found")
    team = {"id": call.workspace.team_id, "name": config.team_name, "domain": config.team_domain}
    return {"team": team | {"email_domain": "", "url": f"{call.workspace.base_url}/", "icon": {"image_default": True}}}


METHODS = {"team.info": info}
