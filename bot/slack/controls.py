"""Values of buttons and options: views write them, inbound/payloads.py reads them."""

from core.vocabulary import AnswerKind

ANSWER_WORDS = {  # in the value of a vote button: "ITEM|label|NAME", "ITEM|none", "ITEM|cannot" or "ITEM|skip"
    "label": AnswerKind.LABEL,
    "none": AnswerKind.NONE_OF_THESE,
    "cannot": AnswerKind.CANNOT_JUDGE,
    "skip": AnswerKind.SKIP,
}
CANNOT_JUDGE = "Cannot judge"  # the text of this answer on buttons and in lists of labels
# Values of the options "None of these" and "Cannot judge" in a list of labels; no label can have such a name.
NONE_VALUE, CANNOT_VALUE = "|none", "|cannot"
IN_LIST = "mine"  # ends the value of a button in the answer to `/goldloop mine`, which is replaced after a click
OPTION_KINDS = {NONE_VALUE: AnswerKind.NONE_OF_THESE, CANNOT_VALUE: AnswerKind.CANNOT_JUDGE}
