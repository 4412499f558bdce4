"""Blocks of a chain in the large market: of 1, 10 and 200 moves, undone, and of positions.

`python -m benchmarks.blocks`. See `live_market` for the market. A block is taken as the pipeline
takes it, from its moves to the routes, and nothing is found; `hear` begins with the bytes of the
word that tells of it, and makes the text that is recorded.
"""

import random
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from benchmarks.harness import WARM_UP_CALLS, Row, machine, measure, print_table
from benchmarks.live_market import AT_NS, FIRST_BLOCK, MOVE_RATIO, POOLS, LiveMarket
from engine.detect.moving.moving_pools import MovingPools
from engine.detect.moving.pool_moves import move_pool
from engine.domain.chains import BlockTerms
from engine.pools.blocks import Block, ChainWord, PairMoves, words_of
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.moves import PositionMove

CHAIN = "ethereum"
SIZES = (1, 10, 200)
DEPTHS = (1, 8, 20)
UNDONE_MOVES = 50
CALLS = WARM_UP_CALLS + 300
NARROW_SPACINGS = 20


class Blocks:
    """A chain that moves the pairs of a market."""

    def __init__(self, market: LiveMarket) -> None:
        self._graph = market.graph
        self._detector = market.detector
        self._rng = random.Random(7)
        self._hashes = [""] * (FIRST_BLOCK + 1)
        terms = BlockTerms(stale_ms=3_600_000, undo_blocks=64)
        self._pools = MovingPools(market.graph, {CHAIN: terms}, started_at_ns=AT_NS)
        self._start = {number: held.state for number, held in market.graph.pools.items()}

    def next(self, moves: int, *, undone: int = 0) -> Block:
        """Make a block that moves so many pairs."""
        del self._hashes[len(self._hashes) - undone :]
        number = len(self._hashes)
        self._hashes.append(f"{number}, {self._rng.random()}")
        return Block(
            chain=CHAIN,
            number=number,
            hash=self._hashes[number],
            parent_hash=self._hashes[number - 1],
            made_at_ns=0,
            pairs=self._moved(self._rng.sample(range(POOLS), moves)),
            undone=undone,
        )

    def take(self, block: Block) -> None:
        """Take a block and screen it."""
        self._pools.take(block, AT_NS)
        self._detector.on_pools(self._pools.take_changed(), AT_NS)

    def hear(self, text: bytes) -> None:
        """Take a block from the bytes that tell of it, as the engine's loop does: read, and again
        made the text that is recorded."""
        block = msgspec.json.decode(text, type=ChainWord).block
        assert block is not None
        msgspec.json.encode(block)
        self.take(block)

    def _moved(self, numbers: Sequence[int]) -> PairMoves:
        addresses = tuple([self._graph.pool_terms(number).address for number in numbers])
        return PairMoves(addresses=addresses, words=b"".join(map(self._words, numbers)))

    def _words(self, number: int) -> bytes:
        state = self._start[number]
        assert isinstance(state, ConstantProductState)
        ratio = 1.0 + self._rng.uniform(-1.0, 1.0) * MOVE_RATIO
        return words_of(int(state.reserve0_raw * ratio), int(state.reserve1_raw / ratio))


def measure_blocks(market: LiveMarket) -> list[Row]:
    """Take blocks of several sizes, and others in the place of some."""
    blocks, rows = Blocks(market), []
    blocks.take(blocks.next(0))
    for size in SIZES:
        calls = [partial(blocks.take, blocks.next(size)) for _ in range(CALLS)]
        rows.append(measure(f"blocks.take.{size} moves", calls))
    for size in SIZES:
        texts = [msgspec.json.encode(ChainWord(block=blocks.next(size))) for _ in range(CALLS)]
        rows.append(
            measure(f"blocks.hear.{size} moves", [partial(blocks.hear, text) for text in texts])
        )
    rows += [_measure_undone(blocks, depth) for depth in DEPTHS]
    assert not market.detector.found
    return rows


def _measure_undone(blocks: Blocks, depth: int) -> Row:
    """Take blocks without moves in the place of some with."""
    calls: list[Callable[[], None]] = []
    between: list[list[Block]] = []
    for _ in range(CALLS):
        between.append([blocks.next(UNDONE_MOVES) for _ in range(depth)])
        calls.append(partial(blocks.take, blocks.next(0, undone=depth)))
    coming = iter(between)

    def come() -> None:
        for block in next(coming, ()):
            blocks.take(block)

    come()
    return measure(f"blocks.undo.{depth} of {UNDONE_MOVES} moves", calls, between=come)


def measure_positions(market: LiveMarket) -> list[Row]:
    """Prepare the deep pool after a mint and after a burn, of few ticks and of all."""
    held = market.graph.pool(market.deep)
    state = held.state
    assert isinstance(state, ConcentratedState)
    spacing, ticks = state.table.tick_spacing, state.table.ticks
    here = state.tick // spacing
    ends = {
        "few ticks": ((here - NARROW_SPACINGS) * spacing, (here + NARROW_SPACINGS) * spacing),
        "all ticks": (ticks[0], ticks[-1]),
    }
    rows = []
    for name, (low, high) in ends.items():
        mint = PositionMove(tick_low=low, tick_high=high, liquidity_delta=10**12)
        burn = PositionMove(tick_low=low, tick_high=high, liquidity_delta=-(10**11))
        minted = move_pool(held, mint)
        for what, before, move in (("mint", held, mint), ("burn", minted, burn)):
            call: Callable[[], object] = partial(move_pool, before, move)
            rows.append(measure(f"blocks.{what}.{len(ticks):,} ticks, {name}", [call] * CALLS))
    return rows


def measure_all() -> list[Row]:
    """Measure everything in one market."""
    market = LiveMarket()
    return measure_positions(market) + measure_blocks(market)


if __name__ == "__main__":
    print(f"machine: {machine()}")
    print_table(measure_all())
