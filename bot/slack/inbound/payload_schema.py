"""The schema of Slack's payloads, as frozen values.

A payload is parsed once, before Bolt or a listener reads it, so that readers can rely on its shape. Unknown fields are
dropped.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

PARSED = "parsed"  # the name by which Bolt hands a listener its payload

Text = Annotated[str, StringConstraints(strict=True, max_length=100_000, pattern=r"^[^\x00]*$")]
Word = Annotated[str, StringConstraints(strict=True, max_length=3000, pattern=r"^[^\x00]*$")]
JSON_ARRAY = Field(default=(), strict=False)  # strictly, a list is no tuple


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Named(_Shape):
    id: Word | None = None
    name: Word | None = None
    team_id: Word | None = None
    enterprise_id: Word | None = None


class Option(_Shape):
    value: Word


class Input(_Shape):
    value: Text | None = None
    selected_option: Option | None = None


class State(_Shape):
    values: dict[str, dict[str, Input | None]] = Field(default_factory=dict)


class Drawn(_Shape):
    type: Word | None = None
    block_id: Word | None = None


class View(_Shape):
    type: Word
    id: Word | None = None
    callback_id: Word | None = None
    private_metadata: Word = ""
    app_installed_team_id: Word | None = None
    state: State = State()
    blocks: tuple[Drawn, ...] = JSON_ARRAY


class Action(_Shape):
    type: Word | None = None
    action_id: Word
    block_id: Word | None = None
    value: Word = ""
    action_ts: Word = ""


class Message(_Shape):
    text: Text | None = None
    ts: Word | None = None


class Item(_Shape):
    type: Word | None = None
    channel: Word | None = None
    ts: Word | None = None


class Event(_Shape):
    type: Word
    subtype: Word | None = None
    user: Word | Named | None = None
    user_id: Word | None = None
    bot_id: Word | None = None
    team: Word | Named | None = None
    team_id: Word | None = None
    channel: Word | Named | None = None
    channel_id: Word | None = None
    channel_type: Word | None = None
    item: Item | None = None
    message: Message | None = None
    reaction: Word = ""
    event_ts: Word = ""
    ts: Word | None = None
    tab: Word = "home"
    inviter: Word | None = None
    subteam: Named | None = None
    subteam_id: Word | None = None


class Authorization(_Shape):
    enterprise_id: Word | None = None
    team_id: Word | None = None
    user_id: Word | None = None
    is_bot: bool | None = None
    is_enterprise_install: bool | None = None


class Payload(_Shape):
    """A payload of any kind; the fields of other kinds are empty. Some fields are only for Bolt, which reads them
    without checking their shape."""

    type: Word | None = None
    token: Word | None = None
    ssl_check: Word | None = None
    challenge: Word | None = None
    event_id: Word | None = None
    event: Event | None = None
    authorizations: tuple[Authorization, ...] | None = Field(default=None, strict=False)
    user: Named | None = None
    team: Word | Named | None = None
    enterprise: Word | Named | None = None
    channel: Named | None = None
    message: Message | None = None
    container: dict[str, Any] | None = None
    view: View | None = None
    actions: tuple[Action, ...] | None = Field(default=None, strict=False)
    trigger_id: Word = ""
    response_url: Word = ""
    response_urls: tuple[dict[str, Any], ...] | None = Field(default=None, strict=False)
    callback_id: Word | None = None
    action_id: Word | None = None
    block_id: Word | None = None
    value: Word = ""
    action_ts: Word | None = None
    bot_access_token: Word | None = None
    function_data: dict[str, Any] | None = None
    team_id: Word | None = None
    enterprise_id: Word | None = None
    is_enterprise_install: bool | Word | None = None
    user_id: Word | None = None
    channel_id: Word | None = None
    command: Word = ""
    text: Text = ""

    @property
    def is_from_home(self) -> bool:
        """A click on the Home tab, which brings no `response_url`."""
        return self.type == "block_actions" and self.view is not None and self.view.type == "home"


def parse(body: object) -> Payload | None:
    """The payload. None: Slack never sends such a thing, so it is to be refused before it is read."""
    try:
        payload = Payload.model_validate(body)
    except (ValidationError, RecursionError):
        return None
    return payload if _is_whole(payload) else None


def parse_json(body: bytes) -> Payload | None:
    """The same as `parse` for JSON, in a quarter of the time."""
    try:
        payload = Payload.model_validate_json(body)
    except ValidationError:
        return None
    return payload if _is_whole(payload) else None


def _is_whole(payload: Payload) -> bool:
    match payload.type:
        case "event_callback":
            return payload.event is not None
        case "view_submission" | "view_closed":
            return payload.view is not None and payload.user is not None
        case "block_actions":
            return bool(payload.actions) and payload.user is not None
        case _:
            return True
