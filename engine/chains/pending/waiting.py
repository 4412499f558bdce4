"""Transactions that wait and mean to swap: so many at most, each until it is known what became."""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cachetools import TTLCache

from engine.chains.pending.intents import Intent
from engine.chains.pending.predictions import Prediction
from engine.chains.pending.transactions import PendingTx
from engine.domain.units import NS_PER_S

WAITING_MAX: Final = 2_048
WAITS_NS_MAX: Final = 600 * NS_PER_S
"""What is in no block by then is taken for dropped."""
HEARD_MAX: Final = 50_000
"""So many transactions are known again when they are told twice."""
HEARD_S: Final = 600.0


class Count(StrEnum):
    """What happened to pending transactions, as counters name it."""

    HEARD = "heard"
    TWICE = "told twice"
    LIES = "no transaction"
    ELSEWHERE = "calls no router"
    UNDECODED = "not decoded"
    KEPT = "kept"
    FULL = "given up for newer ones"
    REPLACED = "replaced by its sender"
    DROPPED = "in no block for long"
    INCLUDED = "included"
    EXACT = "predicted exactly"
    DIFFERS = "came out otherwise"
    FAILED = "failed, though its swap could have been"
    UNKNOWN = "not predictable"
    HELD = "as foretold when heard"
    OVERTAKEN = "others came first"
    BLOCKS_LEFT_OUT = "blocks not looked at"
    NOT_FETCHED = "named, and its body not fetched"
    AHEAD = "events confirmed ahead"
    AHEAD_KEPT = "events confirmed ahead, and in their block"
    AHEAD_DROPPED = "events confirmed ahead, and not in their block"
    AHEAD_ELSEWHERE = "events confirmed ahead of another block than the next"
    AHEAD_FULL = "events confirmed ahead that were too many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """A transaction that waits.

    Attributes:
        ahead: what was predicted when it was heard.
    """

    tx: PendingTx
    intent: Intent
    ahead: Prediction
    heard_at_ns: int


class Waiting:
    """Keeps them by hash; the oldest go where there are too many."""

    def __init__(self, counts: Counter[str], *, waiting_max: int = WAITING_MAX) -> None:
        self._counts = counts
        self._waiting_max = waiting_max
        self._by_hash: OrderedDict[str, Waits] = OrderedDict()
        self._by_nonce: dict[tuple[str, int], str] = {}
        self._heard: TTLCache[str, None] = TTLCache(maxsize=HEARD_MAX, ttl=HEARD_S)

    def __len__(self) -> int:
        return len(self._by_hash)

    def __iter__(self) -> Iterator[Waits]:
        return iter(self._by_hash.values())

    def is_new(self, tx_hash: str) -> bool:
        """Say whether a transaction was not heard before; from now on it was."""
        if tx_hash in self._heard:
            return False
        self._heard[tx_hash] = None
        return True

    def add(self, waits: Waits) -> None:
        """Keep one; it takes the place of what its sender sent with the same nonce."""
        key = (waits.tx.sender, waits.tx.nonce)
        before = self._by_nonce.get(key)
        if before is not None:
            self._remove(before)
            self._counts[Count.REPLACED] += 1
        while len(self._by_hash) >= self._waiting_max:
            self._remove(next(iter(self._by_hash)))
            self._counts[Count.FULL] += 1
        self._by_hash[waits.tx.hash] = waits
        self._by_nonce[key] = waits.tx.hash
        self._counts[Count.KEPT] += 1

    def get(self, tx_hash: str) -> Waits | None:
        """Return one that waits."""
        return self._by_hash.get(tx_hash)

    def include(self, tx_hash: str) -> None:
        """Let go of one that came into a block."""
        if tx_hash in self._by_hash:
            self._remove(tx_hash)
            self._counts[Count.INCLUDED] += 1

    def expire(self, *, now_ns: int) -> None:
        """Let go of those that wait for too long."""
        while self._by_hash:
            oldest = next(iter(self._by_hash.values()))
            if oldest.heard_at_ns > now_ns - WAITS_NS_MAX:
                return
            self._remove(oldest.tx.hash)
            self._counts[Count.DROPPED] += 1

    def _remove(self, tx_hash: str) -> None:
        gone = self._by_hash.pop(tx_hash)
        self._by_nonce.pop((gone.tx.sender, gone.tx.nonce), None)
