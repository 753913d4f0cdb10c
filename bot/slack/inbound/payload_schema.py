"""The outline of what Slack sends: where an object stands, where a list, where a text. Looked at before anything reads
a payload, so that whoever reads one need not doubt its shape. More keys than these may be there."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

Text = Annotated[str, StringConstraints(strict=True, max_length=100_000, pattern=r"^[^\x00]*$")]
Word = Annotated[str, StringConstraints(strict=True, max_length=3000, pattern=r"^[^\x00]*$")]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Named(_Shape):
    id: Word | None = None
    name: Word | None = None
    team_id: Word | None = None
    enterprise_id: Word | None = None


class _Option(_Shape):
    value: Word


class _Input(_Shape):
    value: Text | None = None
    selected_option: _Option | None = None


class _State(_Shape):
    values: dict[str, dict[str, _Input | None]] = Field(default_factory=dict)


class _Drawn(_Shape):
    type: Word | None = None
    block_id: Word | None = None


class _View(_Shape):
    type: Word
    id: Word | None = None
    callback_id: Word | None = None
    private_metadata: Word = ""
    app_installed_team_id: Word | None = None
    state: _State = _State()
    blocks: list[_Drawn] = Field(default_factory=list)


class _Action(_Shape):
    type: Word | None = None
    action_id: Word
    block_id: Word | None = None
    value: Word = ""
    action_ts: Word = ""


class _Message(_Shape):
    text: Text | None = None
    ts: Word | None = None


class _Item(_Shape):
    type: Word | None = None
    channel: Word | None = None
    ts: Word | None = None


class _Event(_Shape):
    type: Word
    subtype: Word | None = None
    user: Word | _Named | None = None
    user_id: Word | None = None
    bot_id: Word | None = None
    team: Word | _Named | None = None
    team_id: Word | None = None
    channel: Word | _Named | None = None
    channel_id: Word | None = None
    channel_type: Word | None = None
    item: _Item | None = None
    message: _Message | None = None
    reaction: Word = ""
    event_ts: Word = ""
    ts: Word | None = None
    tab: Word = "home"
    inviter: Word | None = None


class _Authorization(_Shape):
    enterprise_id: Word | None = None
    team_id: Word | None = None
    user_id: Word | None = None
    is_bot: bool | None = None
    is_enterprise_install: bool | None = None


class _Payload(_Shape):
    """One outline for all kinds: what a kind does not have is left out."""

    type: Word | None = None
    token: Word | None = None
    ssl_check: Word | None = None
    challenge: Word | None = None
    event_id: Word | None = None
    event: _Event | None = None
    authorizations: list[_Authorization] | None = None
    user: _Named | None = None
    team: Word | _Named | None = None
    enterprise: Word | _Named | None = None
    channel: _Named | None = None
    message: _Message | None = None
    container: dict[str, Any] | None = None
    view: _View | None = None
    actions: list[_Action] | None = None
    trigger_id: Word = ""
    response_url: Word = ""
    response_urls: list[dict[str, Any]] | None = None
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


def has_slacks_shape(body: object) -> bool:
    """False for what Slack never sends: to be refused before it is read."""
    try:
        payload = _Payload.model_validate(body)
    except (ValidationError, RecursionError):
        return False
    if payload.type == "event_callback":
        return payload.event is not None
    if payload.type in ("view_submission", "view_closed"):
        return payload.view is not None and payload.user is not None
    if payload.type == "block_actions":
        return bool(payload.actions) and payload.user is not None
    return True
