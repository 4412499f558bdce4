"""A block of a local chain is auctioned: bids are sealed until it is made of them."""

import time
from collections.abc import Mapping
from typing import Final

from engine.sandbox.relay.builder import Builder
from engine.sandbox.relay.rivals import Rivals
from engine.sandbox.relay.trial import BlockTerms
from engine.sandbox.world.rpc import Rpc


class Auction:
    """Makes the blocks of a node, and lets the rivals bid for them.

    Attributes:
        builder: that chooses.
        rivals: who bid beside those who ask the relay.
    """

    def __init__(self, rpc: Rpc, builder: Builder, rivals: Rivals) -> None:
        self.builder: Final = builder
        self.rivals: Final = rivals
        self._rpc = rpc

    def make_block(self, base_fee_wei: int, *, now_s: int | None = None) -> tuple[int, int]:
        """Make the next block; return how many transactions of bids it has, and how many fell.

        Args:
            base_fee_wei: that the node was told to ask for in it.
            now_s: its time, by default that of the wall clock.

        Raises:
            OSError: the node is away.
        """
        head = self._rpc.ask("eth_getBlockByNumber", "latest", False)
        now_s = int(time.time()) if now_s is None else now_s
        terms = BlockTerms(
            number=int(head["number"], 16) + 1,
            ts=max(now_s, int(head["timestamp"], 16) + 1),
            base_fee_wei=base_fee_wei,
        )
        self._rpc.ask("evm_setNextBlockTimestamp", hex(terms.ts))
        bid = self.builder.fill(terms)
        self._rpc.ask("evm_mine")
        receipts = self._rpc.ask_all([("eth_getTransactionReceipt", (one.hash,)) for one in bid])
        fell = sum(1 for one in receipts if one is None or one["status"] != "0x1")
        return len(bid), fell

    def let_bid(self, usd: Mapping[str, float]) -> None:
        """Let the rivals bid for the next block.

        Args:
            usd: what each token is worth, by address.

        Raises:
            OSError: the node is away.
        """
        self.rivals.bid(usd)
