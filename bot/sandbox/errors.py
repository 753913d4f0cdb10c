"""How the workspace says no: to an app with Slack's error codes, to a person with a sentence."""

from bot.sandbox.wire import Json


class SlackError(Exception):
    """An answer `{"ok": false, "error": code, ...}` of the Web API."""

    def __init__(self, code: str, **extra: object) -> None:
        super().__init__(code)
        self.code = code
        self.extra: Json = dict(extra)


class Refused(Exception):  # noqa: N818 - it is not always an error
    """A person cannot do this: there is no such button, they are not in the channel, their account is deactivated."""

    def __init__(self, sentence: str, status: int = 409) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
