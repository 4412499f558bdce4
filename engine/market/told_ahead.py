"""Pools of which a webhook told a large swap whose block no node has told yet.

Nothing is known of such a pool but that it is not as its nodes say any more: nothing new is planned
on it until that block is here, or should be. What a pool is, only blocks say.
"""

from dataclasses import dataclass, field
from typing import Final

POOLS_MAX: Final = 1_024
"""Of one chain; where more are told, those go of which the least was told."""


@dataclass(slots=True)
class ToldAhead:
    """Obeys nothing but blocks and the clock.

    Attributes:
        count: how many swaps were told ahead and waited for.
        left_out: how many pools were not waited for any more, or never, as others were told with
            larger swaps; `left_out_bps_max` is the largest of theirs.
    """

    count: int = 0
    left_out: int = 0
    left_out_bps_max: int = 0
    _of: dict[str, dict[str, tuple[int, int, int]]] = field(default_factory=dict)

    def tell(self, chain: str, address: str, *, block: int, until_ns: int, impact_bps: int) -> None:
        """Wait for a block because of one of its swaps, and no longer than until then."""
        pools = self._of.setdefault(chain, {})
        known = pools.pop(address, (0, 0, 0))
        told = (block, until_ns, impact_bps)
        pools[address] = (max(known[0], told[0]), max(known[1], told[1]), max(known[2], told[2]))
        if len(pools) > POOLS_MAX:
            self._leave_out(pools)
        self.count += 1

    def _leave_out(self, pools: dict[str, tuple[int, int, int]]) -> None:
        """Wait for the pool no more of which the least was told, the one told first of equals."""
        least = min(pools, key=lambda address: pools[address][2])
        self.left_out += 1
        self.left_out_bps_max = max(self.left_out_bps_max, pools.pop(least)[2])

    def block(self, chain: str, number: int) -> None:
        """Learn that a block is here: nothing of it, or of those before it, is waited for."""
        pools = self._of.get(chain)
        if pools:
            self._of[chain] = {at: told for at, told in pools.items() if told[0] > number}

    def is_waited_for(self, chain: str, address: str, at_ns: int) -> bool:
        """Say whether a pool is not as nodes say any more."""
        pools = self._of.get(chain)
        if not pools:
            return False
        told = pools.get(address)
        return told is not None and at_ns <= told[1]

    def step_clock(self, step_ns: int) -> None:
        """Keep what is waited for over a step of the clock."""
        self._of = {
            chain: {
                at: (block, until_ns + step_ns, impact_bps)
                for at, (block, until_ns, impact_bps) in pools.items()
            }
            for chain, pools in self._of.items()
        }
