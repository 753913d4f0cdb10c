"""A process with a child that has done a piece of work and waits for the next; says the child's number."""

import os
import time

from bot.worker.executors.local import LocalExecutor
from core.jobs import unheard
from tests.reliability.pieces_of_work import process_of

if __name__ == "__main__":
    with LocalExecutor().one_process() as execute:
        os.write(1, b"%d\n" % execute(process_of, report=unheard))
        time.sleep(600)
