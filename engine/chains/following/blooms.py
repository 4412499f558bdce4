"""Bloom filters of block headers: what cannot be among a block's events.

A header's 2048 bits have three set for each event's contract and for each of its topics (Ethereum's
yellow paper, 4.4.3). A bit that is not set is proof; one that is set may be of something else.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache, reduce
from operator import or_
from typing import Final

from eth_hash.auto import keccak

from engine.chains.ports import Log
from engine.chains.rpc.block_logs import BlockLogs

BLOOM_BYTES: Final = 256
_BITS: Final = 2048
_KEPT: Final = 16_384
_ADDRESS_CHARACTERS: Final = 42

# No `lru_cache`: what that notes of each look-up is in as many places in memory again.
_of_contracts: Final[dict[str, int]] = {}


@lru_cache(maxsize=_KEPT)
def bits_of(item: bytes) -> int:
    """Return the bits that a contract's address or a topic sets."""
    digest = keccak(item)
    bits = 0
    for at in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") % _BITS)
    return bits


def bloom_of(logs: Iterable[Log]) -> int:
    """Return the filter of a block with exactly these events."""
    if isinstance(logs, BlockLogs):
        return _bits_of_all(logs.addresses, logs.all_topics)
    addresses: set[str] = set()
    topics: set[bytes] = set()
    for log in logs:
        addresses.add(log.address)
        topics.update(log.topics)
    return _bits_of_all(addresses, topics)


def _bits_of_all(addresses: Collection[str], topics: Iterable[bytes]) -> int:
    of_contracts = list(map(_of_contracts.get, addresses))
    if None in of_contracts:
        of_contracts = list(map(bits_of_contract, addresses))
    return reduce(or_, map(bits_of, topics), reduce(or_, of_contracts, 0))


def bits_of_contract(address: str) -> int:
    """Return the bits that a contract sets, which are kept; the first ones go."""
    bits = _of_contracts.get(address)
    if bits is None:
        if len(_of_contracts) >= _KEPT:
            del _of_contracts[next(iter(_of_contracts))]
        bits = _of_contracts[address] = bits_of(bytes.fromhex(address[2:]))
    return bits


def learn_contract(address: str) -> None:
    """Work out the bits of a contract whose events will come, so that no block waits for it."""
    if len(address) == _ADDRESS_CHARACTERS:  # others are parts of a contract
        bits_of_contract(address)


def may_hold(bloom: int, item: bytes) -> bool:
    """Say whether a block with this filter can have an event of this contract or topic."""
    bits = bits_of(item)
    return bloom & bits == bits
