"""Notices: one line each, for a person or for a channel of leads."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, assert_never

from bot.slack.blocks import escape
from bot.slack.errors import leads_remedy
from bot.slack.views.mrkdwn import MRKDWN, asking, card_link, message_link, moment
from bot.wording.canary import paired_sentence
from bot.wording.cards import card_name
from bot.wording.decisions import overruled, rolled_back, stays_live
from bot.wording.flagged import flagged_erased, flagged_settled
from bot.wording.numbers import count
from bot.wording.runs import run_problem
from core.delivery.outbox import Place
from core.learning.evaluation.canary import Paired
from core.vocabulary import Coded, NoticeKind

UNKNOWN = "A newer version of Goldloop left a message here. Update this one to read it."

Values = Mapping[str, Any]


def render(kind: str, values: Values, workspace: str = "") -> str:
    """The notice. kind: a word of `NoticeKind`. workspace: the workspace's address, for links to cards; empty: no
    links."""
    if kind not in set(NoticeKind):
        return UNKNOWN
    known = NoticeKind(kind)
    match known:
        case NoticeKind.NOT_A_LEAD | NoticeKind.REACTION_REFUSED:
            return asking(values["sentence"], values["ask"])
        case NoticeKind.DISPUTES_WAITING:
            return _disputes(values, workspace)
        case NoticeKind.SHADOW_OVER:
            return _shadow_over(values, workspace)
        case NoticeKind.DECISION_PENDING:
            return f"{_model(values)} has been waiting {_hours(values['hours'])} for a decision."
        case NoticeKind.DECISION_EXPIRED:
            return (
                f"{_model(values)}: no decision within {_hours(values['hours'])}, so it is not live. "
                "Leads: react to its report with :white_check_mark: or :x:. I'll ask again if no decision is made."
            )
        case NoticeKind.STAYS_LIVE:
            return stays_live(values, moment(datetime.fromtimestamp(values["at"], UTC)), MRKDWN)
        case NoticeKind.ROLLED_BACK:
            return rolled_back(values, MRKDWN)
        case NoticeKind.OVERRULED:
            return overruled(values, MRKDWN)
        case NoticeKind.CANARY_WORSE:
            return (
                f"{_model(values)} looks worse than {values['former']}. {_paired(values)} I propose to roll back. "
                f"Leads: decide with the buttons on its report, or type `/goldloop rollback {values['name']}`. "
                "Nothing happens without you."
            )
        case NoticeKind.CANARY_NOT_YET:
            return (
                f"{_model(values)}: its canary is over, but too few items are settled to compare it with "
                f"{values['former']}. {_paired(values)} It goes on until there are enough, or a lead ends it with the "
                "button on its report."
            )
        case NoticeKind.CANARY_PASSED:
            return f"{_model(values)} answers all requests now: not worse than {values['former']}. {_paired(values)}"
        case NoticeKind.COMPARISON_FAILED:
            problem = run_problem(Coded.from_dict(values["problem"]), MRKDWN)
            return (
                f"{_model(values)} could not be compared with the live model. {problem} "
                "Use `/goldloop retrain` to make a new candidate."
            )
        case NoticeKind.FLAGGED_SETTLED:
            return flagged_settled(values, moment, MRKDWN)
        case NoticeKind.FLAGGED_ERASED:
            return flagged_erased(values, moment, MRKDWN)
        case NoticeKind.CHANNEL_BLOCKED:
            remedy = escape(leads_remedy(values["error"]))
            return f"I can't post in <#{values['channel']}>. {remedy} {_waiting(values['waiting'])}"
        case NoticeKind.MESSAGES_REFUSED:
            return (
                f"I can't post {count(values['count'], 'message')} in <#{values['channel']}>"
                f"{_cards(values['cards'], values['count'])}: {escape(values['error'])}. Other messages still arrive. "
                "`goldloop doctor` says what to do; `goldloop retry-deliveries` sends them again."
            )
        case NoticeKind.INCIDENT_RESOLVED:
            since = moment(datetime.fromtimestamp(values["since"], UTC))
            where = f"in <#{values['channel']}> " if values["channel"] else ""
            return f"Resolved: I can post {where}again, after failing since {since}. Waiting messages follow now."
        case _:
            assert_never(known)


def _model(values: Values) -> str:
    return f"{MRKDWN.text(values['queue'])}: {values['model']}"


def _disputes(values: Values, workspace: str) -> str:
    links = [card_link(item_id, place and Place(*place), workspace) for item_id, place in values["items"]]
    links += [f"{values['more']} more"] if values["more"] else []
    if len(links) == 1:
        return f"{MRKDWN.text(values['queue'])}: {links[0]} is disputed. Leads: decide on its card, or on my Home tab."
    named = f"{', '.join(links[:-1])} and {links[-1]}"
    total = len(values["items"]) + values["more"]
    return (
        f"{MRKDWN.text(values['queue'])}: {total} items are disputed: {named}. "
        "Leads: decide on their cards, or on my Home tab."
    )


def _shadow_over(values: Values, workspace: str) -> str:
    place = values["report"] and Place(*values["report"])
    found = f"it agreed with the stored answers on {values['agreed']} of {count(values['n'], 'prediction')}"
    return (
        f"{_model(values)}: its shadow is over, and {found if values['n'] else 'no predictions arrived meanwhile'}. "
        f"Leads: read {message_link('its report', place, workspace)}, then react to it with :white_check_mark: or :x:."
    )


def _paired(values: Values) -> str:
    return paired_sentence(Paired(values["n"], values["regressions"], values["improvements"]))


def _hours(hours: float) -> str:
    return "1 hour" if hours == 1 else f"{hours:g} hours"


def _waiting(messages: int) -> str:
    return "1 message is waiting." if messages == 1 else f"{messages} messages are waiting."


def _cards(cards: Sequence[tuple[str, int]], total: int) -> str:
    named = ", ".join(card_name(card, subject_id) for card, subject_id in cards)
    return f" ({named}{', …' if total > len(cards) else ''})" if named else ""
