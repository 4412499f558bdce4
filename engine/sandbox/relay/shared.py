"""Transactions that people send through the relay in private, and what it tells of them.

Each waits until it lands or its last block is made; who bids right behind one names it by the hash
of its hint. As on MEV-Share that is the hash of the transaction's own hash, which stays private.
"""

import json
from queue import Full, Queue
from threading import Lock
from typing import Any, Final

from eth_hash.auto import keccak

from engine.domain.errors import BadValueError
from engine.sandbox.relay.bundles import (
    BLOCKS_AHEAD_MAX,
    Bundle,
    parse_number,
    parse_transactions,
)
from engine.sandbox.relay.transactions import SignedTransaction

WAITING_MAX: Final = 256
LISTENERS_MAX: Final = 16
UNREAD_MAX: Final = 256
HINTS: Final = ("contract_address", "function_selector", "calldata", "logs")
"""What a sender may share beside the hash."""

_VERSIONS: Final = ("v0.1", "beta-1")
_SELECTOR_BYTES: Final = 4
_TWO: Final = 2


class SharedTransactions:
    """What waits in private, by the hash of its hint; for several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[str, tuple[SignedTransaction, int]] = {}
        self._listeners: list[Queue[bytes]] = []

    def put(
        self, transaction: SignedTransaction, *, last_block: int, shares: frozenset[str], logs: Any
    ) -> str:
        """Take a transaction and tell its hint; returns the hint's hash.

        Args:
            transaction: signed.
            last_block: in no later one it lands.
            shares: of `HINTS`, what may be told.
            logs: events that it causes now, as nodes tell them.

        Raises:
            BadValueError: too many wait.
        """
        name = hint_hash(transaction.hash)
        with self._lock:
            if len(self._waiting) >= WAITING_MAX:
                raise BadValueError(f"{WAITING_MAX} private transactions wait already")
            self._waiting[name] = transaction, last_block
            listeners = [*self._listeners]
        told = json.dumps(_hint(name, transaction, shares, logs)).encode()
        for queue in listeners:
            try:
                queue.put_nowait(told)
            except Full:
                continue  # whoever does not read misses some
        return name

    def find(self, name: str) -> SignedTransaction:
        """Return what a hint was of.

        Raises:
            BadValueError: nothing of this hint waits.
        """
        with self._lock:
            found = self._waiting.get(name)
        if found is None:
            raise BadValueError(f"nothing waits of which {name} is the hint")
        return found[0]

    def bundles(self, block: int) -> list[Bundle]:
        """Return each as a bid of its own for a block: it lands with or without one behind it."""
        with self._lock:
            self._waiting = {name: one for name, one in self._waiting.items() if one[1] >= block}
            found = [one for one, _ in self._waiting.values()]
        return [Bundle(signer=one.sender, transactions=(one,), block=block) for one in found]

    def landed(self, hashes: frozenset[str]) -> None:
        """Forget those that are in a block."""
        with self._lock:
            self._waiting = {
                name: one for name, one in self._waiting.items() if one[0].hash not in hashes
            }

    def listen(self) -> "Queue[bytes] | None":
        """Return where hints come from now on, None if too many listen; give it back."""
        with self._lock:
            if len(self._listeners) >= LISTENERS_MAX:
                return None
            self._listeners.append(Queue(UNREAD_MAX))
            return self._listeners[-1]

    def leave(self, queue: "Queue[bytes]") -> None:
        """Listen no more."""
        with self._lock:
            self._listeners = [one for one in self._listeners if one is not queue]


def hint_hash(transaction_hash: str) -> str:
    """Return by which hash a hint names a transaction."""
    return "0x" + keccak(bytes.fromhex(transaction_hash[2:])).hex()


def parse_private(
    given: Any, *, chain_id: int, head: int
) -> tuple[SignedTransaction, int, frozenset[str]]:
    """Read a request to send privately: transaction, last block, what may be shared.

    Raises:
        BadValueError: it is none.
    """
    if not isinstance(given, dict):
        raise BadValueError("a private transaction is an object")
    (transaction,) = parse_transactions([given.get("tx")], chain_id=chain_id)
    last = head + BLOCKS_AHEAD_MAX
    if given.get("maxBlockNumber") is not None:
        last = min(parse_number(given["maxBlockNumber"], "maxBlockNumber"), last)
    preferences = given.get("preferences") or {}
    privacy = preferences.get("privacy") or {} if isinstance(preferences, dict) else None
    shares = privacy.get("hints") or [] if isinstance(privacy, dict) else None
    if not isinstance(shares, list) or not all(one in ("hash", *HINTS) for one in shares):
        raise BadValueError(f"hints are of {', '.join(HINTS)}")
    return transaction, last, frozenset(shares)


def parse_behind(
    given: Any, *, signer: str, chain_id: int, head: int, shared: SharedTransactions
) -> list[Bundle]:
    """Read a bid for the place behind a private transaction: one for each block that may hold it.

    Raises:
        BadValueError: it is none, or what it stands behind waits no more.
    """
    if not isinstance(given, dict) or given.get("version") not in _VERSIONS:
        raise BadValueError(f"a bundle of MEV-Share is an object of version {_VERSIONS[0]}")
    inclusion, body = given.get("inclusion"), given.get("body")
    if not isinstance(inclusion, dict):
        raise BadValueError("inclusion names block and maxBlock")
    first = parse_number(inclusion.get("block"), "block")
    last = parse_number(inclusion.get("maxBlock") or inclusion.get("block"), "maxBlock")
    if not head < first <= last <= head + BLOCKS_AHEAD_MAX:
        raise BadValueError(
            f"blocks {first} to {last} are not of the next, {head + 1} to {head + BLOCKS_AHEAD_MAX}"
        )
    if (
        not isinstance(body, list)
        or len(body) != _TWO
        or not all(isinstance(b, dict) for b in body)
    ):
        raise BadValueError("a body is the hash of a hint, and one transaction behind it")
    before, behind = body
    if not isinstance(before.get("hash"), str) or behind.get("canRevert"):
        raise BadValueError("a body begins with a hash, and what is behind it may not revert")
    front = shared.find(before["hash"].lower())
    own = parse_transactions([behind.get("tx")], chain_id=chain_id)
    # Each block's is a bid of its own: none takes the place of another.
    return [
        Bundle(
            signer=signer,
            transactions=(front, *own),
            block=block,
            name=f"{own[0].hash}-{block}",
        )
        for block in range(first, last + 1)
    ]


def _hint(
    name: str, transaction: SignedTransaction, shares: frozenset[str], logs: Any
) -> dict[str, Any]:
    call: dict[str, str] = {}
    if "contract_address" in shares:
        call["to"] = transaction.to
    if "function_selector" in shares:
        call["functionSelector"] = "0x" + transaction.data[:_SELECTOR_BYTES].hex()
    if "calldata" in shares:
        call["callData"] = "0x" + transaction.data.hex()
    told = [{key: one[key] for key in ("address", "topics", "data")} for one in logs]
    return {
        "hash": name,
        "logs": told if "logs" in shares else None,
        "txs": [call] if call else None,
    }
