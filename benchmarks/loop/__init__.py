"""`make bench-loop`: months of the loop on real texts, through the core's own verbs, with the truth known.

A month is a queue on a database of its own: predictions of the live model arrive, three reviewers who are right nine
times in ten settle what is flagged, a candidate is trained after so many corrections, and a lead decides about it. What
the gate says of each candidate is held against what both models get right on unseen texts. So are spoilt, older and
equal candidates (pairs), each fitted by the product's learner and measured by the product beside the real live model.

Nothing here knows how the gate, the golden set or the learner work: whatever rule is in the code is what is measured.
"""
