"""What the machine must have: a folder for temporary files. There is no cache of ours; models are in the database."""

import tempfile

from bot.checks.finding import Findings, bad, good

SUBJECT = "scratch"


def scratch_folder() -> Findings:
    """Charts keep their fonts there, and SQLite sorts there what is large."""
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"\0" * 1_000_000)
            file.flush()
    except OSError as error:
        words = f"{tempfile.tempdir or 'The folder'} takes no temporary files: {error.strerror or error}."
        yield bad(SUBJECT, words, "Make room there, or let TMPDIR name a folder that we may write in.")
    else:
        yield good(SUBJECT, f"{tempfile.gettempdir()} takes temporary files")
