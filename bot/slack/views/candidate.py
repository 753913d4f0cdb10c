"""The golden-set report of a model, and the decisions about it."""

from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.views.mrkdwn import MRKDWN, moment
from bot.wording.canary import canary_sentence, paired_sentence, still_answers_sentence
from bot.wording.confusions import confusion_lines
from bot.wording.effort import effort_sentence
from bot.wording.gate import BASELINES, gate_sentence
from bot.wording.golden import origins
from bot.wording.model_history import decision, erased_sentence, overruled_sentences
from bot.wording.numbers import count, percent, signed
from bot.wording.open_items import open_items_sentence
from bot.wording.report import counted_by_group, counts_sentence, on_texts, plain_line, two_labels, what_counts
from bot.wording.shadow import agreement, disagreements, labels_in_shadow
from bot.wording.synthesis import written_rows_sentence
from bot.wording.weighing import weighing
from core.learning.evaluation.intervals import Interval
from core.learning.evaluation.scorecard import Flip, LabelScore, PinScore, Scorecard
from core.learning.lifecycle.canary import CanaryLine
from core.learning.lifecycle.cards import CandidateCard, DecisionLine
from core.learning.lifecycle.shadow import ShadowLine
from core.vocabulary import CanaryState, ModelState

MOST_FLIPS = 6
MOST_LABELS = 8
MOST_CONFUSIONS = 6
MOST_REASONS = 12  # a candidate that lost its labels has one per label; the buttons must stay on the card


def render(card: CandidateCard) -> Message:
    other = card.live_name or BASELINES[card.scorecard.baseline]
    head = f"{card.queue_title}: {card.name} compared with {other}"
    drawn = [blocks.header(head), *_overruled(card), *_meaning(card), blocks.section(_state(card)), *_numbers(card)]
    if cost := _cost(card):
        drawn.append(blocks.section(f"*Cost and gain:* {cost}"))
    drawn += _reasons(card)
    if card.warnings:
        drawn.append(blocks.context(*(f":warning: {gate_sentence(warning, MRKDWN)}" for warning in card.warnings)))
    if card.erased:
        drawn.append(blocks.section(f":warning: {erased_sentence(card.erased)}"))
    drawn += _details(card.scorecard)
    drawn += _shadow(card.shadow)
    drawn += _canary(card)
    afterwards = open_items_sentence(card.open_items, card.state)
    told = [_provenance(card), *([afterwards] if afterwards else []), *(_decision(line) for line in card.decisions)]
    drawn.append(blocks.context(*told))
    if card.state is ModelState.CANDIDATE and not card.outdated and (card.erased or not card.passed):
        drawn += blocks.actions(blocks.button("Overrule…", "overrule", str(card.subject), style="danger"))
    return blocks.message(_spoken(card, head), drawn)


def _overruled(card: CandidateCard) -> list[Block]:
    """The note that the model went live against its report, above everything else."""
    found = overruled_sentences(card.decisions, card.passed, MRKDWN)
    return [blocks.section(f":warning: *{found[0]}* {found[1]}")] if found else []


def _meaning(card: CandidateCard) -> list[Block]:
    """The summary in plain words; none if the report is about a model that is no longer live."""
    return [] if card.outdated else [blocks.section(f"*{_plain_line(card)}*")]


def _plain_line(card: CandidateCard) -> str:
    return plain_line(card.scorecard, card.passed, card.blocks, MRKDWN)


def _cost(card: CandidateCard) -> str:
    return effort_sentence(card.effort, card.scorecard, card.live_name) if card.effort else ""


def _reasons(card: CandidateCard) -> list[Block]:
    said = [f":no_entry: {gate_sentence(block, MRKDWN)}" for block in card.blocks[:MOST_REASONS]]
    more = len(card.blocks) - MOST_REASONS
    if more > 0:
        said.append(f"And {count(more, 'more reason')}: `goldloop explain model {card.subject.id}` lists all.")
    return [blocks.section(reason) for reason in said]


def _state(card: CandidateCard) -> str:
    if card.state is ModelState.CANDIDATE:
        return _pending(card)
    if card.state is ModelState.LIVE:
        return f":large_green_circle: *{card.name} is live{_canary_share(card.canary)}.*"
    if card.still_answers is not None:
        return f":hatching_chick: {still_answers_sentence(card.still_answers, card.name)}"
    if card.state is ModelState.SUPERSEDED:
        newer = f" by {card.superseded_by}" if card.superseded_by else ""
        return f":fast_forward: *Superseded{newer}.* Decide on the newer one instead."
    words = {ModelState.RETIRED: ":white_circle: *No longer live.*", ModelState.REJECTED: ":x: *Rejected.*"}
    return words[card.state]


