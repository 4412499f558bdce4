"""What is bid: transactions that are wanted together, in one block and time, or not at all."""

import re
from dataclasses import dataclass
from typing import Any, Final

from eth_hash.auto import keccak

from engine.domain.errors import BadValueError
from engine.sandbox.relay.transactions import SignedTransaction, parse_transaction

BUNDLE_BYTES_MAX: Final = 300_000
TRANSACTIONS_MAX: Final = 20
GAS_MAX: Final = 18_000_000
"""Of a block's bids together: half of one of Ethereum's, the rest is for who waited in public."""

BLOCKS_AHEAD_MAX: Final = 25
"""Further ahead than the next so many blocks nobody may bid."""

TS_MAX: Final = 2**63
_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})+")
_NUMBER: Final = re.compile(r"0x[0-9a-fA-F]{1,16}")
_NAME: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_KNOWN: Final = frozenset(
    {"txs", "blockNumber", "minTimestamp", "maxTimestamp", "revertingTxHashes", "replacementUuid"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bid.

    Attributes:
        signer: who bids, by the address that signed the request.
        name: by which it is replaced and taken back (`replacementUuid`); may be empty.
        block: the only one that may hold it.
        ts_min, ts_max: seconds between which that block's time has to be, both included.
        may_revert: hashes of transactions that may fail without harm to the others.
    """

    signer: str
    transactions: tuple[SignedTransaction, ...]
    block: int
    ts_min: int = 0
    ts_max: int = TS_MAX
    name: str = ""
    may_revert: frozenset[str] = frozenset()

    @property
    def hash(self) -> str:
        """Return what it is called in answers."""
        hashes = b"".join(bytes.fromhex(one.hash[2:]) for one in self.transactions)
        return "0x" + keccak(hashes).hex()

    @property
    def key(self) -> tuple[str, str]:
        """Return what a later bid has to share to take its place."""
        return self.signer, self.name or self.hash


def parse_bundle(given: Any, *, signer: str, chain_id: int, head: int) -> Bundle:
    """Read what ``eth_sendBundle`` is asked with.

    Args:
        given: the one parameter.
        signer: of the request.
        chain_id: of the chain.
        head: number of the newest block.

    Raises:
        BadValueError: it cannot be a bid; says why in a sentence.
    """
    if not isinstance(given, dict):
        raise BadValueError("a bundle is an object")
    if unknown := sorted(map(str, given.keys() - _KNOWN)):
        raise BadValueError(f"a bundle has no {unknown[0][:40]} here")
    block = parse_number(given.get("blockNumber"), "blockNumber")
    if not head < block <= head + BLOCKS_AHEAD_MAX:
        last = head + BLOCKS_AHEAD_MAX
        raise BadValueError(f"block {block} is not one of the next, {head + 1} to {last}")
    ts_min = _seconds(given.get("minTimestamp"), "minTimestamp", 0)
    ts_max = _seconds(given.get("maxTimestamp"), "maxTimestamp", TS_MAX)
    if ts_min > ts_max:
        raise BadValueError(f"minTimestamp {ts_min} is after maxTimestamp {ts_max}")
    transactions = parse_transactions(given.get("txs"), chain_id=chain_id)
    may_revert = given.get("revertingTxHashes") or []
    hashes = {one.hash for one in transactions}
    if not isinstance(may_revert, list) or not all(
        isinstance(one, str) and one.lower() in hashes for one in may_revert
    ):
        raise BadValueError("revertingTxHashes names what is no transaction of the bundle")
    return Bundle(
        signer=signer,
        transactions=transactions,
        block=block,
        ts_min=ts_min,
        ts_max=ts_max,
        name="" if given.get("replacementUuid") is None else parse_name(given),
        may_revert=frozenset(one.lower() for one in may_revert),
    )


def parse_transactions(given: Any, *, chain_id: int) -> tuple[SignedTransaction, ...]:
    """Read a bundle's transactions.

    Raises:
        BadValueError: they are none, too many, or one is not of this chain.
    """
    if not isinstance(given, list) or not given:
        raise BadValueError("txs is a list of signed transactions, one at least")
    if len(given) > TRANSACTIONS_MAX:
        raise BadValueError(f"{len(given)} transactions, {TRANSACTIONS_MAX} is the most")
    if not all(isinstance(one, str) and _HEX.fullmatch(one) for one in given):
        raise BadValueError("a signed transaction is 0x and digits")
    if sum(map(len, given)) // 2 > BUNDLE_BYTES_MAX:
        raise BadValueError(f"a bundle of more than {BUNDLE_BYTES_MAX} bytes")
    found = tuple(parse_transaction(bytes.fromhex(one[2:])) for one in given)
    for one in found:
        if one.chain_id != chain_id:
            raise BadValueError(f"{one.hash} is for chain {one.chain_id}, not for {chain_id}")
    if (gas := sum(one.gas for one in found)) > GAS_MAX:
        raise BadValueError(f"a bundle of {gas} gas, {GAS_MAX} is the most")
    if len({one.hash for one in found}) < len(found):
        raise BadValueError("a transaction is in the bundle twice")
    return found


def parse_name(given: Any) -> str:
    """Read the name of a bundle.

    Raises:
        BadValueError: there is none.
    """
    name = given.get("replacementUuid") if isinstance(given, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadValueError("replacementUuid is 1 to 64 letters, digits and hyphens")
    return name


def parse_number(given: Any, what: str) -> int:
    """Read a number as nodes write it.

    Raises:
        BadValueError: it is none.
    """
    if not isinstance(given, str) or not _NUMBER.fullmatch(given):
        raise BadValueError(f"{what} is 0x and up to 16 digits")
    return int(given, 16)


def _seconds(given: Any, what: str, default: int) -> int:
    if given is None:
        return default
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= TS_MAX:
        raise BadValueError(f"{what} is a whole number of seconds")
    return given
