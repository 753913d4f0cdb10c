"""What the leads read when Slack does not take our messages, and when it does again. One line each."""

from datetime import datetime

from bot.slack.blocks import escape

INVITE = "Invite me there: `/invite @goldloop`."
ARCHIVED = "The channel is archived. Take it out of the archive, or name another one in the policy file."
READ_ONLY = "I may not post there. Allow it in the channel's settings, or name another one in the policy file."
REMEDIES = {
    "not_in_channel": f"I am not in the channel. {INVITE}",
    "channel_not_found": f"Slack does not know the channel, or I am not in it. {INVITE}",
    "is_archived": ARCHIVED,
    "is_inactive": ARCHIVED,
}


def held_up(channel: str, reason: str, waiting: int) -> str:
    """A whole channel waits."""
    words = f"I cannot post in <#{channel}>. {REMEDIES.get(reason, f'{READ_ONLY} (Slack says {escape(reason)}.)')}"
    return f"{words} {_count(waiting)} until then."


def refused(channel: str, reason: str, count: int, named: tuple[str, ...]) -> str:
    """Single messages that are given up; the others go on."""
    which = f" ({', '.join(named)}{', …' if count > len(named) else ''})" if named else ""
    those = "a message of mine" if count == 1 else f"{count} messages of mine"
    return (
        f"Slack does not take {those} in <#{channel}>{which}: {escape(reason)}. The others go on. "
        "`goldloop doctor` says what to do; `goldloop retry-deliveries` tries again."
    )


def mended(channel: str, since: datetime) -> str:
    """channel: empty where Slack took nothing at all."""
    where = f"<#{channel}> takes my messages" if channel else "Slack takes my messages"
    return f"All is well again: {where}, which failed since {since:%Y-%m-%d %H:%M} UTC. What waited comes now."


def _count(waiting: int) -> str:
    return "1 message waits" if waiting == 1 else f"{waiting} messages wait"