def _canary_share(canary: CanaryLine | None) -> str:
    if canary is None or canary.state not in (CanaryState.RUNNING, CanaryState.PROPOSED):
        return ""
    return f" for {percent(canary.share)} of the requests"


def _pending(card: CandidateCard) -> str:
    if card.outdated:
        return ":arrows_counterclockwise: *The live model has changed.* A new report is on its way."
    if not card.passed:
        return ":no_entry: *The golden gate refuses it.* React with :x: to reject it. A check mark won't promote it."
    if card.erased:
        return (
            ":warning: *It was trained on text that has been erased since.* React with :x: to reject it. "
            "A check mark won't promote it."
        )
    if card.shadow is not None and card.shadow.report is None:
        return _in_shadow(card.shadow)
    given = len(card.approvals)
    who = f" ({', '.join(blocks.mention(person) for person in card.approvals)})" if given else ""
    counted = f" {given} of {card.approvals_needed} leads{who}." if card.approvals_needed > 1 or given else ""
    return (
        "*The golden gate passes it.* Leads: react with :white_check_mark: to promote it or :x: to reject it."
        f"{counted} Nothing happens without you."
    )


def _in_shadow(shadow: ShadowLine) -> str:
    until = f"until {moment(shadow.ends_at)}" if shadow.ends_at else "from now on"
    return (
        f":ghost: *The golden gate passes it. It is in shadow {until}:* it predicts beside the live model, and callers "
        "do not get its answers. Leads: I'll write here when its shadow is over. To reject it now, react with :x:."
    )


def _shadow(shadow: ShadowLine | None) -> list[Block]:
    if shadow is None or shadow.report is None:
        return []
    drawn = [blocks.section(f":ghost: {agreement(shadow.report)}")]
    lines = [f"• {line}" for line in labels_in_shadow(shadow.report, MRKDWN)]
    if lines:
        drawn.append(blocks.section("*Labels with the least agreement*\n" + "\n".join(lines)))
    apart = [f"• {line}" for line in disagreements(shadow.report, MRKDWN)]
    if apart:
        drawn.append(blocks.section("*Most frequent disagreements* (answered → candidate)\n" + "\n".join(apart)))
    return drawn


def _canary(card: CandidateCard) -> list[Block]:
    if card.canary is None:
        return []
    line = card.canary
    looks = f"{line.looks_taken} of {count(line.looks, 'look')} taken, until {moment(line.ends_at)}."
    drawn = [blocks.section(f":hatching_chick: *{canary_sentence(line, card.name)}* {paired_sentence(line.paired)}")]
    if card.state is not ModelState.LIVE or line.state not in (CanaryState.RUNNING, CanaryState.PROPOSED):
        return drawn
    back = blocks.button(f"Roll back to {line.former}", "canary_rollback", str(card.subject), style="danger")
    keep = blocks.button(f"Let {card.name} answer all", "canary_keep", str(card.subject))
    proposed = [back] if line.state is CanaryState.PROPOSED else []
    return [*drawn, blocks.context(looks), *blocks.actions(*proposed, keep)]


def _numbers(card: CandidateCard) -> list[Block]:
    random, past, pooled = card.scorecard.random, card.scorecard.past_errors, card.scorecard.pooled
    pairs = []
    if random.n:
        pairs.append(
            (
                f"Random golden examples ({random.n})",
                f"{_share(random.live)} → {_share(random.candidate)}; difference {_points(random.difference)}",
            )
        )
    if past.n:
        pairs.append(
            (
                f"Past errors ({past.n})",
                f"{past.live_right} → {past.candidate_right} right; {len(past.fixed)} fixed, "
                f"{len(past.newly_wrong)} newly wrong",
            )
        )
    if pins := card.scorecard.pins.examples:
        pairs.append((f"Pinned past errors ({len(pins)})", _pins(card.scorecard.pins)))
    if (rows := card.scorecard.training) and rows.n:
        flips = f"{rows.regressions} newly wrong, {rows.improvements} newly right"
        pairs.append((f"Training rows of both, held out ({rows.n})", flips))
    if not pairs:
        return [blocks.section("There are no golden examples yet, so nothing could be measured.")]
    meaning = counts_sentence(pooled) if pooled.n else ""
    said = [meaning, what_counts(pooled), counted_by_group(random), on_texts(card.scorecard.texts)]
    return [*blocks.fields(pairs), blocks.section(" ".join(filter(None, said)))]


def _pins(score: PinScore) -> str:
    broken = ", ".join(f"#{one}" for one in score.broken)
    return f"wrong again: {broken}" if broken else "none wrong again"


