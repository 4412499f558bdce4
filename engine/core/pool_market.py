"""Pools as the sources of their chains' blocks see them."""

from collections.abc import Sequence

from engine.detect.moving.moving_pools import MovingPools
from engine.detect.screening.detector import Detector
from engine.domain.faults import Fault
from engine.domain.gas import GasPrice
from engine.domain.pools import PoolId
from engine.pools.blocks import Block, SwapTold
from engine.pools.snapshots import PoolSnapshot


class PoolMarket:
    """Obeys `ports.MarketSink`. What changes is screened by the pipeline, after the whole input."""

    def __init__(self, pools: MovingPools, detector: Detector) -> None:
        self._pools = pools
        self._detector = detector

    def take(self, block: Block, at_ns: int) -> None:
        """Take a block's moves; see `MarketSink.take`."""
        self._pools.take(block, at_ns)

    def add(self, snapshot: PoolSnapshot, at_ns: int) -> bool:
        """Take a pool's whole state; see `MarketSink.add`. By other terms it is another pool."""
        pool_id = snapshot.pool.pool_id
        known = self._pools.numbers.get(pool_id)
        if known is not None and self._pools.terms[known] != snapshot.pool:
            self.remove(pool_id, at_ns)
        is_new = pool_id not in self._pools.numbers
        return self._pools.add(snapshot) is not None and is_new

    def remove(self, pool_id: PoolId, at_ns: int) -> bool:
        """Forget a pool; see `MarketSink.remove`."""
        number = self._pools.remove(pool_id)
        if number is None:
            return False
        self._detector.remove_pool(number, at_ns)
        return True

    def price_gas(self, chain: str, price: GasPrice, at_ns: int) -> None:
        """Take what gas costs on a chain from now on; see `MovingPools.price_gas`."""
        open_pools = {number for one in self._detector.open_episodes for number in one.pools}
        self._pools.price_gas(chain, price, at_ns, open_pools=sorted(open_pools))

    def foretell(self, swap: SwapTold, at_ns: int) -> None:
        """Learn that a pool is not as its nodes say any more; see `MovingPools.foretell`."""
        self._pools.foretell(swap, at_ns)

    def lose(self, chain: str, fault: Fault, at_ns: int) -> None:
        """Have all pools of a chain stale; see `MarketSink.lose`."""
        del at_ns
        self._pools.lose(chain, fault)

    def to_read(self, chain: str) -> Sequence[PoolId]:
        """Return the pools of a chain that are to be read anew."""
        return self._pools.to_read(chain)
