"""The small app in two languages over two connections: all four see the same, and it is what Slack shows.

Bolt for JavaScript takes part where its packages are installed: in CI always, elsewhere after `make conformance`.
"""

import copy
import os

import pytest

from bot.sandbox.wire import Json
from tests.conformance.compare import compared, install, installed, missing_tool, table
from tests.conformance.runs import JAVASCRIPT, PYTHON, Run, play
from tests.conformance.script import ACTS

pytestmark = pytest.mark.slow  # what all look at takes ten seconds to play

NAMES = [act.name for act in ACTS]
INSTALL_SECONDS = 100  # for `npm ci` on a slow line


@pytest.fixture(scope="module")
def python() -> dict[Run, list[Json]]:
    return {run: play(run) for run in PYTHON}


def test_bolt_for_python_sees_the_same_by_socket_and_http(python: dict[Run, list[Json]]) -> None:
    assert_same(python)


@pytest.mark.timeout(120 + INSTALL_SECONDS)
def test_bolt_for_javascript_sees_the_same(python: dict[Run, list[Json]]) -> None:
    skip_without_packages()
    assert_same(python | {run: play(run) for run in JAVASCRIPT})


def skip_without_packages() -> None:
    obstacle = missing_tool()
    if obstacle is None and "CI" in os.environ:
        obstacle = install()
        assert obstacle is None, obstacle
    if obstacle is None and not installed():
        obstacle = "The npm packages of tests/conformance are not installed."
    if obstacle is not None:
        pytest.skip(f"{obstacle} To run this: make conformance")


def assert_same(records: dict[Run, list[Json]]) -> None:
    rows = compared(records)
    assert all(row.same for row in rows), "\n" + table(rows, list(records))


def test_a_difference_is_found_and_shown(python: dict[Run, list[Json]]) -> None:
    """Without this, a comparison that compares nothing would pass."""
    changed = copy.deepcopy(python)
    changed[PYTHON[1]][0]["heard"][0]["body"]["event"]["text"] = "something else"
    third = Run("python", "again")
    rows = compared({**changed, third: python[PYTHON[0]]})
    assert [row.name for row in rows if not row.same] == ["say hello"]
    assert rows[0].differing == (PYTHON[1],)
    assert "something else" in table(rows, [*changed, third])


def test_what_is_missing_everywhere_differs_too(python: dict[Run, list[Json]]) -> None:
    """Four runs that hear nothing would be the same."""
    changed = copy.deepcopy(python)
    for record in changed.values():
        record[0]["missing"] = {"expected": ["message"], "heard": [], "unsettled": True}
    assert [row.name for row in compared(changed) if not row.same] == ["say hello"]


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("date picker", "initial_date", "2024-02-29"),
        (
            "radio buttons",
            "initial_option",
            {"text": {"type": "plain_text", "text": "Yes", "emoji": True}, "value": "yes"},
        ),
        ("static select", "placeholder", {"type": "plain_text", "text": "Label", "emoji": True}),
    ],
)
def test_an_action_repeats_where_its_element_started(
    python: dict[Run, list[Json]], name: str, key: str, expected: object
) -> None:
    """@slack/bolt types/actions/block-action: DatepickerAction, RadioButtonsAction, StaticSelectAction."""
    action = seen(python, name)["heard"][0]["body"]["actions"][0]
    assert action[key] == expected


def test_a_menu_takes_no_more_than_it_may(python: dict[Run, list[Json]]) -> None:
    """docs reference/block-kit/block-elements/multi-select-menu-element: max_selected_items."""
    assert seen(python, "multi select, too many")["outcome"] == {
        "refused": "'tags' allows at most 2 selected options.",
        "status": 409,
    }
    assert len(seen(python, "multi select")["heard"][0]["body"]["actions"][0]["selected_options"]) == 2


def test_a_used_up_response_url_answers_no_more(python: dict[Run, list[Json]]) -> None:
    """docs interactivity/handling-user-interaction: five times within half an hour."""
    assert [each["status"] for each in seen(python, "answer six times")["answers"]] == [200] * 5 + [404]


def test_slack_refuses_by_these_names(python: dict[Run, list[Json]]) -> None:
    """The error codes of each method's page under docs reference/methods."""
    assert [each["answer"]["error"] for each in seen(python, "what Slack refuses")["answers"]] == [
        "channel_not_found",
        "channel_not_found",
        "is_archived",
        "no_text",
        "invalid_blocks",
        "invalid_blocks",
        "message_not_found",
        "message_not_found",
        "user_not_in_channel",
        "message_not_found",
        "message_not_found",
        "invalid_trigger_id",
        "user_not_found",
        "not_found",
        "user_not_found",
        "channel_not_found",
        "channel_not_found",
        "channel_not_found",
        "thread_not_found",
        "invalid_cursor",
        "file_not_found",
        "invalid_auth",
        "not_allowed_token_type",
    ]


def seen(records: dict[Run, list[Json]], name: str) -> Json:
    return records[PYTHON[0]][NAMES.index(name)]
