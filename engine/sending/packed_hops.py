"""Hops of a route as packed bytes, and back: what a call for a round and one for a swap share.

The layout is in `docs/contract.md`; `contracts/src/libraries/Route.sol` reads it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from eth_hash.auto import keccak

from engine.domain.errors import BadValueError
from engine.domain.routes_on_chain import (
    ChainHop,
    ConcentratedHop,
    CurveHop,
    PairHop,
    SolidlyHop,
    V4Hop,
    VaultHop,
)

# Of a hop's first byte: what it is, and what is so of it.
_PAIR, _CONCENTRATED, _SOLIDLY, _V4, _VAULT, _CURVE = range(1, 7)
_KIND: Final = 0x0F
_END: Final = 0x80
"""It gives the token that the route ends in, whose address is then left out."""

_COIN_IN: Final = 0x10
_COIN_OUT: Final = 0x20
_UNSIGNED: Final = 0x10

WORD: Final = 32
_ADDRESS, _FEE, _SPACING, _POOL_ID = 20, 3, 2, 32


class Reader:
    """Takes bytes from the front; more than there are is an error."""

    def __init__(self, data: bytes, start: int) -> None:
        """Begin somewhere."""
        self._data = data
        self._at = start

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._data)

    def taken(self, length: int) -> bytes:
        """Take so many bytes.

        Raises:
            BadValueError: there are fewer.
        """
        if length > len(self._data) - self._at:
            raise BadValueError(f"the call of a route ends after {len(self._data)} bytes")
        self._at += length
        return self._data[self._at - length : self._at]

    def number(self, length: int) -> int:
        """Take a number of so many bytes."""
        return int.from_bytes(self.taken(length))

    def address(self) -> str:
        """Take an address of 20 bytes."""
        return "0x" + self.taken(_ADDRESS).hex()


def packed_hops(hops: Sequence[ChainHop], end: str) -> bytes:
    """Return the bytes of hops.

    Args:
        hops: of a route, in order.
        end: token that the route ends in.
    """
    parts = []
    for hop in hops:
        is_end = hop.token_out == end
        kind, terms = _terms(hop)
        parts += [bytes([kind | (_END if is_end else 0)]), bytes_of(hop.pool)]
        parts += [terms] if is_end else [bytes_of(hop.token_out), terms]
    return b"".join(parts)


def read_hops(reader: Reader, token: str, end: str) -> tuple[ChainHop, ...]:
    """Read hops until the end of the bytes.

    Args:
        reader: that stands at the first one.
        token: that the first one takes.
        end: token that the route ends in.

    Raises:
        BadValueError: they are none.
    """
    hops: list[ChainHop] = []
    while not reader.is_empty:
        hops.append(_hop(reader, hops[-1].token_out if hops else token, end))
    return tuple(hops)


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
    return "0x" + keccak(b"".join(word.to_bytes(WORD) for word in key)).hex()


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
            terms = hop.fee_pips.to_bytes(_FEE) + hop.tick_spacing.to_bytes(_SPACING)
            return _V4 | coins, terms
        case VaultHop():
            return _VAULT, bytes_of(hop.pool_id)
        case CurveHop():
            return _CURVE | hop.is_unsigned * _UNSIGNED, bytes([hop.index_in << 4 | hop.index_out])


def _hop(reader: Reader, token_in: str, end: str) -> ChainHop:
    first = reader.number(1)
    make = _MAKERS.get(first & _KIND)
    if make is None:
        raise BadValueError(f"hop of kind {first & _KIND} in a route is none of {list(_MAKERS)}")
    pool = reader.address()
    return make(reader, first, pool, token_in, end if first & _END else reader.address())


def _pair(reader: Reader, _: int, pool: str, token_in: str, token_out: str) -> ChainHop:
    fee = reader.number(_FEE)
    return PairHop(pool=pool, token_in=token_in, token_out=token_out, fee_pips=fee)


def _concentrated(_: Reader, __: int, pool: str, token_in: str, token_out: str) -> ChainHop:
    return ConcentratedHop(pool=pool, token_in=token_in, token_out=token_out)


def _solidly(_: Reader, __: int, pool: str, token_in: str, token_out: str) -> ChainHop:
    return SolidlyHop(pool=pool, token_in=token_in, token_out=token_out)


def _v4(reader: Reader, first: int, pool: str, token_in: str, token_out: str) -> ChainHop:
    return V4Hop(
        pool=pool,
        token_in=token_in,
        token_out=token_out,
        fee_pips=reader.number(_FEE),
        tick_spacing=reader.number(_SPACING),
        is_coin_in=bool(first & _COIN_IN),
        is_coin_out=bool(first & _COIN_OUT),
    )


def _vault(reader: Reader, _: int, pool: str, token_in: str, token_out: str) -> ChainHop:
    pool_id = "0x" + reader.taken(_POOL_ID).hex()
    return VaultHop(pool=pool, token_in=token_in, token_out=token_out, pool_id=pool_id)


def _curve(reader: Reader, first: int, pool: str, token_in: str, token_out: str) -> ChainHop:
    indices = reader.number(1)
    return CurveHop(
        pool=pool,
        token_in=token_in,
        token_out=token_out,
        index_in=indices >> 4,
        index_out=indices & 0x0F,
        is_unsigned=bool(first & _UNSIGNED),
    )


_MAKERS: Final[dict[int, Callable[[Reader, int, str, str, str], ChainHop]]] = {
    _PAIR: _pair,
    _CONCENTRATED: _concentrated,
    _SOLIDLY: _solidly,
    _V4: _v4,
    _VAULT: _vault,
    _CURVE: _curve,
}


def bytes_of(text: str) -> bytes:
    """Return the bytes of an address or id in text."""
    return bytes.fromhex(text[2:])
