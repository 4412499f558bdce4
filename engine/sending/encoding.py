"""A route as the bytes that the contract is called with, and back, to the last bit.

What a person approves stands in words of its own, which a hardware wallet can show: token, amount,
least profit, deadline, tip. How it is done follows packed, as every byte is paid for: the layout is
in `docs/contract.md`, and `contracts/src/libraries/Route.sol` reads it.
"""

from collections.abc import Callable
from typing import Final

from eth_hash.auto import keccak

from engine.domain.errors import BadValueError
from engine.domain.routes_on_chain import (
    FREE,
    LENDERLESS,
    OF_PAIRS,
    ChainHop,
    ChainRoute,
    ConcentratedHop,
    CurveHop,
    PairHop,
    SolidlyHop,
    Source,
    SourceKind,
    V4Hop,
    VaultHop,
)

SIGNATURE: Final = "execute(address,uint256,uint256,uint256,uint256,bytes)"
SELECTOR: Final = keccak(SIGNATURE.encode())[:4]
PAUSE: Final = keccak(b"pause()")[:4]
UNPAUSE: Final = keccak(b"unpause()")[:4]
WITHDRAW: Final = keccak(b"withdraw(address)")[:4]
REVOKE: Final = keccak(b"revoke(address,address)")[:4]
APPROVE: Final = keccak(b"approve(address,uint256)")[:4]

# Of a hop's first byte: what it is, and what is so of it.
_PAIR, _CONCENTRATED, _SOLIDLY, _V4, _VAULT, _CURVE = range(1, 7)
_KIND: Final = 0x0F
_HOME: Final = 0x80
"""It gives the source's token, whose address is then left out."""

_COIN_IN: Final = 0x10
_COIN_OUT: Final = 0x20
_UNSIGNED: Final = 0x10

_SOURCES: Final = tuple(SourceKind)
_WORD: Final = 32
_HEAD_WORDS: Final = 6
_ADDRESS, _AMOUNT, _CHAIN_ID, _FEE, _SPACING, _POOL_ID = 20, 16, 8, 3, 2, 32


def calldata(route: ChainRoute) -> bytes:
    """Return what the contract is called with to carry a route out."""
    packed = _packed(route)
    head = (
        int(route.source.token, 16),
        route.source.amount_raw,
        route.profit_min_raw,
        route.deadline_ts,
        route.tip_bps,
        _HEAD_WORDS * _WORD,
        len(packed),
    )
    padding = b"\0" * (-len(packed) % _WORD)
    return SELECTOR + b"".join(word.to_bytes(_WORD) for word in head) + packed + padding


def decode(data: bytes, *, contract: str) -> ChainRoute:
    """Return the route that a call carries out; what it returns encodes to the very same bytes.

    Args:
        data: of the transaction.
        contract: to which it goes.

    Raises:
        BadValueError: it is no such call, or not written as `calldata` writes it.
    """
    if data[:4] != SELECTOR:
        raise BadValueError(f"a call of 0x{data[:4].hex()} is no route; 0x{SELECTOR.hex()} is")
    reader = _Reader(data, 4)
    token = f"0x{reader.number(_WORD):040x}"
    amount, profit_min, deadline, tip, _, length = (reader.number(_WORD) for _ in range(6))
    tail = _Reader(reader.taken(length), 0)
    chain_id = tail.number(_CHAIN_ID)
    source = _source(tail, token, amount)
    hops: list[ChainHop] = []
    while not tail.is_empty:
        hops.append(_hop(tail, hops[-1].token_out if hops else token, token))
    route = ChainRoute(
        chain_id=chain_id,
        contract=contract,
        source=source,
        hops=tuple(hops),
        profit_min_raw=profit_min,
        deadline_ts=deadline,
        tip_bps=tip,
    )
    if calldata(route) != data:
        raise BadValueError("the call of a route is written otherwise than it is written here")
    return route


def pause_calldata() -> bytes:
    """Return what pauses the contract, sent by a guardian."""
    return PAUSE


def withdraw_calldata(token: str) -> bytes:
    """Return what brings all of a token that the contract holds to the recovery address."""
    return WITHDRAW + int(token, 16).to_bytes(_WORD)


def revoke_calldata(token: str, spender: str) -> bytes:
    """Return what takes back an allowance that the contract gave."""
    return REVOKE + int(token, 16).to_bytes(_WORD) + int(spender, 16).to_bytes(_WORD)


def disallow_calldata(spender: str) -> bytes:
    """Return what a token is called with to take back an allowance of the caller: and no more."""
    return APPROVE + int(spender, 16).to_bytes(_WORD) + bytes(_WORD)


def pool_of(hop: ChainHop) -> str:
    """Return the address or id by which the engine knows a hop's pool.

    At Uniswap V4 that is the hash of its key, at Balancer the id by which the vault knows it.
    """
    if isinstance(hop, VaultHop):
        return hop.pool_id
    if not isinstance(hop, V4Hop):
        return hop.pool
    coins = sorted(
        (
            0 if hop.is_coin_in else int(hop.token_in, 16),
            0 if hop.is_coin_out else int(hop.token_out, 16),
        )
    )
    key = (*coins, hop.fee_pips, hop.tick_spacing, 0)
    return "0x" + keccak(b"".join(word.to_bytes(_WORD) for word in key)).hex()


