"""The vocabulary as people read it in Slack."""

from core.vocabulary import ErrorReason, Reason

WHY_FLAGGED = {
    Reason.UNCERTAIN: "unsure",
    Reason.AUDIT: "a random check",
    Reason.PERSON: "flagged by a person",
}

REASON_WORDS: dict[str, str] = {
    ErrorReason.NOISY_INPUT: "noisy input",
    ErrorReason.MISSING_CONTEXT: "missing context",
    ErrorReason.AMBIGUOUS: "ambiguous: several labels fit",
    ErrorReason.GUIDELINE_GAP: "the guideline does not cover it",
    ErrorReason.WRONG_LABEL_DEFINITION: "the label is defined wrongly",
    ErrorReason.NEW_CLASS: "a new kind of case",
    ErrorReason.BIASED_OR_OUTDATED_DATA: "the training data is biased or outdated",
    ErrorReason.OTHER: "something else",
}
