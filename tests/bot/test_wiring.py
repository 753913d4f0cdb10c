"""The services that every entry point is given."""

from bot.runtime.services import slack_client
from bot.slack.delivery.sender import CARDS
from core.vocabulary import Card


def test_certificates_are_read_once_for_all_calls_to_slack() -> None:
    one, other = (slack_client(token, "https://slack.com/api/") for token in ("xoxb-1", "xoxb-2"))
    assert one.ssl is not None
    assert one.ssl is other.ssl


def test_each_card_has_its_line_in_the_sender() -> None:
    assert set(CARDS) == set(Card), "a start refuses a card without one"
