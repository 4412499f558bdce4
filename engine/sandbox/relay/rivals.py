"""Rival searchers: each looks at a few pools a block and bids a share of what it sees there.

All they do follows from a seed. A bid is two swaps in one bundle, there and back, of which the
second gives back more than was put in by what is bid, or fails: so whoever comes late is not in
the block.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.domain.errors import BadValueError
from engine.sandbox.relay.book import BundleBook
from engine.sandbox.relay.bundles import Bundle
from engine.sandbox.relay.gaps import Gap, best_gap
from engine.sandbox.relay.transactions import SignedTransaction, parse_transaction
from engine.sandbox.world.abi import call_data
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc
from engine.sandbox.world.states import standings
from engine.sandbox.world.swaps import Order, swap_of
from engine.sandbox.world.values import Made, WorldPool

FIRST_ACCOUNT: Final = 5
"""Those before it make the chain live; the last two of a node are left to whoever tries it."""
COUNT: Final = 3
PAIRS_A_BLOCK: Final = 2
"""Of tokens, that one looks at for a block; of each no more than so many pools:"""

POOLS_A_PAIR: Final = 4
SHARE_RANGE: Final = (0.35, 0.85)
"""Of a gain, that a rival bids on average: each has a habit of its own between these."""

SHARE_SPREAD: Final = 0.08
SHARE_MAX: Final = 0.97
AWAKE_RANGE: Final = (0.5, 0.95)
"""Of the blocks, in which it looks at all."""

GAS_MAX: Final = 400_000
"""Of each of the two swaps."""

GAS_USUAL: Final = 280_000
"""Of both, over which a bid is spread as tips."""

FEE_BLOCKS: Final = 2
"""So many times the newest base fee it pays at most: the next one is not known yet."""

_E18: Final = 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a rival bids.

    Attributes:
        account: that it signs with.
        share: of a gain it bids on average.
        awake: chance that it looks at all, block by block.
    """

    account: str
    share: float
    awake: float


class Rivals:
    """All rivals of a chain.

    Attributes:
        habits: of each.
        bids: made so far.
    """

    def __init__(self, rpc: Rpc, made: Made, book: BundleBook, *, seed: int) -> None:
        self.bids = 0
        self._rpc = rpc
        self._made = made
        self._book = book
        self._rng = random.Random(f"rivals {seed}")  # noqa: S311 - makes a market, guards nothing
        accounts = made.accounts[FIRST_ACCOUNT : FIRST_ACCOUNT + COUNT]
        self.habits: Final = tuple(
            Habit(
                account=one,
                share=self._rng.uniform(*SHARE_RANGE),
                awake=self._rng.uniform(*AWAKE_RANGE),
            )
            for one in accounts
        )
        self._pairs = _pairs(made.pools)
        self._decimals = {one.address: one.decimals for one in (*made.tokens, made.coin)}

    def bid(self, usd: Mapping[str, float]) -> None:
        """Let each look, and bid for the next block where it sees a gap.

        Args:
            usd: what each token is worth, by address.

        Raises:
            OSError: the node is away.
        """
        head = self._rpc.ask("eth_getBlockByNumber", "latest", False)
        for habit in self.habits:
            looks = self._rng.random() < habit.awake
            seen = self._rng.sample(self._pairs, min(PAIRS_A_BLOCK, len(self._pairs)))
            share = min(max(self._rng.gauss(habit.share, SHARE_SPREAD), 0.05), SHARE_MAX)
            gap = self._widest(seen, usd) if looks else None
            if gap is not None:
                self._bid(
                    habit,
                    gap,
                    share,
                    usd,
                    block=int(head["number"], 16) + 1,
                    base_fee_wei=int(head["baseFeePerGas"], 16),
                )

    def _widest(self, pairs: Sequence[Sequence[WorldPool]], usd: Mapping[str, float]) -> Gap | None:
        found = []
        for pools in pairs:
            some = self._rng.sample(pools, min(POOLS_A_PAIR, len(pools)))
            gap = best_gap(standings(self._rpc, self._made, some), some[0].tokens[0])
            if gap is not None:
                found.append(gap)
        return max(found, key=lambda one: self._wei(one, one.gain_raw, usd), default=None)

    def _wei(self, gap: Gap, raw: float, usd: Mapping[str, float]) -> float:
        dollars = raw * usd[gap.token] / 10.0 ** self._decimals[gap.token]
        return dollars / usd[self._made.coin.address] * _E18

    def _bid(
        self,
        habit: Habit,
        gap: Gap,
        share: float,
        usd: Mapping[str, float],
        *,
        block: int,
        base_fee_wei: int,
    ) -> None:
        """Bid for a gap, if the share of its gain that is bid is more than its gas costs."""
        left_wei = self._wei(gap, gap.gain_raw, usd) - base_fee_wei * GAS_USUAL
        tip_wei = int(share * left_wei) // GAS_USUAL
        if tip_wei < 1:
            return
        back_min_raw = gap.in_raw + int(gap.gain_raw * share)
        orders = (
            Order(
                pool=gap.first,
                token_in=gap.token,
                token_out=gap.between,
                amount_raw=gap.in_raw,
                out_min_raw=gap.middle_raw,
                account=habit.account,
            ),
            Order(
                pool=gap.second,
                token_in=gap.between,
                token_out=gap.token,
                amount_raw=gap.middle_raw,
                out_min_raw=back_min_raw,
                account=habit.account,
            ),
        )
        nonce = int(self._rpc.ask("eth_getTransactionCount", habit.account, "latest"), 16)
        fee_wei = base_fee_wei * FEE_BLOCKS + tip_wei
        try:
            signed = tuple(
                self._signed(order, nonce + count, fee_wei=fee_wei, tip_wei=tip_wei)
                for count, order in enumerate(orders)
            )
            self._book.put(Bundle(signer=habit.account, transactions=signed, block=block))
        except (BadValueError, NodeSaidNoError):
            return  # too many bids wait, or the account has nothing left to sell
        self.bids += 1

    def _signed(self, order: Order, nonce: int, *, fee_wei: int, tip_wei: int) -> SignedTransaction:
        sent = swap_of(order)
        raw: str = self._rpc.ask(
            "eth_signTransaction",
            {
                "from": order.account,
                "to": order.pool.router,
                "data": call_data(sent.signature, *sent.arguments),
                "value": hex(sent.value),
                "gas": hex(GAS_MAX),
                "nonce": hex(nonce),
                "maxFeePerGas": hex(fee_wei),
                "maxPriorityFeePerGas": hex(tip_wei),
                "chainId": self._rpc.ask("eth_chainId"),
            },
        )
        return parse_transaction(bytes.fromhex(raw[2:]))


def _pairs(pools: Sequence[WorldPool]) -> list[list[WorldPool]]:
    """Return the pools that share their two tokens, where there are several."""
    by_tokens: dict[frozenset[str], list[WorldPool]] = defaultdict(list)
    for one in pools:
        if len(one.tokens) == 2:  # noqa: PLR2004 - a pair
            by_tokens[frozenset(one.tokens)].append(one)
    return [found for found in by_tokens.values() if len(found) > 1]
