"""Sentences about faults of an evidence pack."""

from typing import assert_never

from bot.wording.format import Format
from core.vocabulary import Coded, EvidenceFault


def evidence_sentence(fault: Coded, form: Format) -> str:
    """The sentence on a fault. fault: a code of `EvidenceFault`."""
    known = EvidenceFault(fault.code)
    file = form.text(str(fault.values.get("file", "")))
    match known:
        case EvidenceFault.CHANGED:
            return f"{file} was changed after the pack was made."
        case EvidenceFault.MISSING:
            return f"{file} is missing."
        case EvidenceFault.ADDED:
            return f"{file} does not belong to the evidence pack."
        case EvidenceFault.UNREADABLE:
            return f"{file} is damaged and cannot be read."
        case EvidenceFault.DISAGREES:
            return f"{file} contradicts the other files: it belongs to another training snapshot."
        case EvidenceFault.OTHER_DIGEST:
            found = f"its digest is {form.text(fault.values['found'])}" if fault.values["found"] else "it has no digest"
            return f"This is a different evidence pack: {found}, not {form.text(fault.values['expected'])}."
        case _:
            assert_never(known)
