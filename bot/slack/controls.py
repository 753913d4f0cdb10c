"""Values of buttons and options: views write them, inbound/payloads.py reads them."""

from core.vocabulary import AnswerKind

ANSWER_WORDS = {  # of a button that votes: "ITEM|label|NAME", "ITEM|none", "ITEM|cannot" or "ITEM|skip"
    "label": AnswerKind.LABEL,
    "none": AnswerKind.NONE_OF_THESE,
    "cannot": AnswerKind.CANNOT_JUDGE,
    "skip": AnswerKind.SKIP,
}
NONE_VALUE = "|none"  # of the option "None of these" in a list of labels; no label can be called so
