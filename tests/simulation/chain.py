"""A chain of a run: the sandbox's made-up one, its blocks in uneven times, and a line to it.

The line does what a source of blocks does (`engine.connectors.block_stream`), without a socket: it
ends now and then, tells a block twice or leaves one out, and says what gas costs.
"""

import random
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Protocol

from engine.domain.assets import AssetCode
from engine.domain.faults import Fault
from engine.domain.gas import GasPrice
from engine.domain.pools import Pool, PoolId
from engine.domain.pools import Protocol as PoolProtocol
from engine.domain.units import NS_PER_MS
from engine.operate.core_parts import Core
from engine.pools.blocks import Block
from engine.pools.snapshot_rows import AnyRow, ConcentratedRow, PairRow
from engine.pools.snapshots import PoolSnapshot
from engine.pools.tick_math import sqrt_ratio_at_tick, tick_at_sqrt_ratio
from engine.sandbox.chain import MadeUpChain
from engine.wiring.chains import _ChainInputs
from tests.simulation.markets import Prices

CHAIN: Final = "ethereum"
BLOCK_MS: Final = 400
FIRST: Final = 1_000
DECIMALS: Final = {"ETH": 18, "BTC": 8, "USD": 6}
POOL_USD: Final = 4_000_000.0
MISS_RATIO: Final = 0.004
REORGANISATION_CHANCE: Final = 0.12
SPACING: Final = 60
Q96: Final = 1 << 96

PAIRS: Final = (("ETH", "USD", "0.0005"), ("BTC", "USD", "0.0005"), ("ETH", "BTC", "0.0005"))
"""Few: routes through pools and books are many, and cost a run much time."""


class AnyLink(Protocol):
    """An engine's line to a chain; see `ChainLink`."""

    gas: GasPrice
    gas_before: GasPrice
    counts: dict[str, int]

    def pump(self, at_ns: int) -> None:
        """Tell what has come by now."""
        ...

    def close(self) -> None:
        """End the line."""
        ...

    def check(self) -> Iterator[str]:
        """Say what of it does not hold."""
        ...


class AnyChain(Protocol):
    """A chain of a world.

    Attributes:
        name: as settings and records have it.
        block_ms: from a decision until its transaction lands.
    """

    name: str
    block_ms: int

    def advance(self, elapsed_ns: int) -> None:
        """Make the blocks that are due."""
        ...

    def snapshots(self) -> list[PoolSnapshot]:
        """Return all pools as they are."""
        ...

    def line(self, core: Core, inputs: _ChainInputs, rng: random.Random) -> AnyLink:
        """Make an engine's line to it."""
        ...


