"""A local chain lives: people trade, blocks are made at its pace, now and then one is undone."""

import random
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from engine.domain.gas import GROWTH_PARTS, grown_wei
from engine.domain.pools import Protocol
from engine.sandbox.relay.auction import Auction
from engine.sandbox.world.crowd import Crowd
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.plan import ChainPlan
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc
from engine.sandbox.world.states import Swap, standings
from engine.sandbox.world.trader import Trader
from engine.sandbox.world.values import Made, WorldPool
from engine.sandbox.world.worth import Worth

REORGANISATION_CHANCE: Final = 0.01
"""Of each block."""

DEPTH_MAX: Final = 2
PRIVATE_CHANCE: Final = 0.3
"""That a swap which follows the books is shown to nobody before its block."""

POSITION_EVERY_S: Final = 30.0
POSITIONS_MAX: Final = 6
POSITION_USD: Final = 100_000.0
SPAN_SPACINGS: Final = 40
BASE_FEE_SPREAD: Final = 0.2
FIRST_FEES: Final = 4
"""What a node's first block asks for is a fee of its own, which so many usual ones are above."""

BLOCKS_PAID: Final = 2
_GWEI: Final = 10**9
_CONCENTRATED: Final = (Protocol.UNISWAP_V3,)


class Counts(msgspec.Struct):
    """What happened on a chain since its node began.

    Attributes:
        bids_landed: transactions of bundles in blocks.
        bids_broken: of those, that did not come off as tried: somebody else's got in between.
    """

    blocks: int = 0
    sent: int = 0
    refused: int = 0
    whales: int = 0
    positions: int = 0
    reorganisations: int = 0
    private: int = 0
    bids_landed: int = 0
    bids_broken: int = 0