def _packed(route: ChainRoute) -> bytes:
    source = route.source
    parts = [route.chain_id.to_bytes(_CHAIN_ID), bytes([_SOURCES.index(source.kind)])]
    if source.kind not in LENDERLESS:
        parts.append(_bytes(source.address))
    if source.kind in OF_PAIRS:
        parts.append(bytes([source.is_token0]))
    if source.kind not in FREE:
        parts.append(source.fee_raw.to_bytes(_AMOUNT))
    for hop in route.hops:
        is_home = hop.token_out == source.token
        kind, terms = _terms(hop)
        parts += [bytes([kind | (_HOME if is_home else 0)]), _bytes(hop.pool)]
        parts += [terms] if is_home else [_bytes(hop.token_out), terms]
    return b"".join(parts)


def _terms(hop: ChainHop) -> tuple[int, bytes]:
    """Return what a hop is, with what is so of it, and the bytes that only its kind has."""
    match hop:
        case PairHop():
            return _PAIR, hop.fee_pips.to_bytes(_FEE)
        case ConcentratedHop():
            return _CONCENTRATED, b""
        case SolidlyHop():
            return _SOLIDLY, b""
        case V4Hop():
            coins = hop.is_coin_in * _COIN_IN | hop.is_coin_out * _COIN_OUT
            return _V4 | coins, hop.fee_pips.to_bytes(_FEE) + hop.tick_spacing.to_bytes(_SPACING)
        case VaultHop():
            return _VAULT, _bytes(hop.pool_id)
        case CurveHop():
            return _CURVE | hop.is_unsigned * _UNSIGNED, bytes([hop.index_in << 4 | hop.index_out])


def _source(reader: "_Reader", token: str, amount_raw: int) -> Source:
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


def _hop(reader: "_Reader", token_in: str, home: str) -> ChainHop:
    first = reader.number(1)
    make = _MAKERS.get(first & _KIND)
    if make is None:
        raise BadValueError(f"hop of kind {first & _KIND} in a route is none of {list(_MAKERS)}")
    pool = reader.address()
    return make(reader, first, pool, token_in, home if first & _HOME else reader.address())


class _Reader:
    """Takes bytes from the front; more than there are is an error."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._at = start

    @property
    def is_empty(self) -> bool:
        return self._at >= len(self._data)

    def taken(self, length: int) -> bytes:
        if length > len(self._data) - self._at:
            raise BadValueError(f"the call of a route ends after {len(self._data)} bytes")
        self._at += length
        return self._data[self._at - length : self._at]

    def number(self, length: int) -> int:
        return int.from_bytes(self.taken(length))

    def address(self) -> str:
        return "0x" + self.taken(_ADDRESS).hex()


def _pair(reader: _Reader, _: int, pool: str, token_in: str, token_out: str) -> ChainHop:
    fee = reader.number(_FEE)
    return PairHop(pool=pool, token_in=token_in, token_out=token_out, fee_pips=fee)


def _concentrated(_: _Reader, __: int, pool: str, token_in: str, token_out: str) -> ChainHop:
    return ConcentratedHop(pool=pool, token_in=token_in, token_out=token_out)


def _solidly(_: _Reader, __: int, pool: str, token_in: str, token_out: str) -> ChainHop:
    return SolidlyHop(pool=pool, token_in=token_in, token_out=token_out)


def _v4(reader: _Reader, first: int, pool: str, token_in: str, token_out: str) -> ChainHop:
    return V4Hop(
        pool=pool,
        token_in=token_in,
        token_out=token_out,
        fee_pips=reader.number(_FEE),
        tick_spacing=reader.number(_SPACING),
        is_coin_in=bool(first & _COIN_IN),
        is_coin_out=bool(first & _COIN_OUT),
    )


def _vault(reader: _Reader, _: int, pool: str, token_in: str, token_out: str) -> ChainHop:
    pool_id = "0x" + reader.taken(_POOL_ID).hex()
    return VaultHop(pool=pool, token_in=token_in, token_out=token_out, pool_id=pool_id)


def _curve(reader: _Reader, first: int, pool: str, token_in: str, token_out: str) -> ChainHop:
    indices = reader.number(1)
    return CurveHop(
        pool=pool,
        token_in=token_in,
        token_out=token_out,
        index_in=indices >> 4,
        index_out=indices & 0x0F,
        is_unsigned=bool(first & _UNSIGNED),
    )


_MAKERS: Final[dict[int, Callable[[_Reader, int, str, str, str], ChainHop]]] = {
    _PAIR: _pair,
    _CONCENTRATED: _concentrated,
    _SOLIDLY: _solidly,
    _V4: _v4,
    _VAULT: _vault,
    _CURVE: _curve,
}


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
