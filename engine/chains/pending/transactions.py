"""Transactions that wait, as a node tells them; and the order in which blocks take them."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from engine.chains.pending.calldata import CALLDATA_BYTES_MAX
from engine.chains.ports import Json
from engine.chains.rpc.parsing import parse_address, parse_bytes, parse_hash, parse_quantity
from engine.domain.errors import BadValueError

_UINT64_MAX: Final = 2**64 - 1
_PRICE_RAW_MAX: Final = 10**24
"""Of a unit of gas: a million native coins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTx:
    """A signed transaction that is in no block yet.

    Attributes:
        to: whom it calls; nobody if it deploys a contract.
        fee_raw_max: native coins that it pays for a unit of gas at most.
        tip_raw_max: what of these the block's maker gets at most.
    """

    hash: str
    sender: str
    nonce: int
    to: str
    value_raw: int
    text: bytes
    fee_raw_max: int
    tip_raw_max: int

    def tip_raw(self, base_fee_raw: int) -> int:
        """Return what the block's maker gets for a unit of gas; below 0 if it cannot come in."""
        return min(self.tip_raw_max, self.fee_raw_max - base_fee_raw)


def parse_pending(value: Json) -> PendingTx | None:
    """Return a transaction as nodes tell it; nothing if it is in a block already.

    Raises:
        BadValueError: it cannot be one.
    """
    if not isinstance(value, dict):
        raise BadValueError("a transaction is no object")
    if value.get("blockHash") is not None:
        return None
    to = value.get("to")
    text = value.get("input", value.get("data"))
    if isinstance(text, str) and len(text) > 2 * CALLDATA_BYTES_MAX + 2:
        raise BadValueError(f"a transaction's calldata has {len(text)} digits")
    price = value.get("gasPrice")
    fee = value.get("maxFeePerGas", price)
    tip = value.get("maxPriorityFeePerGas", price)
    return PendingTx(
        hash=parse_hash(value.get("hash"), "a transaction"),
        sender=parse_address(value.get("from"), "a transaction's sender"),
        nonce=parse_quantity(value.get("nonce"), "a transaction's nonce", most=_UINT64_MAX),
        to="" if to is None else parse_address(to, "whom a transaction calls"),
        value_raw=parse_quantity(value.get("value"), "a transaction's value"),
        text=parse_bytes(text, "a transaction's calldata"),
        fee_raw_max=parse_quantity(fee, "a transaction's fee", most=_PRICE_RAW_MAX),
        tip_raw_max=parse_quantity(tip, "a transaction's tip", most=_PRICE_RAW_MAX),
    )


def in_order(waiting: Iterable[PendingTx], *, base_fee_raw: int) -> Iterator[PendingTx]:
    """Give transactions as a block takes them: the highest tip first, each sender's by nonce.

    What pays less than the base fee comes into no block, nor does what its sender sent after it. Of
    equal tips the one that was seen first comes first.
    """
    by_sender: dict[str, list[tuple[int, int, PendingTx]]] = defaultdict(list)
    for place, tx in enumerate(waiting):
        by_sender[tx.sender].append((tx.nonce, place, tx))
    heads: list[tuple[int, int, PendingTx]] = []
    for queue in by_sender.values():
        queue.sort(key=lambda one: one[:2], reverse=True)
        _next_of(queue, heads, base_fee_raw)
    while heads:
        *_, tx = heapq.heappop(heads)
        yield tx
        _next_of(by_sender[tx.sender], heads, base_fee_raw)


def _next_of(
    queue: list[tuple[int, int, PendingTx]],
    heads: list[tuple[int, int, PendingTx]],
    base_fee_raw: int,
) -> None:
    if queue:
        _, place, tx = queue.pop()
        tip_raw = tx.tip_raw(base_fee_raw)
        if tip_raw >= 0:
            heapq.heappush(heads, (-tip_raw, place, tx))
