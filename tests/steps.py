"""The steps of periodic tasks, by the task's name in the table."""

from collections.abc import Callable

from bot.runtime.services import Services
from bot.worker.tasks import PERIODIC_TASKS


def step_of(name: str) -> Callable[[Services], bool]:
    [task] = [task for task in PERIODIC_TASKS if task.name == name]
    return task.step
