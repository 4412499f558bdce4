"""A chain on which others trade too: openings, those who take them, gas, and facts of its blocks.

Between each two assets there are two pools, or three. Somebody's large trade moves one of them away
from another; that gap gains as much as a drawn opening does. Whoever comes first closes it: rivals
in one transaction through both pools, by their habits, or single trades where nobody competes.
"""

import hashlib
import math
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import isqrt
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.block_facts import BlockFact, Swap
from engine.domain.pools import Pool, Protocol
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.operate.core_parts import Core
from engine.pools.blocks import Block, PoolChange, PoolMoved
from engine.pools.constant_product import ConstantProductState, after_swap, amount_out
from engine.pools.moves import PairMove, moved
from engine.pools.snapshot_rows import AnyRow, PairRow
from engine.pools.snapshots import PoolSnapshot, state_of
from engine.wiring.chains import _ChainInputs
from tests.background.habits import (
    GAS_STEP_S,
    GAS_USD,
    OPENING_CHANCE,
    PAIRS,
    STAYS_BLOCKS,
    Gas,
    Habits,
    draw_blocks,
    draw_bot,
    draw_gain_usd,
    draw_pair,
)
from tests.background.odd_shapes import ODD, OddShapes
from tests.background.rival_link import RivalLink
from tests.simulation.markets import Prices

CHAIN: Final = "arbitrum"
APART_MS: Final = 250
LANDS_MS: Final = 310
"""Chosen: from a decision until its transaction lands, a little more than the longest block. Who
stands beside the sequencer is before us in the next one: what rivals take in it is gone."""

HEARD_MS: Final = (60, 110)
"""Chosen: how late a block is heard."""

FIRST: Final = 1_000
FACTS_KEPT: Final = 4_000
SIDE_USD: Final = 2_000_000.0
"""Chosen: what lies in a pool of each of its two assets."""

FEE: Final = 0.0005
SWAP_GAS: Final = 90_000
ANCHOR_RATIO: Final = 0.0003
"""By so much pools may stray from the price before others bring both back."""

DECIMALS: Final = {"ETH": 18, "BTC": 8, "USD": 6}
GWEI: Final = GAS_USD / (2 * SWAP_GAS * 1e-9 * 2_700.0)
"""So that a route of two swaps costs the median of the data."""


@dataclass(slots=True)
class _Held:
    pool: Pool
    row: AnyRow
    state: ConstantProductState


@dataclass(frozen=True, slots=True)
class _Opening:
    pair: tuple[str, str]
    due: int


