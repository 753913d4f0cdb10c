"""Labels that are probably wrong: a job that lists them, and the step that asks reviewers again."""

from bot.runtime.services import Services
from bot.worker.claimed_job import work_on_next
from core.learning.lifecycle.label_suspects import SUSPECTS, find_suspects
from core.policy import QueuePolicy
from core.review.suspects import ask_about_suspects


def find_next_suspects(services: Services) -> bool:
    """Take one job that lists probably wrong labels, and carry it out. Returns whether there was one."""
    return work_on_next(
        services,
        SUSPECTS,
        lambda claimed: find_suspects(
            services.database, claimed, services.clock, services.policy, services.execute, services.extra_learners
        ),
    )


def second_look_piece(services: Services, queue: QueuePolicy) -> None:
    """Ask reviewers again about labels that are probably wrong, within the queue's daily budget."""
    services.database.write_if_needed(lambda session: ask_about_suspects(session, services.clock(), queue))