def _details(scorecard: Scorecard) -> list[Block]:
    drawn = []
    if scorecard.negative_flips:
        flips = ", ".join(_flip(flip) for flip in scorecard.negative_flips[:MOST_FLIPS])
        drawn.append(blocks.section(f"*Newly wrong* ({len(scorecard.negative_flips)}): {flips}{_more(scorecard)}"))
    if diagnostic := [f"• {line}" for line in two_labels(scorecard, MRKDWN)]:
        head = "*Found of each label* (sensitivity; that of one label is the specificity of the other)"
        drawn.append(blocks.section("\n".join([head, *diagnostic])))
    changed = [one for one in scorecard.labels if one.n and _change(one)]
    lines = [_label(one) for one in sorted(changed, key=_change, reverse=True)[:MOST_LABELS]]
    if lines:
        drawn.append(blocks.section("*Labels that changed most* (recall, precision)\n" + "\n".join(lines)))
    confused = [f"• {line}" for line in confusion_lines(scorecard, MRKDWN, MOST_CONFUSIONS)]
    if confused:
        drawn.append(blocks.section("*Confusions that changed most*\n" + "\n".join(confused)))
    return drawn


def _change(one: LabelScore) -> float:
    precision = (one.candidate_precision or 0) - (one.live_precision or 0)
    return max(abs(one.candidate_recall - one.live_recall), abs(precision))


def _label(one: LabelScore) -> str:
    return (
        f"• {blocks.literal(one.label)} ({one.n}): {one.live_recall:.0%} → {one.candidate_recall:.0%}, "
        f"{_percent_or_dash(one.live_precision)} → {_percent_or_dash(one.candidate_precision)}"
    )


def _percent_or_dash(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _flip(flip: Flip) -> str:
    return f"#{flip.id} {blocks.literal(flip.label)} → {blocks.literal(flip.candidate)}"


def _more(scorecard: Scorecard) -> str:
    more = len(scorecard.negative_flips) - MOST_FLIPS
    return f" and {more} more" if more > 0 else ""


def _provenance(card: CandidateCard) -> str:
    graduated = (
        f" {count(card.graduated, 'past error')} moved from the golden set to training." if card.graduated else ""
    )
    drawn = f" Random golden examples: {origins(card.random_origins)}." if card.random_origins else ""
    lost = _graduates_words(card.graduates_left_out)
    left = (
        f" {count(card.left_out, 'row')} left out as near-duplicates of golden examples{lost}." if card.left_out else ""
    )
    weight = f" {weighing(card.weighing, MRKDWN)}" if card.weighing else ""
    by = f" by a service, as its version “{blocks.literal(card.service_version)}”," if card.service_version else ""
    trained = f"Trained{by} on {count(card.rows, 'row')}, including {count(card.corrections, 'correction')}."
    return f"{trained}{_written(card)}{graduated}{left}{weight}{drawn}"


def _written(card: CandidateCard) -> str:
    sentence = written_rows_sentence(card.written)
    return f" {sentence}" if sentence else ""


def _graduates_words(graduates: int) -> str:
    if graduates == 1:
        return ", including 1 past error that had left the golden set"
    return f", including {graduates} past errors that had left the golden set" if graduates else ""


def _decision(line: DecisionLine) -> str:
    return f"{moment(line.at)}: {decision(line, MRKDWN)}"


def _share(interval: Interval) -> str:
    return f"{interval.estimate:.1%} ({interval.low:.0%}–{interval.high:.0%})"


def _points(interval: Interval) -> str:
    return f"{signed(interval.estimate)} points ({signed(interval.low)} to {signed(interval.high)})"


def _spoken(card: CandidateCard, head: str) -> str:
    """The report in words, numbers included: screen readers read nothing else."""
    random, past = card.scorecard.random, card.scorecard.past_errors
    line = [] if card.outdated else [_plain_line(card)]
    against = overruled_sentences(card.decisions, card.passed, MRKDWN)
    parts = [blocks.escape(head) + ".", *against, *line, _state(card)]
    if random.n:
        parts.append(
            f"Random golden examples: {random.live_right} of {random.n} right before, {random.candidate_right} now, "
            f"difference {_points(random.difference)}."
        )
    if past.n:
        parts.append(f"Past errors: {len(past.fixed)} of {past.n} fixed, {len(past.newly_wrong)} newly wrong.")
    if card.scorecard.pooled.n:
        parts.append(counts_sentence(card.scorecard.pooled))
    if cost := _cost(card):
        parts.append(f"Cost and gain: {cost}")
    parts += [gate_sentence(block, MRKDWN) for block in card.blocks]
    if card.shadow is not None and card.shadow.report is not None:
        parts.append(agreement(card.shadow.report))
    if card.canary is not None:
        parts += [canary_sentence(card.canary, card.name), paired_sentence(card.canary.paired)]
    return " ".join(parts)
