"""Reading from the socket while another thread reconnects."""

from typing import Any, cast

from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.builtin.connection import Connection, ConnectionState

from bot.slack.inbound.socket_mode import read_session


class ClosedMeanwhile:
    """A session that another thread replaces, in the order of `SocketModeClient.connect`, just before it is read."""

    def __init__(self, client: SocketModeClient) -> None:
        self.client = client
        self.told_to_end: bool | None = None

    def is_active(self) -> bool:
        self.client.current_session_state.terminated = True
        self.client.current_session, self.client.current_session_state = None, ConnectionState()
        return True

    def run_until_completion(self, state: ConnectionState) -> None:
        self.told_to_end = state.terminated


def test_a_session_that_was_replaced_just_now_is_not_read_forever() -> None:
    client = SocketModeClient("xapp-1")
    client.current_session_runner.shutdown()
    session = ClosedMeanwhile(client)
    client.current_session = cast(Connection, cast(Any, session))
    read_session(client)
    assert session.told_to_end
    client.closed = True
    client.enqueue_message("")
    client.close()
