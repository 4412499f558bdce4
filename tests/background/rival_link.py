"""An engine's line to a chain on which others trade too, and what its role answers.

It is never away and leaves nothing out: what such lines do is the simulation's matter.
"""

import math
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, cast

from engine.bus.chain_reports import BlockFactsReport, PoolRates, PoolRatesReport
from engine.bus.request import Reply, Request
from engine.domain.errors import TransientError
from engine.domain.gas import GasPrice
from engine.operate.core_parts import Core
from engine.pools.blocks import Block
from engine.pools.constant_product import ConstantProductState
from engine.requests.chains import GetBlockFacts, GetPoolRates
from engine.wiring.chains import _ChainInputs

if TYPE_CHECKING:
    from tests.background.rival_chain import RivalChain


class RivalLink:
    """Obeys `tests.simulation.chain.AnyLink`.

    Attributes:
        waiting: blocks that are yet to be told.
        gas, gas_before: what gas cost as was last told, and before that.
    """

    def __init__(self, chain: "RivalChain", core: Core, inputs: _ChainInputs) -> None:
        self.waiting: deque[Block] = deque()
        self.gas = self.gas_before = GasPrice(gwei=core.header.terms.gas_prices_gwei[chain.name])
        self.counts: dict[str, int] = {}
        self._chain = chain
        self._inputs = inputs
        self._is_connected = False

    def pump(self, at_ns: int) -> None:
        """Tell what has come by now."""
        del at_ns
        if not self._is_connected:
            self._is_connected = True
            self._chain.links.append(self)
            for snapshot in self._chain.snapshots():
                self._inputs.pool(snapshot)
        while self.waiting:
            self._inputs.block(self.waiting.popleft())
        if self._chain.gwei != self.gas.gwei:
            self.gas = GasPrice(gwei=self._chain.gwei)
            self._inputs.gas(self.gas)
            self.gas_before = self.gas

    def close(self) -> None:
        """End the line."""
        if self in self._chain.links:
            self._chain.links.remove(self)

    def check(self) -> Iterator[str]:
        """Nothing of it can go wrong."""
        return iter(())


class ChainsOf:
    """The role `chains` of such a world; obeys `bus.request.Caller`."""

    def __init__(self, chain: "RivalChain") -> None:
        self._chain = chain

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        """See `Caller.call`; raises `TransientError` for what nobody asks in such a world."""
        del timeout_s
        if isinstance(request, GetBlockFacts) and request.chain == self._chain.name:
            return cast("Reply", self._blocks(request))
        if isinstance(request, GetPoolRates):
            return cast("Reply", self._rates(request))
        raise TransientError(f"nobody answers {type(request).__name__} in this world")

    def _blocks(self, asked: GetBlockFacts) -> BlockFactsReport:
        facts = self._chain.facts
        newest = list(islice(facts, max(0, len(facts) - asked.last), None))
        return BlockFactsReport(chain=asked.chain, blocks=newest, left_out=asked.last - len(newest))

    def _rates(self, asked: GetPoolRates) -> PoolRatesReport:
        if asked.chain != self._chain.name:
            return PoolRatesReport(is_followed=False, pools=[])
        return PoolRatesReport(
            is_followed=True,
            pools=[
                PoolRates(
                    dex=f"dex {pool.address[2]}",
                    venue=pool.venue,
                    place=f"{'-'.join(pool.assets)} {pool.fee_text}",
                    address=pool.address,
                    tokens=tuple(map(str, pool.assets)),
                    fee_bps=float(pool.fee_ratio) * 10_000,
                    usd=self._chain.worth_usd(state, pool.assets[1]),
                    is_followed=True,
                    log_rates=_log_rates(state, tuple(map(str, pool.assets)), pool.tokens),
                )
                for pool, state in self._chain.states()
            ],
        )


def _log_rates(
    state: ConstantProductState, assets: tuple[str, ...], tokens: tuple[tuple[str, int], ...]
) -> tuple[tuple[str, str, float], ...]:
    units = (tokens[0][1] - tokens[1][1]) * math.log(10)
    up = math.log(state.reserve1_raw / state.reserve0_raw) + units
    kept = math.log1p(-state.fee0_numerator / state.fee_denominator)
    return ((assets[0], assets[1], up + kept), (assets[1], assets[0], kept - up))
