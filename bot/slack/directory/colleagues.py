"""Full members of the app's workspace, who may do some things even without a role."""

from bot.runtime.services import Services
from bot.slack.directory.lookup import asked_about
from core.people.members import is_active
from core.people.permissions import inactive


def require_colleague(services: Services, person: str, what: str) -> None:
    """Raise NotAllowed, with the reason, unless the person is a full member of the app's workspace. `what` completes "…
    can ___". People without a role have no row, so Slack is asked about them: never call this inside a transaction."""
    with services.database.reading() as session:
        if is_active(session, person):
            return
    team = str(services.slack.auth_test()["team_id"])
    [known] = asked_about(services.slack, [person], team)
    if known.inactive_because:
        raise inactive(known.inactive_because, what)