class RivalChain:
    """Obeys `tests.simulation.chain.AnyChain`.

    Attributes:
        facts: of the newest blocks.
        links: lines that are told of each block.
        openings, takes: how many there were.
        shapes: what is true of shapes of routes, None if it is what plans reckon with.
    """

    name = CHAIN
    block_ms = LANDS_MS

    def __init__(self, seed: int, prices: Prices, habits: Habits, *, epoch_ns: int) -> None:
        self._rng = random.Random(f"rivals {seed}")
        self._prices = prices
        self._habits = habits
        self._epoch_ns = epoch_ns
        self._number = FIRST
        self._hash = self._hash_of(FIRST)
        self._held = {held.pool.address: held for held in self._pools()}
        self._pairs = {
            pair: tuple(
                held for held in self._held.values() if tuple(map(str, held.pool.assets)) == pair
            )
            for pair in PAIRS
        }
        self._open: dict[tuple[str, str], _Opening] = {}
        self._gas = Gas(random.Random(f"gas {seed}"), GWEI, is_restless=habits.has_restless_gas)
        self._next_at_ns = 0
        self._gas_at_ns = 0
        self._swaps: list[Swap] = []
        self._changes: list[PoolChange] = []
        self.facts: deque[BlockFact] = deque(maxlen=FACTS_KEPT)
        self.links: list[RivalLink] = []
        self.openings = self.takes = 0
        self.shapes = OddShapes(seed, epoch_ns=epoch_ns) if habits.has_odd_shapes else None

    @property
    def gwei(self) -> Decimal:
        """What a unit of gas costs now."""
        return Decimal(repr(self._gas.gwei)).quantize(Decimal("1e-6"))

    def line(self, core: Core, inputs: _ChainInputs, rng: random.Random) -> RivalLink:
        """See `AnyChain.line`."""
        del rng
        return RivalLink(self, core, inputs)

    def advance(self, elapsed_ns: int) -> None:
        """Make the blocks that are due to be heard."""
        while self._next_at_ns <= elapsed_ns:
            block = self._make(self._next_at_ns)
            for link in self.links:
                link.waiting.append(block)
            jitter_ms = self._habits.block_jitter_ms
            apart_ms = APART_MS + self._rng.randint(-jitter_ms, jitter_ms)
            self._next_at_ns += apart_ms * NS_PER_MS

    def snapshots(self) -> list[PoolSnapshot]:
        """Return all pools as they are."""
        return [
            PoolSnapshot(pool=held.pool, row=held.row, block=self._number)
            for held in self._held.values()
        ]

    def rows(self) -> dict[str, AnyRow]:
        """Return the states of all pools, by their addresses."""
        return {address: held.row for address, held in self._held.items()}

    def states(self) -> list[tuple[Pool, ConstantProductState]]:
        """Return all pools with what swaps through them are worked out from."""
        return [(held.pool, held.state) for held in self._held.values()]

    def worth_usd(self, state: ConstantProductState, quote: str) -> float:
        """Return what lies in a pool, in USD."""
        return 2 * state.reserve1_raw / 10.0 ** DECIMALS[quote] * self._prices.usd(quote)

    def _make(self, heard_ns: int) -> Block:
        self._number += 1
        self._swaps, self._changes = [], []
        while self._gas_at_ns <= heard_ns:
            self._gas.step()
            self._gas_at_ns += GAS_STEP_S * NS_PER_S
        for opening in [one for one in self._open.values() if one.due <= self._number]:
            self._close(opening)
        for pair in PAIRS:
            if pair not in self._open:
                self._anchor(pair)
        if self._rng.random() < OPENING_CHANCE:
            self._begin(draw_pair(self._rng))
        parent, self._hash = self._hash, self._hash_of(self._number)
        made_ns = heard_ns - self._rng.randint(*HEARD_MS) * NS_PER_MS
        self._note(heard_ns, made_ns)
        return Block(
            chain=CHAIN,
            number=self._number,
            hash=self._hash,
            parent_hash=parent,
            made_at_ns=max(made_ns, 0),
            changes=tuple(self._changes),
            undone=0,
        )

    def _begin(self, pair: tuple[str, str]) -> None:
        """Let a trade open something, where nothing is open yet."""
        if pair in self._open:
            return
        gain_usd = draw_gain_usd(self._rng)
        first, second = self._rng.sample(self._pairs[pair], 2)
        gap = 2 * FEE + math.sqrt(8 * gain_usd / SIDE_USD)
        sign = self._rng.choice((-1, 1))
        self._trade_to(first, _price(second.state) * math.exp(sign * gap), self._sender("trader"))
        self.openings += 1
        if self._habits.has_rivals:
            blocks = draw_blocks(self._rng, pair, gain_usd)
        else:
            blocks = 1 + int(self._rng.expovariate(1 / STAYS_BLOCKS))
        opening = _Opening(pair, self._number + blocks)
        self._open[pair] = opening
        if blocks == 0:
            self._close(opening)

    def _close(self, opening: _Opening) -> None:
        del self._open[opening.pair]
        if self._habits.has_rivals:
            self._take(opening.pair, draw_bot(self._rng))
        else:
            self._anchor(opening.pair, least=0.0)

    def _take(self, pair: tuple[str, str], bot: str) -> None:
        """Trade through two pools at once, as much as gains most."""
        cheap, *_, dear = sorted(self._pairs[pair], key=lambda held: _price(held.state))
        amount = _best_in(cheap.state, dear.state)
        if amount <= 0:
            return
        tx = self._tx()
        bought = self._swap(cheap, 1, amount, tx, bot)
        self._swap(dear, 0, bought, tx, bot)
        self.takes += 1

    def _anchor(self, pair: tuple[str, str], *, least: float = ANCHOR_RATIO) -> None:
        """Bring all pools back to the price once one strayed."""
        base, quote = pair
        decimals = DECIMALS[quote] - DECIMALS[base]
        true = self._prices.usd(base) / self._prices.usd(quote) * 10.0**decimals
        pools = self._pairs[pair]
        if max(abs(math.log(_price(held.state) / true)) for held in pools) <= least:
            return
        for held in pools:
            self._trade_to(held, true, self._sender("market"))

    def _trade_to(self, held: _Held, price: float, sender: str) -> None:
        """Trade as much as brings a pool to a price of raw units."""
        reserve0, reserve1 = held.state.reserve0_raw, held.state.reserve1_raw
        product = reserve0 * reserve1
        token_in = 0 if price < _price(held.state) else 1
        wanted = isqrt(int(product / price)) if token_in == 0 else isqrt(int(product * price))
        amount = wanted - (reserve0, reserve1)[token_in]
        if amount > 0:
            self._swap(held, token_in, amount, self._tx(), sender)

    def _swap(self, held: _Held, token_in: int, amount: int, tx: str, sender: str) -> int:
        given = amount_out(held.state, amount, token_in=token_in)
        if not given:
            return 0
        after = after_swap(
            held.state, amount_in_raw=amount, amount_out_raw=given, token_in=token_in
        )
        move = PairMove(reserve0_raw=after.reserve0_raw, reserve1_raw=after.reserve1_raw)
        held.row, state = moved(held.pool, held.row, held.state, move)
        assert isinstance(state, ConstantProductState)
        held.state = state
        address = held.pool.address
        self._changes.append(PoolMoved(address=address, move=move))
        (source, decimals_in), (target, decimals_out) = (
            held.pool.tokens[token_in],
            held.pool.tokens[1 - token_in],
        )
        amount_in = amount / 10.0**decimals_in
        self._swaps.append(
            Swap(
                index=len(self._swaps),
                tx=tx,
                sender=sender,
                recipient=sender,
                pool=address,
                source=source,
                target=target,
                amount_in=amount_in,
                amount_out=given / 10.0**decimals_out,
                usd=amount_in * self._prices.usd(source),
            )
        )
        return given

    def _note(self, heard_ns: int, made_ns: int) -> None:
        made_at_ns = self._epoch_ns + made_ns
        self.facts.append(
            BlockFact(
                number=self._number,
                hash=self._hash,
                made_at_ns=made_at_ns - made_at_ns % NS_PER_S,
                heard_at_ns=self._epoch_ns + heard_ns,
                told_at_ns=self._epoch_ns + heard_ns,
                base_fee_gwei=float(self.gwei),
                gas_used=0,
                gas_limit=0,
                transactions=len({swap.tx for swap in self._swaps}),
                tips_gwei=(),
                data_raw=0,
                undone=0,
                swaps=tuple(self._swaps),
            )
        )

    def _pools(self) -> Iterator[_Held]:
        for number, (base, quote) in enumerate(PAIRS):
            raw = [
                int(SIDE_USD / self._prices.usd(asset) * 10 ** DECIMALS[asset])
                for asset in (base, quote)
            ]
            usual = {"a": Protocol.UNISWAP_V2, "b": Protocol.UNISWAP_V2}
            odd = {"c": ODD} if self._habits.has_odd_shapes else {}
            for which, protocol in (usual | odd).items():
                pool = Pool(
                    chain=CHAIN,
                    protocol=protocol,
                    address=f"0x{which}{number}",
                    tokens=tuple((AssetCode(one), DECIMALS[one]) for one in (base, quote)),
                    fee_ratio=Decimal(repr(FEE)),
                    gas_units=SWAP_GAS,
                )
                row = PairRow(reserve0_raw=str(raw[0]), reserve1_raw=str(raw[1]))
                state = state_of(PoolSnapshot(pool=pool, row=row, block=FIRST))
                assert isinstance(state, ConstantProductState)
                yield _Held(pool, row, state)

    def _sender(self, who: str) -> str:
        return f"0x{who}{self._rng.randrange(1_000)}"

    def _tx(self) -> str:
        return f"0x{self._number:x}-{len(self._swaps)}"

    def _hash_of(self, number: int) -> str:
        return hashlib.sha256(f"{CHAIN} {number}".encode()).hexdigest()


def _price(state: ConstantProductState) -> float:
    """Return what token 0 costs in token 1, in raw units."""
    return state.reserve1_raw / state.reserve0_raw


def _best_in(cheap: ConstantProductState, dear: ConstantProductState) -> int:
    """Return how much of token 1 to buy token 0 for in the one pool and sell it in the other.

    Both in a row are one pool of these reserves, whose best input is known in closed form.
    """
    kept = 1 - FEE
    through = dear.reserve0_raw + kept * cheap.reserve0_raw
    reserve_in = cheap.reserve1_raw * dear.reserve0_raw / through
    reserve_out = kept * cheap.reserve0_raw * dear.reserve1_raw / through
    return int((math.sqrt(kept * reserve_in * reserve_out) - reserve_in) / kept)
