"""The health of pools by venue: when all of a protocol at a chain is lost, and when it is back."""

from collections.abc import Sequence

from engine.detect.moving.moving_pools import MovingPools
from engine.domain.faults import Fault
from engine.domain.instruments import VenueId
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.market.freshness import NO_EDGES, VenueBack, VenueEdge, VenueLost


class PoolHealth:
    """Follows the venues of pools as `Freshness` does those of books."""

    def __init__(self, pools: MovingPools) -> None:
        self._pools = pools
        self._lost_at_ns: dict[VenueId, int] = {}
        self._stale_ns: dict[VenueId, int] = {}

    def update(self, at_ns: int) -> Sequence[VenueEdge]:
        """Return which venues were lost and which are back, as on each tick and after a block."""
        edges: list[VenueEdge] = []
        for venue, count in self._pools.counts.items():
            is_lost = count > 0 and not self.fresh_pools(venue, at_ns)
            if is_lost == (venue in self._lost_at_ns):
                continue
            if is_lost:
                self._lost_at_ns[venue] = at_ns
                fault = Fault.GAP if self._pools.is_fresh(chain_of(venue), at_ns) else Fault.STALLED
                edges.append(VenueLost(venue=venue, at_ns=at_ns, fault=fault, books=count))
            else:
                lost_ns = max(at_ns - self._lost_at_ns.pop(venue), 0)
                self._stale_ns[venue] = self._stale_ns.get(venue, 0) + lost_ns
                edges.append(VenueBack(venue=venue, at_ns=at_ns, lost_ms=lost_ns // NS_PER_MS))
        return edges or NO_EDGES

    def fresh_pools(self, venue: VenueId, at_ns: int) -> int:
        """Return the number of the venue's pools that may be acted on."""
        is_fresh = self._pools.is_fresh(chain_of(venue), at_ns)
        return self._pools.known_counts[venue] if is_fresh else 0

    def stale_s(self, venue: VenueId, at_ns: int) -> float:
        """Return how long the venue was lost in all."""
        now_ns = max(at_ns - self._lost_at_ns[venue], 0) if venue in self._lost_at_ns else 0
        return (self._stale_ns.get(venue, 0) + now_ns) / NS_PER_S

    def step_clock(self, step_ns: int) -> None:
        """Keep what has lasted as long as it has, whatever the clock was set by."""
        for venue in self._lost_at_ns:
            self._lost_at_ns[venue] += step_ns


def chain_of(venue: VenueId) -> str:
    """Return the chain of a pool's venue, which is named a protocol at a chain."""
    return venue.rpartition("@")[2]
