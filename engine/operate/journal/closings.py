"""What became of the closings that persons said yes to, for the answer to them."""

from typing import Final

from cachetools import FIFOCache

from engine.domain.opportunities import Refusal
from engine.domain.plans import LeggedPlan, Plan

KEPT_MAX: Final = 200


class ClosingBook:
    """Why each of the newest closings did not begin; empty for one that did."""

    NOT_STATE = frozenset({"_why_not"})  # for people alone

    def __init__(self) -> None:
        self._why_not: FIFOCache[str, str] = FIFOCache(KEPT_MAX)

    def decided(self, terms: LeggedPlan, decision: Plan | Refusal) -> None:
        """Note a decision."""
        why = decision.detail if isinstance(decision, Refusal) else ""
        self._why_not[terms.plan_id] = why

    def why_not(self, terms: LeggedPlan) -> str:
        """Say why it did not begin, nothing if it did."""
        return self._why_not.get(terms.plan_id, "it was not decided on")
