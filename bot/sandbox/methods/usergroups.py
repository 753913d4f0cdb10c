"""usergroups.*"""

from bot.sandbox.errors import SlackError
from bot.sandbox.groups import group_object
from bot.sandbox.methods.call import Call
from bot.sandbox.wire import Json


def groups(call: Call) -> Json:
    disabled, users = call.arguments.flag("include_disabled"), call.arguments.flag("include_users")
    found = [group for group in call.workspace.groups.values() if disabled or not group.disabled]
    return {"usergroups": [group_object(call.workspace, group, users) for group in found]}


def people(call: Call) -> Json:
    """The people in a group. Raises no_such_subteam, also for a disabled group unless disabled ones are requested."""
    group = call.workspace.groups.get(call.arguments.needed("usergroup"))
    if group is None or (group.disabled and not call.arguments.flag("include_disabled")):
        raise SlackError("no_such_subteam")
    return {"users": list(group.members)}


METHODS = {"usergroups.list": groups, "usergroups.users.list": people}
