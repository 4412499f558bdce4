"""Routes as one transaction carries them out on a chain: facts alone, amounts in raw units.

Which token a pool counts first follows from the addresses, so no direction stands anywhere.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from engine.domain.errors import BadValueError

BPS: Final = 10_000
PIPS: Final = 1_000_000
AMOUNT_RAW_MAX: Final = 2**127 - 1
"""What Uniswap V4 counts with; more than any token that is traded has units."""

CHAIN_ID_MAX: Final = 2**64 - 1
DEADLINE_TS_MAX: Final = 2**40 - 1
HOPS_MAX: Final = 8
TICK_SPACING_MAX: Final = 32_767
CURVE_INDEX_MAX: Final = 7

_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}")
_POOL_ID: Final = re.compile(r"0x[0-9a-f]{64}")


class SourceKind(StrEnum):
    """Where what the first hop gives comes from."""

    OWN = "own"
    """What the contract holds."""

    FIRST_HOP = "first_hop"
    """The first hop's pool, which gives first and is paid when the route is done: no fee."""

    AAVE_V3 = "aave_v3"
    BALANCER_V2 = "balancer_v2"
    UNISWAP_V2 = "uniswap_v2"
    UNISWAP_V3 = "uniswap_v3"
    UNISWAP_V4 = "uniswap_v4"


LENDERLESS: Final = frozenset((SourceKind.OWN, SourceKind.FIRST_HOP))
FREE: Final = LENDERLESS | {SourceKind.UNISWAP_V4}
"""Sources that take no fee."""

LOCKED_WHILE_LENDING: Final = frozenset(
    (SourceKind.BALANCER_V2, SourceKind.UNISWAP_V2, SourceKind.UNISWAP_V3)
)

OF_PAIRS: Final = frozenset((SourceKind.UNISWAP_V2, SourceKind.UNISWAP_V3))


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where what the first hop gives comes from.

    Attributes:
        address: of who lends: Aave's pool, Balancer's vault, a pair, a pool, V4's manager; empty
            where nobody does.
        token: that the route starts and ends in.
        amount_raw: what the first hop gives.
        fee_raw: the most that the lender may take; of a pair of Uniswap V2 exactly what it gets.
        is_token0: of a pair or pool of Uniswap: whether `token` is its first one.
    """

    kind: SourceKind
    token: str
    amount_raw: int
    address: str = ""
    fee_raw: int = 0
    is_token0: bool = False

    def __post_init__(self) -> None:
        _check_address("token of a source", self.token)
        _check_range("amount_raw of a source", self.amount_raw, 1, AMOUNT_RAW_MAX)
        _check_range("fee_raw of a source", self.fee_raw, 0, AMOUNT_RAW_MAX)
        if self.kind not in LENDERLESS:
            _check_address(f"lender {self.kind}", self.address)
        elif self.address:
            raise BadValueError(f"source {self.kind} has nobody who lends, not {self.address[:50]}")
        if self.fee_raw and self.kind in FREE:
            raise BadValueError(f"source {self.kind} takes no fee, not {self.fee_raw}")
        if self.is_token0 and self.kind not in OF_PAIRS:
            raise BadValueError(f"source {self.kind} has no first token")


class _Hop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """A swap of all that the hop before gave.

    Attributes:
        pool: the contract that is called.
        token_in, token_out: the wrapped coin where a pool of V4 holds the coin itself.
    """

    pool: str
    token_in: str
    token_out: str

    def __post_init__(self) -> None:
        _check_address("pool of a hop", self.pool)
        _check_address("token_in of a hop", self.token_in)
        _check_address("token_out of a hop", self.token_out)
        if self.token_in == self.token_out:
            raise BadValueError(f"a hop at {self.pool} is from {self.token_in} to itself")


class PairHop(_Hop, frozen=True, kw_only=True, tag="uniswap_v2"):
    """A pair with the functions of Uniswap V2, whatever its fee.

    Attributes:
        fee_pips: millionths of the input.
    """

    fee_pips: int

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range("fee_pips of a pair", self.fee_pips, 0, PIPS - 1)


class ConcentratedHop(_Hop, frozen=True, kw_only=True, tag="uniswap_v3"):
    """A pool with the swap of Uniswap V3: its forks, PancakeSwap V3, Algebra, Slipstream."""


class SolidlyHop(_Hop, frozen=True, kw_only=True, tag="solidly"):
    """A pair that says itself what it gives: Aerodrome, Velodrome, Thena V1, Camelot V2."""


class V4Hop(_Hop, frozen=True, kw_only=True, tag="uniswap_v4"):
    """A pool without a hook in the manager of Uniswap V4, which is `pool`.

    Attributes:
        fee_pips, tick_spacing: of its key.
        is_coin_in, is_coin_out: whether the pool holds the coin in place of the wrapped one.
    """

    fee_pips: int
    tick_spacing: int
    is_coin_in: bool = False
    is_coin_out: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range("fee_pips of a pool of V4", self.fee_pips, 0, PIPS)
        _check_range("tick_spacing of a pool of V4", self.tick_spacing, 1, TICK_SPACING_MAX)
        if self.is_coin_in and self.is_coin_out:
            raise BadValueError(f"a hop at {self.pool} is from the coin to itself")


class VaultHop(_Hop, frozen=True, kw_only=True, tag="balancer_v2"):
    """A pool in the vault of Balancer V2, which is `pool`.

    Attributes:
        pool_id: 0x and 64 digits, by which the vault knows it.
    """

    pool_id: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _POOL_ID.fullmatch(self.pool_id):
            raise BadValueError(f"{self.pool_id[:80]!r} is no id of a pool: 0x, 64 small digits")


class CurveHop(_Hop, frozen=True, kw_only=True, tag="curve"):
    """A pool of Curve.

    Attributes:
        index_in, index_out: of the two coins in the pool.
        is_unsigned: whether `exchange` takes them as ``uint256`` (crypto pools), not ``int128``.
    """

    index_in: int
    index_out: int
    is_unsigned: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range("index_in of a pool of Curve", self.index_in, 0, CURVE_INDEX_MAX)
        _check_range("index_out of a pool of Curve", self.index_out, 0, CURVE_INDEX_MAX)
        if self.index_in == self.index_out:
            raise BadValueError(f"a hop at {self.pool} is from coin {self.index_in} to itself")


ChainHop = PairHop | ConcentratedHop | SolidlyHop | V4Hop | VaultHop | CurveHop

GIVES_FIRST: Final = (PairHop, ConcentratedHop, SolidlyHop, V4Hop)
"""Hops whose pool can give before it is paid."""


class ChainRoute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one transaction does.

    Amounts have more than the 64 bits of a number in msgpack: between roles a route goes as its
    calldata beside the contract, which say all of it (`sending.encoding`), or as JSON.

    Attributes:
        contract: which is called.
        profit_min_raw: it reverts if it gains less of the source's token, the tip taken off.
        deadline_ts: it reverts in a block of a later second (Unix time).
        tip_bps: share of the gain that the block's builder gets, where the token is the wrapped
            coin.
    """

    chain_id: int
    contract: str
    source: Source
    hops: tuple[ChainHop, ...]
    profit_min_raw: int
    deadline_ts: int
    tip_bps: int = 0

    def __post_init__(self) -> None:
        _check_range("chain_id", self.chain_id, 1, CHAIN_ID_MAX)
        _check_address("contract of a route", self.contract)
        _check_range("profit_min_raw", self.profit_min_raw, 0, AMOUNT_RAW_MAX)
        _check_range("deadline_ts", self.deadline_ts, 0, DEADLINE_TS_MAX)
        _check_range("tip_bps", self.tip_bps, 0, BPS)
        _check_way(self.hops, self.source.token, self.source.token)
        if self.source.kind is SourceKind.FIRST_HOP and not isinstance(self.hops[0], GIVES_FIRST):
            raise BadValueError(f"{self.hops[0].pool} does not give before it is paid")
        self._check_locks()

    def _check_locks(self) -> None:
        """Check that no pool swaps while it waits to be paid: it is locked until then."""
        locked = ""
        if self.source.kind in LOCKED_WHILE_LENDING:
            locked = self.source.address
        elif self.source.kind is SourceKind.FIRST_HOP and not isinstance(self.hops[0], V4Hop):
            locked = self.hops[0].pool
        later = self.hops[1:] if self.source.kind is SourceKind.FIRST_HOP else self.hops
        if locked and any(hop.pool == locked for hop in later):
            raise BadValueError(f"{locked} does not swap while it waits to be paid")


