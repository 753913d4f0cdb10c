"""A queue's budget: what was asked for, what came, what waits and what lapsed."""

from core.review.budget_reading import BudgetReading


def budget_line(reading: BudgetReading) -> str:
    """Of today: "60 a day: 60 asked, 41 came, 12 waiting, 3 lapsed in 7 days"."""
    asked = "volume not known yet" if reading.asked is None else f"{reading.asked} asked"
    numbers = f"{asked}, {reading.came} came, {reading.waiting} waiting, {reading.lapsed} lapsed in 7 days"
    return f"{reading.budget}: {numbers}"
