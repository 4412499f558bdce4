"""The executor of mixed plans that are carried out for real, of the same parts as the other two.

Its orders go to whoever places them, its transaction to whoever sends. Which of them goes first,
what follows on it and how much of that, and what closes the rest, says the way of paper.
"""

from typing import Final

from engine.domain.plans import MixedPlan
from engine.execute.following import OutcomeRules
from engine.execute.live_book_executor import LiveBookExecutor
from engine.execute.mixed import MixedWay
from engine.execute.plan_executor import Around

OUTCOMES: Final = OutcomeRules(look_up_ms=5_000)
"""A transaction waits for blocks, so that silence says nothing as soon as it does of an order."""


def make_live_mixed(around: Around) -> LiveBookExecutor:
    """Make it of what executors are made of."""
    return LiveBookExecutor(around, MixedPlan, MixedWay(), OUTCOMES)