class ChainSwap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one transaction does that trades a token of its caller's for another one.

    Attributes:
        contract: which is called, and allowed to take exactly `amount_in_raw` of the caller.
        amount_out_min_raw: it reverts if the caller gets less.
        deadline_ts: it reverts in a block of a later second (Unix time).
    """

    chain_id: int
    contract: str
    token_in: str
    amount_in_raw: int
    token_out: str
    amount_out_min_raw: int
    hops: tuple[ChainHop, ...]
    deadline_ts: int

    def __post_init__(self) -> None:
        _check_range("chain_id", self.chain_id, 1, CHAIN_ID_MAX)
        _check_address("contract of a swap", self.contract)
        _check_address("token_in of a swap", self.token_in)
        _check_address("token_out of a swap", self.token_out)
        if self.token_in == self.token_out:
            raise BadValueError(f"a swap is from {self.token_in} to itself")
        _check_range("amount_in_raw of a swap", self.amount_in_raw, 1, AMOUNT_RAW_MAX)
        # One that may give nothing is a gift to whoever comes in between.
        _check_range("amount_out_min_raw of a swap", self.amount_out_min_raw, 1, AMOUNT_RAW_MAX)
        _check_range("deadline_ts", self.deadline_ts, 0, DEADLINE_TS_MAX)
        _check_way(self.hops, self.token_in, self.token_out)


def _check_way(hops: tuple[ChainHop, ...], token: str, end: str) -> None:
    """Check that each hop takes what the one before gave, up to the end."""
    _check_range("number of hops", len(hops), 1, HOPS_MAX)
    for index, hop in enumerate(hops):
        if hop.token_in != token:
            raise BadValueError(f"hop {index} takes {hop.token_in} where {token} is there")
        token = hop.token_out
    if token != end:
        raise BadValueError(f"the route ends in {token}, not in {end}")


@lru_cache(maxsize=1_024)
def _is_address(text: str) -> bool:
    """Say whether a text is an address; of pools and tokens the same come again and again."""
    return _ADDRESS.fullmatch(text) is not None


def _check_address(what: str, address: str) -> None:
    if not _is_address(address):
        raise BadValueError(f"{what} is {address[:50]!r}, no address: 0x and 40 small digits")


def _check_range(what: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise BadValueError(f"{what} is {value}; it must be {least} to {most}")
