"""Limits of a prediction that is sent."""

LONGEST_TEXT = 100_000  # characters
LONGEST_ID = 200
LONGEST_LINK = 1_000
MOST_PICTURES = 4  # per input: a mammography has as many views, and as many fit on a card
LONGEST_LABEL = 60
MOST_FIELDS = 20
LONGEST_NAME = 80  # characters of a field's name; longer names and values are cut
LONGEST_VALUE = 500
SUM_TOLERANCE = 0.02  # probabilities are often rounded by the sender
