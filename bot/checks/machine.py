"""The machine: it needs a folder for temporary files. Models are in the database, so there is no cache to check."""

import tempfile

from bot.checks.finding import Findings, bad, good

SUBJECT = "temporary files"


def scratch_folder() -> Findings:
    """Check the folder for temporary files. Charts cache their fonts there, and SQLite sorts large results there."""
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"\0" * 1_000_000)
            file.flush()
    except OSError as error:
        words = f"{tempfile.tempdir or 'The temporary folder'} is not usable: {error.strerror or error}."
        yield bad(SUBJECT, words, "Free some space there, or set TMPDIR to a writable folder.")
    else:
        yield good(SUBJECT, f"{tempfile.gettempdir()} is writable")
