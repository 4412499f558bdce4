"""Pools that paper transactions have traded, until the chain itself moves them.

A paper transaction leaves no mark on the real pool, so the same gap would seem to be there for the
next one. It is gone until the pool has another state. The pools of a plan count from its decision
on: of two plans through one pool the second would only pay for gas.
"""

from collections.abc import Iterable, Mapping


class TakenPools:
    """Which pools are traded in the state in which they are now, and by which plan."""

    def __init__(self, pools: Mapping[int, object]) -> None:
        """Begin with none.

        Args:
            pools: by their numbers, as they are now; one that moves is another object.
        """
        self._pools = pools
        self._taken: dict[int, tuple[object, str]] = {}

    def take(self, rows: Iterable[int], plan_id: str) -> None:
        """Remember that a plan trades these pools as they are now."""
        for row in rows:
            if row in self._pools:
                self._taken[row] = (self._pools[row], plan_id)

    def release(self, plan_id: str) -> None:
        """Forget what a plan was to trade: its transaction did nothing."""
        for row in [row for row, (_, by_plan) in self._taken.items() if by_plan == plan_id]:
            del self._taken[row]

    def find_taken(self, rows: Iterable[int], plan_id: str = "") -> int | None:
        """Return one of these pools that another plan trades as it is now, None if none is."""
        for row in rows:
            taken = self._taken.get(row)
            if taken is None:
                continue
            state, by_plan = taken
            if self._pools.get(row) is not state:
                del self._taken[row]
            elif by_plan != plan_id:
                return row
        return None
