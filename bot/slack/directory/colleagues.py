"""Full members of our workspace: people without a role may do some things too."""

from bot.runtime.services import Services
from bot.slack.directory.lookup import asked_about
from core.people.members import is_active
from core.people.permissions import inactive


def require_colleague(services: Services, person: str, what: str) -> None:
    """Raise NotAllowed, with the reason, unless this is a full member of our workspace. `what` completes "… can ___".
    People without a role have no row, so Slack is asked about them: never call this inside a transaction."""
    with services.database.reading() as session:
        if is_active(session, person):
            return
    team = str(services.slack.auth_test()["team_id"])
    [known] = asked_about(services.slack, [person], team)
    if known.inactive_because:
        raise inactive(known.inactive_because, what)
