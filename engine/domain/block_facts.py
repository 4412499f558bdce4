"""What a block of a chain was: what background work learns from."""

from typing import Final

import msgspec

TIP_PERCENTILES: Final = (10, 50, 90)
"""Of which shares of a block's gas its tips are told."""


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A trade in a pool that is followed. Amounts are floats: nothing is booked from them.

    Attributes:
        index: place of its event among all events of the block.
        tx: hash of the transaction.
        sender, recipient: who called the pool and who received, as the event says; empty if it
            says nothing of it.
        pool: its address.
        source, target: what was sold and bought, as assets.
        amount_in, amount_out: in whole units.
        usd: worth of what was sold; 0 if nobody knows.
    """

    index: int
    tx: str
    sender: str
    recipient: str
    pool: str
    source: str
    target: str
    amount_in: float
    amount_out: float
    usd: float


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that a block took and that had been heard before, by those who decode it.

    Attributes:
        heard_at_ns: when it was heard first.
        tip_gwei: what the block's maker gets at most for a unit of its gas.
    """

    heard_at_ns: int
    tip_gwei: float


class BlockFact(msgspec.Struct, frozen=True, kw_only=True):
    """A block that stands.

    Attributes:
        made_at_ns: by the chain's own clock, which has whole seconds.
        heard_at_ns: when a node told of it; 0 if it was fetched later.
        told_at_ns: when the engine was told.
        base_fee_gwei: 0 if the chain has none, or its node did not say.
        gas_used, gas_limit: 0 if its node did not say.
        transactions: how many; -1 if that is not known.
        tips_gwei: at most so much was tipped for these shares of its gas, see `TIP_PERCENTILES`;
            none if that is not known.
        data_raw: what the bytes of a transaction of two swaps cost then; 0 where they cost nothing.
        undone: how many blocks it took the place of.
        swaps: in their order.
        waits: what it took of the transactions that had been heard before.
    """

    number: int
    hash: str
    made_at_ns: int
    heard_at_ns: int
    told_at_ns: int
    base_fee_gwei: float
    gas_used: int
    gas_limit: int
    transactions: int
    tips_gwei: tuple[float, ...]
    data_raw: int
    undone: int
    swaps: tuple[Swap, ...]
    waits: tuple[Wait, ...] = ()
