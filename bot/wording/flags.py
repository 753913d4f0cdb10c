"""Sentences about the reason for which a prediction is reviewed."""

from typing import assert_never

from bot.wording.format import Format
from bot.wording.numbers import percent
from bot.wording.slices import slice_name
from core.quality.slices import Look
from core.vocabulary import Coded, DriftSign, Reason, SliceKind

UNKNOWN = "Flagged for review."


def flag_sentence(why: Coded, person: str | None, form: Format) -> str:
    """The sentence on a flag. why: a code of `Reason`. person: who flagged the prediction, if a person did."""
    if why.code not in set(Reason):
        return UNKNOWN
    reason = Reason(why.code)
    match reason:
        case Reason.UNCERTAIN if "threshold" in why.values:
            return f"Asked because the model is below {percent(why.values['threshold'])}."
        case Reason.UNCERTAIN if "budget" in why.values:
            sure, budget = percent(why.values["confidence"]), form.text(why.values["budget"])
            return f"Asked because this is one of the model's least sure predictions ({sure}); the budget is {budget}."
        case Reason.UNCERTAIN:
            first, second = percent(why.values["confidence"]), percent(why.values["second"])
            return f"Asked because two labels are close ({first} and {second})."
        case Reason.AUDIT:
            return f"Asked as a random check ({percent(why.values['share'])} of all predictions)."
        case Reason.HELD_BACK:
            share = percent(why.values["share"])
            return f"Asked as a random check ({share} of the flagged predictions); not used for training."
        case Reason.PERSON:
            return f"Flagged by {form.person(person)}." if person else UNKNOWN
        case Reason.DISAGREEMENT:
            other, model = form.text(why.values["label"]), form.text(why.values["model"])
            return f"Asked because another model, {model}, says “{other}”."
        case Reason.DRIFT if why.values["sign"] == DriftSign.NONE_OF_THESE:
            label = form.text(why.values["label"])
            return f"Asked because no label fits more and more texts that the model calls “{label}”."
        case Reason.DRIFT:
            return f"Asked because “{form.text(why.values['label'])}” was corrected more often than usual lately."
        case Reason.WEAK_SLICE:
            look = Look(SliceKind(why.values["kind"]), *(why.values[part] for part in ("value", "name", "other")))
            return f"Asked because the model is often wrong here: {slice_name(look, form)}."
        case Reason.DISCOVERY if "wanted" in why.values:
            return f"Found by a scan for texts about “{form.text(why.values['wanted'])}”."
        case Reason.DISCOVERY if why.values.get("foreign"):
            return "Found by a scan for texts of another kind than this queue's."
        case Reason.DISCOVERY:
            first, second = form.text(why.values["label"]), form.text(why.values["second"])
            return f"Found by a scan: the model can't tell “{first}” from “{second}” here."
        case _:
            assert_never(reason)
