"""Errors of the workspace: Slack's error codes for apps, and sentences for people."""

from bot.sandbox.wire import Json


class SlackError(Exception):
    """An answer `{"ok": false, "error": code, ...}` of the Web API."""

    def __init__(self, code: str, **extra: object) -> None:
        super().__init__(code)
        self.code = code
        self.extra: Json = dict(extra)


class Refused(Exception):  # noqa: N818 - it is not always an error
    """An action is impossible: the button does not exist, the person is not in the channel or is deactivated."""

    def __init__(self, sentence: str, status: int = 409) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
