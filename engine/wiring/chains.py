"""The chains of a run: where their blocks come from, and how these become inputs."""

import random
from collections.abc import Mapping, Sequence

from engine.connectors.block_stream import BlockStream
from engine.core.inputs.chain_lost import ChainLost
from engine.core.inputs.gas_priced import GasPriced
from engine.core.inputs.pool_removed import PoolRemoved
from engine.domain.chains import BlockTerms
from engine.domain.faults import Fault
from engine.domain.gas import GasPrice
from engine.domain.pools import PoolId
from engine.operate.clock import Clock
from engine.operate.clock_watch import ClockWatch
from engine.operate.hot_path import HotPath
from engine.pools.blocks import Block, SwapTold
from engine.pools.snapshots import PoolSnapshot
from engine.settings.schema import ChainsSettings
from engine.wiring.markets import ChainSource


def block_terms(
    sources: Mapping[str, ChainSource], settings: ChainsSettings
) -> dict[str, BlockTerms]:
    """Return how the blocks of each chain come."""
    return {
        chain: BlockTerms(
            stale_ms=source.block_ms * settings.stale_blocks,
            undo_blocks=settings.undo_blocks,
            block_ms=source.block_ms,
            bid_share_bps=source.bid_share_bps,
        )
        for chain, source in sources.items()
    }


def open_streams(
    sources: Mapping[str, ChainSource], hot_path: HotPath, watch: ClockWatch, clock: Clock
) -> Sequence[BlockStream]:
    """Return what keeps the blocks of each chain coming."""
    return [
        BlockStream(
            source.url,
            _ChainInputs(chain, hot_path, watch, clock),
            proxy=None,
            jitter=random.random,
            socket_path=source.socket_path,
        )
        for chain, source in sources.items()
    ]


class _ChainInputs:
    """Makes inputs of what a source says; the clock is read first if that is late."""

    def __init__(self, chain: str, hot_path: HotPath, watch: ClockWatch, clock: Clock) -> None:
        self._chain = chain
        self._hot_path = hot_path
        self._watch = watch
        self._clock = clock

    def removed(self, address: str) -> None:
        """Forget a pool."""
        self._take(PoolRemoved(pool_id=PoolId(chain=self._chain, address=address)))

    def pool(self, snapshot: PoolSnapshot) -> None:
        """Take a pool's whole state."""
        self._take(snapshot)

    def block(self, block: Block) -> None:
        """Take the next block."""
        self._take(block, is_read=True)

    def gas(self, price: GasPrice) -> None:
        """Take what a transaction costs from now on."""
        self._take(
            GasPriced(
                chain=self._chain,
                gwei=price.gwei,
                data_fixed_raw=price.data_fixed_raw,
                data_leg_raw=price.data_leg_raw,
                now_gwei=price.now_gwei,
                tips=price.tips,
            )
        )

    def told(self, swap: SwapTold) -> None:
        """Take that a large swap is in a block that is still to come."""
        self._take(swap, is_read=True)

    def lost(self, fault: Fault) -> None:
        """Learn that nothing of the chain is sure any more."""
        self._take(ChainLost(chain=self._chain, fault=fault))

    def _take(self, payload: object, *, is_read: bool = False) -> None:
        at_ns = self._clock()
        if at_ns >= self._watch.late_at_ns:
            at_ns = self._watch.read()
        self._hot_path.command(payload, at_ns, is_read=is_read)
