"""What a node's own contracts are asked for a quote, by make, to compare ours with."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from eth_abi.abi import decode, encode

from engine.chains.families.uniswap_v4 import tick_spacing_of
from engine.chains.families.words import selector
from engine.chains.ports import Call
from engine.domain.pools import Pool, Protocol
from engine.domain.tokens import NATIVE_ADDRESS
from engine.pools.integers import PIPS

_V4_KEY: Final = "(address,address,uint24,int24,address)"
_FUNDS: Final = "(address,bool,address,bool)"


class Asked(NamedTuple):
    """A quote that is wanted: an exact input of one of a pool's tokens, by their places.

    `quoter` is the contract that answers, where the pool itself does not.
    """

    pool: Pool
    quoter: str
    token_in: int
    token_out: int
    amount_raw: int

    @property
    def both(self) -> list[str]:
        """The addresses of what is paid and what is got."""
        return [self.pool.token_addresses[one] for one in (self.token_in, self.token_out)]


class Way(NamedTuple):
    """A function that quotes: its name, its arguments' types, them, and where the output stands."""

    name: str
    types: tuple[str, ...]
    arguments: Callable[[Asked], tuple[Any, ...]]
    answer: tuple[str, ...]
    output: Callable[[Asked, tuple[Any, ...]], int]
    asks_pool: bool = False


def quote_call(asked: Asked) -> Call:
    """Return the call that answers."""
    way = WAYS[asked.pool.protocol]
    data = selector(f"{way.name}({','.join(way.types)})") + encode(way.types, way.arguments(asked))
    return Call(asked.pool.address if way.asks_pool else asked.quoter, data)


def output_of(asked: Asked, answer: bytes | None) -> int | None:
    """Return what a swap would give, None if it would revert."""
    if answer is None:
        return None
    way = WAYS[asked.pool.protocol]
    return way.output(asked, tuple(decode(way.answer, answer)))


def _fee_pips(pool: Pool) -> int:
    return int(pool.fee_ratio * PIPS)


def _v4_terms(asked: Asked) -> tuple[Any, ...]:
    pool = asked.pool
    first, second = pool.token_addresses
    spacing = tick_spacing_of(pool.address, first, second, _fee_pips(pool))
    key = (first, second, _fee_pips(pool), spacing, NATIVE_ADDRESS)
    return ((key, asked.token_in == 0, asked.amount_raw, b""),)


def _vault_terms(asked: Asked) -> tuple[Any, ...]:
    pool_id = bytes.fromhex(asked.pool.address.removeprefix("0x"))
    nobody = (NATIVE_ADDRESS, False, NATIVE_ADDRESS, False)
    return 0, [(pool_id, 0, 1, asked.amount_raw, b"")], asked.both, nobody


PAIR: Final = Way(
    "getAmountsOut",
    ("uint256", "address[]"),
    lambda asked: (asked.amount_raw, asked.both),
    ("uint256[]",),
    lambda _, said: said[0][-1],
)
"""Asked of a router of the pair's own factory."""

V3: Final = Way(
    "quoteExactInputSingle",
    ("(address,address,uint256,uint24,uint160)",),
    lambda asked: ((*asked.both, asked.amount_raw, _fee_pips(asked.pool), 0),),
    ("uint256", "uint160", "uint32", "uint256"),
    lambda _, said: said[0],
)
"""Asked of QuoterV2."""

V4: Final = Way(
    "quoteExactInputSingle",
    (f"({_V4_KEY},bool,uint128,bytes)",),
    _v4_terms,
    ("uint256", "uint256"),
    lambda _, said: said[0],
)
"""Asked of V4Quoter."""

VAULT: Final = Way(
    "queryBatchSwap",
    ("uint8", "(bytes32,uint256,uint256,uint256,bytes)[]", "address[]", _FUNDS),
    _vault_terms,
    ("int256[]",),
    lambda _, said: -said[0][1],
)

SOLIDLY: Final = Way(
    "getAmountOut",
    ("uint256", "address"),
    lambda asked: (asked.amount_raw, asked.both[0]),
    ("uint256",),
    lambda _, said: said[0],
    asks_pool=True,
)

CURVE: Final = Way(
    "get_dy",
    ("int128", "int128", "uint256"),
    lambda asked: (asked.token_in, asked.token_out, asked.amount_raw),
    ("uint256",),
    lambda _, said: said[0],
    asks_pool=True,
)

WAYS: Final[Mapping[Protocol, Way]] = {
    Protocol.UNISWAP_V2: PAIR,
    Protocol.SUSHISWAP_V2: PAIR,
    Protocol.PANCAKESWAP_V2: PAIR,
    Protocol.QUICKSWAP_V2: PAIR,
    Protocol.UNISWAP_V3: V3,
    Protocol.SUSHISWAP_V3: V3,
    Protocol.PANCAKESWAP_V3: V3,
    Protocol.UNISWAP_V4: V4,
    Protocol.BALANCER_WEIGHTED: VAULT,
    Protocol.BALANCER_STABLE: VAULT,
    Protocol.AERODROME_V2: SOLIDLY,
    Protocol.VELODROME_V2: SOLIDLY,
    Protocol.CURVE: CURVE,
}
"""By protocol; pools of others are compared by their state alone."""