class SimulatedChain:
    """A chain, which outlives the engines of a run.

    Attributes:
        links: lines that are told of each block.
        undone: blocks that a reorganisation took back.
    """

    name = CHAIN
    block_ms = BLOCK_MS

    def __init__(self, seed: int, prices: Prices) -> None:
        self._rng = random.Random(f"chain {seed}")
        self._prices = prices
        self._chain = MadeUpChain(
            [*self._pairs(), self._ranges()],
            seed=seed,
            number=FIRST,
            price_of=self._price_of,
            miss_ratio=MISS_RATIO,
            reorganisation_chance=REORGANISATION_CHANCE,
        )
        self._next_at_ns = 0
        self.links: list[ChainLink] = []
        self.undone = 0

    def line(self, core: Core, inputs: _ChainInputs, rng: random.Random) -> "ChainLink":
        """Make an engine's line to it."""
        return ChainLink(self, core, inputs, rng)

    def advance(self, elapsed_ns: int) -> None:
        """Make the blocks that are due."""
        while self._next_at_ns <= elapsed_ns:
            block = self._chain.next(self._next_at_ns)
            self.undone += block.undone
            for link in self.links:
                link.waiting.append(block)
            self._next_at_ns += self._rng.randrange(BLOCK_MS // 2, BLOCK_MS * 3 // 2) * NS_PER_MS

    def snapshots(self) -> list[PoolSnapshot]:
        """Return all pools as they are."""
        return self._chain.snapshots()

    def rows(self) -> dict[str, AnyRow]:
        """Return the states of all pools, by their addresses."""
        return {one.pool.address: one.row for one in self._chain.snapshots()}

    def _price_of(self, pool: Pool) -> float:
        base, quote = (self._prices.usd(asset) for asset in pool.assets)
        return base / quote

    def _pairs(self) -> Iterator[PoolSnapshot]:
        for number, (base, quote, fee) in enumerate(PAIRS):
            raw = [
                str(int(POOL_USD / 2 / self._prices.usd(asset) * 10 ** DECIMALS[asset]))
                for asset in (base, quote)
            ]
            pool = _pool(PoolProtocol.UNISWAP_V2, f"0xpair{number}", (base, quote), fee)
            row = PairRow(reserve0_raw=raw[0], reserve1_raw=raw[1])
            yield PoolSnapshot(pool=pool, row=row, block=FIRST)

    def _ranges(self) -> PoolSnapshot:
        """Return a pool of one wide position, in which others come and go."""
        price_raw = self._prices.usd("ETH") * 10.0 ** (DECIMALS["USD"] - DECIMALS["ETH"])
        sqrt_price_x96 = int(price_raw**0.5 * Q96)
        tick = tick_at_sqrt_ratio(sqrt_price_x96)
        low, high = ((tick // SPACING + by) * SPACING for by in (-60, 60))
        share = 1 - sqrt_ratio_at_tick(low) / sqrt_price_x96
        usd_raw = POOL_USD / 2 * 10 ** DECIMALS["USD"]
        liquidity = int(usd_raw / (price_raw**0.5 * share))
        row = ConcentratedRow(
            sqrt_price_x96=str(sqrt_price_x96),
            tick=tick,
            liquidity=str(liquidity),
            tick_spacing=SPACING,
            ticks=((low, str(liquidity)), (high, str(-liquidity))),
            grosses=(str(liquidity), str(liquidity)),
        )
        pool = _pool(PoolProtocol.UNISWAP_V3, "0xranges", ("ETH", "USD"), "0.0005")
        return PoolSnapshot(pool=pool, row=row, block=FIRST)


def _pool(protocol: PoolProtocol, address: str, assets: tuple[str, str], fee: str) -> Pool:
    return Pool(
        chain=CHAIN,
        protocol=protocol,
        address=address,
        tokens=tuple((AssetCode(asset), DECIMALS[asset]) for asset in assets),
        fee_ratio=Decimal(fee),
        gas_units=90_000,
    )


class ChainLink:
    """An engine's line to the chain.

    Attributes:
        waiting: blocks that are yet to be told.
        gas: what a transaction costs as was last told.
        gas_before: the same before the input that is being taken.
        counts: what happened, by kind.
    """

    def __init__(
        self, chain: SimulatedChain, core: Core, inputs: _ChainInputs, rng: random.Random
    ) -> None:
        self.waiting: deque[Block] = deque()
        self.gas = GasPrice(gwei=core.header.terms.gas_prices_gwei[CHAIN])
        self.gas_before = self.gas
        self.counts: dict[str, int] = {}
        self._chain = chain
        self._core = core
        self._inputs = inputs
        self._rng = rng
        self._is_connected = False
        self._lacks_block = self._has_told = False
        self._connects_at_ns = 0
        self._is_news = False

    def pump(self, at_ns: int) -> None:
        """Tell what has come by now."""
        if not self._is_connected:
            if at_ns >= self._connects_at_ns:
                self._connect()
            return
        while self.waiting:
            self._tell(self.waiting.popleft())
            if self._rng.random() < 0.2:
                self._price()
        if self._rng.random() < 0.004:
            self._lose(at_ns)
        else:
            self._read_anew()

    def close(self) -> None:
        """End the line, as a crash does."""
        if self in self._chain.links:
            self._chain.links.remove(self)

    def check(self) -> Iterator[str]:
        """Every pool that the engine knows is as the chain has it; without a source it knows none.

        What waits, or was left out and is not noticed yet, is nothing that it can know.
        """
        known = {
            number: prepared
            for number, prepared in self._core.pools.items()
            if number not in self._core.moving_pools.reasons
        }
        if not self._is_connected:
            if known and self.counts.get("chains lost"):
                yield f"{len(known)} pools are known without a source of blocks"
            return
        if self.waiting or self._lacks_block:
            return
        if not self._is_news:
            return
        self._is_news = False
        rows = self._chain.rows()
        for prepared in known.values():
            self._count("pools compared")
            row, true = prepared.snapshot.row, rows[prepared.pool.address]
            if row != true:
                yield f"{prepared.pool} is {row}, not {true}"

    def _connect(self) -> None:
        self._is_connected, self._lacks_block, self._has_told = True, False, False
        self.waiting.clear()
        self._chain.links.append(self)
        self._is_news = True
        for snapshot in self._chain.snapshots():
            self._inputs.pool(snapshot)

    def _lose(self, at_ns: int) -> None:
        self._count("chains lost")
        self.close()
        self._is_connected = False
        self._connects_at_ns = at_ns + self._rng.randrange(100, 1_500) * NS_PER_MS
        self._inputs.lost(Fault.DISCONNECTED)

    def _tell(self, block: Block) -> None:
        drawn = self._rng.random()
        # Pools are read by number: that the block that undid theirs was left out nobody could see.
        if drawn < 0.03 and self._has_told:
            self._count("blocks left out")
            self._lacks_block = True
            return
        self._count("blocks")
        self._lacks_block, self._has_told, self._is_news = False, True, True
        self._inputs.block(block)
        if drawn < 0.06:
            self._inputs.block(block)

    def _read_anew(self) -> None:
        """Read what is not known any more, as a connector does."""
        wanted: set[PoolId] = set(self._core.moving_pools.to_read(CHAIN))
        if self._lacks_block or not wanted:
            return
        for snapshot in self._chain.snapshots():
            if snapshot.pool.pool_id in wanted:
                self._is_news = True
                self._count("pools read anew")
                self._inputs.pool(snapshot)

    def _price(self) -> None:
        ratio = Decimal(self._rng.choice(["0.5", "0.9", "1", "1.1", "2"]))
        gwei = (self.gas.gwei * ratio).quantize(Decimal("0.001"))
        self.gas = GasPrice(
            gwei=min(max(gwei, Decimal("0.05")), Decimal(50)),
            data_fixed_raw=self._rng.choice((0, 10**13)),
            data_leg_raw=self._rng.choice((0, 10**12, 10**14)),
        )
        self._inputs.gas(self.gas)
        self.gas_before = self.gas
        self._count("gas prices")

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
