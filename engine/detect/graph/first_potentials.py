"""What assets are about worth by the pools of a start, so that their tokens begin well placed.

Nothing is decided by it. Weights far from zero make scans look at much in vain: without potentials
the first ones in a large market take milliseconds.
"""

from collections import deque
from collections.abc import Iterable

from engine.detect.graph.moved_pair import KnownPool
from engine.detect.graph.pool_sides import GIVES_NOTHING
from engine.domain.assets import AssetCode
from engine.kernels.graph_layout import LOG_MAX


def log_values(pools: Iterable[KnownPool], roots: Iterable[AssetCode]) -> dict[AssetCode, float]:
    """Return the log of each asset's value as the nearest root counts it, by marginal rates.

    Args:
        pools: their assets are valued.
        roots: the assets to count in, the best first. What no pools join to any is counted in the
            first asset of its kind.
    """
    rates: dict[AssetCode, list[tuple[AssetCode, float]]] = {}
    for pool in pools:
        for side in pool.sides:
            known = rates.setdefault(side.source, [])
            if side.log_rate > GIVES_NOTHING:
                known.append((side.target, side.log_rate))
    logs: dict[AssetCode, float] = {}
    for root in (*roots, *rates):
        if root not in rates or root in logs:
            continue
        logs[root] = 0.0
        reached = deque([root])
        while reached:
            source = reached.popleft()
            for target, log_rate in rates[source]:
                if target not in logs:
                    logs[target] = max(-LOG_MAX, min(logs[source] - log_rate, LOG_MAX))
                    reached.append(target)
    return logs
