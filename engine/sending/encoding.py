"""What our contract is called with, and back, to the last bit: a round, or a swap for its caller.

What a person approves stands in words of its own, which a hardware wallet can show: tokens, amount,
least profit or least that comes, deadline, tip. How it is done follows packed, as every byte is
paid for: the layout is in `docs/contract.md`, and `contracts/src/libraries/Route.sol` reads it.
"""

from functools import lru_cache
from typing import Final

from eth_hash.auto import keccak

from engine.domain.errors import BadValueError
from engine.domain.routes_on_chain import (
    FREE,
    LENDERLESS,
    OF_PAIRS,
    ChainRoute,
    ChainSwap,
    Source,
    SourceKind,
)
from engine.sending.packed_hops import WORD, Reader, bytes_of, packed_hops, read_hops

SIGNATURE: Final = "execute(address,uint256,uint256,uint256,uint256,bytes)"
SELECTOR: Final = keccak(SIGNATURE.encode())[:4]
SWAP_SIGNATURE: Final = "swap(address,uint256,address,uint256,uint256,bytes)"
SWAP: Final = keccak(SWAP_SIGNATURE.encode())[:4]
PAUSE: Final = keccak(b"pause()")[:4]
UNPAUSE: Final = keccak(b"unpause()")[:4]
WITHDRAW: Final = keccak(b"withdraw(address)")[:4]
REVOKE: Final = keccak(b"revoke(address,address)")[:4]
APPROVE: Final = keccak(b"approve(address,uint256)")[:4]

_SOURCES: Final = tuple(SourceKind)
_HEAD_WORDS: Final = 6
"""Of either call: five words, and where the packed bytes begin."""

_AMOUNT, _CHAIN_ID = 16, 8


def calldata(route: ChainRoute) -> bytes:
    """Return what the contract is called with to carry a route out."""
    head = (
        int(route.source.token, 16),
        route.source.amount_raw,
        route.profit_min_raw,
        route.deadline_ts,
        route.tip_bps,
    )
    return SELECTOR + _arguments(head, _packed(route))


@lru_cache(maxsize=64)
def decode(data: bytes, *, contract: str) -> ChainRoute:
    """Return the route that a call carries out; what it returns encodes to the very same bytes.

    The same call is looked at again and again: as it is rehearsed, signed, raised and told.

    Args:
        data: of the transaction.
        contract: to which it goes.

    Raises:
        BadValueError: it is no such call, or not written as `calldata` writes it.
    """
    if data[:4] != SELECTOR:
        raise BadValueError(f"a call of 0x{data[:4].hex()} is no route; 0x{SELECTOR.hex()} is")
    reader = Reader(data, 4)
    token = f"0x{reader.number(WORD):040x}"
    amount, profit_min, deadline, tip, _, length = (reader.number(WORD) for _ in range(6))
    tail = Reader(reader.taken(length), 0)
    chain_id = tail.number(_CHAIN_ID)
    source = _source(tail, token, amount)
    route = ChainRoute(
        chain_id=chain_id,
        contract=contract,
        source=source,
        hops=read_hops(tail, token, token),
        profit_min_raw=profit_min,
        deadline_ts=deadline,
        tip_bps=tip,
    )
    if calldata(route) != data:
        raise BadValueError("the call of a route is written otherwise than it is written here")
    return route


def swap_calldata(swap: ChainSwap) -> bytes:
    """Return what the contract is called with to trade a token of the caller's."""
    head = (
        int(swap.token_in, 16),
        swap.amount_in_raw,
        int(swap.token_out, 16),
        swap.amount_out_min_raw,
        swap.deadline_ts,
    )
    packed = swap.chain_id.to_bytes(_CHAIN_ID) + packed_hops(swap.hops, swap.token_out)
    return SWAP + _arguments(head, packed)


def decode_swap(data: bytes, *, contract: str) -> ChainSwap:
    """Return the swap that a call carries out; what it returns encodes to the very same bytes.

    Args:
        data: of the transaction.
        contract: to which it goes.

    Raises:
        BadValueError: it is no such call, or not written as `swap_calldata` writes it.
    """
    if data[:4] != SWAP:
        raise BadValueError(f"a call of 0x{data[:4].hex()} is no swap; 0x{SWAP.hex()} is")
    reader = Reader(data, 4)
    token_in, amount_in, token_out, amount_out_min, deadline, _, length = (
        reader.number(WORD) for _ in range(7)
    )
    source, target = f"0x{token_in:040x}", f"0x{token_out:040x}"
    tail = Reader(reader.taken(length), 0)
    swap = ChainSwap(
        chain_id=tail.number(_CHAIN_ID),
        contract=contract,
        token_in=source,
        amount_in_raw=amount_in,
        token_out=target,
        amount_out_min_raw=amount_out_min,
        hops=read_hops(tail, source, target),
        deadline_ts=deadline,
    )
    if swap_calldata(swap) != data:
        raise BadValueError("the call of a swap is written otherwise than it is written here")
    return swap


def pause_calldata() -> bytes:
    """Return what pauses the contract, sent by a guardian."""
    return PAUSE


def withdraw_calldata(token: str) -> bytes:
    """Return what brings all of a token that the contract holds to the recovery address."""
    return WITHDRAW + int(token, 16).to_bytes(WORD)


def revoke_calldata(token: str, spender: str) -> bytes:
    """Return what takes back an allowance that the contract gave."""
    return REVOKE + int(token, 16).to_bytes(WORD) + int(spender, 16).to_bytes(WORD)


def disallow_calldata(spender: str) -> bytes:
    """Return what a token is called with to take back an allowance of the caller: and no more."""
    return allow_calldata(spender, 0)


def allow_calldata(spender: str, amount_raw: int) -> bytes:
    """Return what a token is called with to let somebody take so much of the caller."""
    return APPROVE + int(spender, 16).to_bytes(WORD) + amount_raw.to_bytes(WORD)


def _arguments(head: tuple[int, ...], packed: bytes) -> bytes:
    """Return five words and bytes as the ABI has them: with where these begin, and filled up."""
    words = (*head, _HEAD_WORDS * WORD, len(packed))
    padding = b"\0" * (-len(packed) % WORD)
    return b"".join(word.to_bytes(WORD) for word in words) + packed + padding


def _packed(route: ChainRoute) -> bytes:
    source = route.source
    parts = [route.chain_id.to_bytes(_CHAIN_ID), bytes([_SOURCES.index(source.kind)])]
    if source.kind not in LENDERLESS:
        parts.append(bytes_of(source.address))
    if source.kind in OF_PAIRS:
        parts.append(bytes([source.is_token0]))
    if source.kind not in FREE:
        parts.append(source.fee_raw.to_bytes(_AMOUNT))
    parts.append(packed_hops(route.hops, source.token))
    return b"".join(parts)


def _source(reader: Reader, token: str, amount_raw: int) -> Source:
    number = reader.number(1)
    if number >= len(_SOURCES):
        raise BadValueError(f"source {number} of a route is none of {len(_SOURCES)}")
    kind = _SOURCES[number]
    return Source(
        kind=kind,
        token=token,
        amount_raw=amount_raw,
        address="" if kind in LENDERLESS else reader.address(),
        is_token0=kind in OF_PAIRS and reader.number(1) == 1,
        fee_raw=0 if kind in FREE else reader.number(_AMOUNT),
    )