class Life:
    """Makes the blocks of a chain and what is in them.

    What is sent after a block is pending until the next one, so that whoever listens sees it
    coming; what goes the private way reaches the node as its block is made.

    Attributes:
        worth: of the tokens.
        counts: what happened.
    """

    def __init__(
        self,
        rpc: Rpc,
        plan: ChainPlan,
        made: Made,
        *,
        seed: int,
        block_s: float,
        auction: Auction | None = None,
    ) -> None:
        """Live on a node; with an auction its blocks are filled with bids first."""
        self.worth: Final = Worth(plan, made, seed=seed)
        self.counts: Final = Counts()
        self._rpc = rpc
        self._plan = plan
        self._made = made
        self._block_s = block_s
        self._crowd = Crowd(made, seed=seed)
        self._rng = random.Random(f"gas {seed}")  # noqa: S311 - makes a market, guards nothing
        crowd, followers, whales, makers = (
            Trader(Hands(rpc, account), made) for account in made.accounts[1:5]
        )
        self._crowd_hands = crowd
        self._followers = followers
        self._whales = whales
        self._makers = makers
        self._all = (crowd, followers, whales, makers)
        self._private: list[Swap] = []
        self._base_fee_wei = int(plan.base_fee_gwei * _GWEI) * FIRST_FEES
        self._auction = auction

    def step(self, raw_private: Sequence[str] = ()) -> None:
        """Make the next block of what is pending, then send what the one after it will hold.

        Args:
            raw_private: signed transactions that came the private way.
        """
        self._make_block(raw_private)
        self.worth.let_pass(self._block_s)
        usd = self.worth.by_address()
        seconds = self._block_s
        for swap in self._crowd.noise(seconds, usd):
            self._crowd_hands.swap(*swap)
        at = standings(self._rpc, self._made, self._crowd.followed(seconds))
        for swap in self._crowd.followers(usd, at):
            if self._crowd.chance(PRIVATE_CHANCE):
                self._private.append(swap)
            else:
                self._followers.swap(*swap)
        self._send_whale(usd)
        if self._crowd.chance(seconds / POSITION_EVERY_S):
            self._move_liquidity(usd)
        self._post(*self._all)
        if self._auction is not None:
            self._auction.let_bid(usd)

    def close(self) -> None:
        """Close the connection to the node."""
        self._rpc.close()

    def _make_block(self, raw_private: Sequence[str]) -> None:
        for raw in raw_private:
            try:
                self._rpc.ask("eth_sendRawTransaction", raw)
                self.counts.private += 1
            except NodeSaidNoError:
                self.counts.refused += 1
        for swap in self._private:
            self._followers.swap(*swap)
        self.counts.private += len(self._private)
        self._private.clear()
        self._post(self._followers)
        base_fee_wei = self._base_fee_wei = self._next_base_fee_wei()
        self._rpc.ask("anvil_setNextBlockBaseFeePerGas", hex(base_fee_wei))
        if self._auction is None:
            self._rpc.ask("evm_mine")
        else:
            landed, broken = self._auction.make_block(base_fee_wei)
            self.counts.bids_landed += landed
            self.counts.bids_broken += broken
        self.counts.blocks += 1
        if self._crowd.chance(REORGANISATION_CHANCE):
            self._undo(self._crowd.number(1, DEPTH_MAX))
            self.counts.reorganisations += 1
            for trader in self._all:
                trader.hands.renew()

    def _undo(self, depth: int) -> None:
        """Make the newest blocks anew, empty, at base fees that may follow on what stays.

        Left alone the node would go on from the fee of what it undid.
        """
        head = int(self._rpc.ask("eth_blockNumber"), 16)
        stays = self._rpc.ask("eth_getBlockByNumber", hex(max(head - depth, 0)), False)
        self._rpc.ask("anvil_setNextBlockBaseFeePerGas", stays["baseFeePerGas"])
        self._rpc.ask("anvil_reorg", depth, [])

    def _next_base_fee_wei(self) -> int:
        """Return a base fee about the usual one, no further from the last than EIP-1559 lets it."""
        usual = self._plan.base_fee_gwei * _GWEI
        wanted_wei = int(usual * self._rng.lognormvariate(0.0, BASE_FEE_SPREAD))
        if not self.counts.blocks:  # a node begins with a fee of its own
            return wanted_wei
        head = self._rpc.ask("eth_getBlockByNumber", "latest", False)
        last_wei = int(head["baseFeePerGas"], 16)
        step_wei = last_wei // GROWTH_PARTS
        return min(max(wanted_wei, last_wei - step_wei), last_wei + max(step_wei, 1))

    def _send_whale(self, usd: Mapping[str, float]) -> None:
        at = standings(self._rpc, self._made, self._crowd.whale_at(self._block_s))
        swaps = self._crowd.whales(at, usd)
        self.counts.whales += len(swaps)
        for swap in swaps:
            self._whales.swap(*swap)

    def _move_liquidity(self, usd: Mapping[str, float]) -> None:
        positions = self._makers.positions()
        self.counts.positions += 1
        if len(positions) >= POSITIONS_MAX:
            # The oldest number is burnt, so that the list of them stays short.
            self._makers.take(positions[0])
            self._makers.burn(positions[0])
            return
        pool = self._crowd.pick([one for one in self._made.pools if one.protocol in _CONCENTRATED])
        self._makers.add(pool, self._worths(pool, usd), ticks=self._span(pool))

    def _worths(self, pool: WorldPool, usd: Mapping[str, float]) -> tuple[int, int]:
        t0, t1 = pool.tokens
        return self._crowd.raw(t0, POSITION_USD, usd), self._crowd.raw(t1, POSITION_USD, usd)

    def _span(self, pool: WorldPool) -> tuple[int, int]:
        tick = self._makers.tick(pool) // pool.tick_spacing
        low = tick - self._crowd.number(1, SPAN_SPACINGS)
        high = tick + self._crowd.number(1, SPAN_SPACINGS)
        return low * pool.tick_spacing, high * pool.tick_spacing

    def _post(self, *traders: Trader) -> None:
        tip = int(self._plan.tip_gwei * _GWEI)
        # Its node puts those in front who would pay most, not who tip most. So all would pay for
        # two full blocks, as wallets do, and of those who do tips decide, as on a real chain.
        most = grown_wei(self._base_fee_wei, BLOCKS_PAID) + tip
        for trader in traders:
            trader.hands.fees = {
                "maxFeePerGas": hex(most),
                "maxPriorityFeePerGas": hex(tip),
            }
            sent, refused = trader.hands.post()
            self.counts.sent += sent
            self.counts.refused += refused
