"""The Home tab, `/goldloop mine` and `/goldloop stats`: what waits, what is not known yet, and links to the cards."""

from dataclasses import replace

from bot.slack.views import home, stats
from core.learning.lifecycle.production import LabelEstimate, ProductionEstimate
from core.review.my_work import MyWorkCard
from tests.bot.cards import BUDGET, WORKSPACE, line, mine, numbers
from tests.bot.drawn import check
from tests.bot.hostile import HOSTILE
from tests.people import ANA


def test_slack_takes_home_and_numbers_with_any_text() -> None:
    for text in HOSTILE:
        for paused in (True, False):
            check(home.render(mine(text, paused=paused), [line(text)] * 3, WORKSPACE))
            check(home.render_my_work(mine(text, paused=paused), WORKSPACE, "Item 1: your answer is withdrawn."))
        check(stats.render(numbers(text)))
        crowded = mine(text, queues=mine(text).queues * 60)
        check(home.render(crowded, [line(text)] * 60, WORKSPACE))
        check(home.render_my_work(crowded, WORKSPACE))


def test_home_and_the_list_link_to_the_cards_that_are_posted() -> None:
    card = "https://acme.slack.com/archives/C_REVIEW/p1764000000000100"
    for drawn in (home.render(mine(), [], WORKSPACE), home.render_my_work(mine(), WORKSPACE)):
        said = check(drawn)
        assert f"• <{card}|item 7>: charged twice\\n• item 8: charged twice" in said
        assert f"<{card}|Item 3>: *charged twice*" in said
    assert "archives" not in check(home.render(mine(), [])), "where Slack told no address"


def test_numbers_that_are_not_known_yet_are_said_to_be_unknown() -> None:
    unknown = ProductionEstimate("v3", None, 7, 140, 30, (LabelEstimate("refund", None, 7),))
    empty = numbers(agreement=None, votes_per_item=None, errors_by_label=(), production=unknown, live=None)
    said = check(stats.render(empty))
    for words in (
        "not enough votes yet",
        "not known yet: 7 of 30 audits settled",
        "refund not known yet (7 audits)",
        "none yet",
    ):
        assert words in said
    assert "60 a day: 60 allowed, 41 opened, 12 waiting, 3 dropped unreviewed in 7 days" in check(
        stats.render(numbers())
    )
    unknown_volume = replace(BUDGET, budget="20%", asked=None)
    assert "20%: volume not known yet, 41 opened" in check(stats.render(numbers(budget=unknown_volume)))
    for words in ("91% (88 to 94), 62 audits", "0 Support tickets 91% (88 to 94)"):
        assert words in check(stats.render(numbers()))
    assert "live: v3, agreement: 91% (88 to 94), 62 audits" in check(home.render(mine(), [line()]))


def test_open_items_beyond_those_that_are_listed_are_counted() -> None:
    [queue] = mine().queues
    said = check(home.render_my_work(mine(queues=(replace(queue, open=11),))))
    assert "And 1 more." in said
    assert "more." not in check(home.render_my_work(mine(queues=(replace(queue, open=10),))))


def test_who_reviews_nowhere_is_told_how_to_begin() -> None:
    said = check(home.render(MyWorkCard(ANA, False, (), ()), []))
    assert "You're not a reviewer in any queue. To become one, ask the person who runs Goldloop" in said
    assert "`reviewers` in `goldloop.toml`" in said
    check(home.render_my_work(MyWorkCard(ANA, False, (), ())))
