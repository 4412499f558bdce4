"""The executor of plans of legs whose orders are really placed."""

from typing import Final

from engine.domain.plans import LeggedPlan
from engine.execute.following import OutcomeRules
from engine.execute.legged import LeggedWay
from engine.execute.live_book_executor import LiveBookExecutor
from engine.execute.plan_executor import Around

OUTCOMES: Final = OutcomeRules(answer_ms_max=30_000, look_up_ms=5_000, unresolved_ms=120_000)
"""Whoever places orders finds out by itself; it is asked only in case a word of it was lost."""


def make_live_legged(around: Around) -> LiveBookExecutor:
    """Make it of what executors are made of."""
    return LiveBookExecutor(around, LeggedPlan, LeggedWay(), OUTCOMES)
