"""Routes for tests: some that a person can read, and any that can be."""

from itertools import pairwise

from hypothesis import strategies as st

from engine.domain.routes_on_chain import (
    AMOUNT_RAW_MAX,
    BPS,
    CHAIN_ID_MAX,
    CURVE_INDEX_MAX,
    DEADLINE_TS_MAX,
    FREE,
    GIVES_FIRST,
    HOPS_MAX,
    LENDERLESS,
    OF_PAIRS,
    PIPS,
    TICK_SPACING_MAX,
    ChainHop,
    ChainRoute,
    ChainSwap,
    ConcentratedHop,
    CurveHop,
    PairHop,
    SolidlyHop,
    Source,
    SourceKind,
    V4Hop,
    VaultHop,
)


def address(number: int) -> str:
    """Return an address of which no byte is like its neighbour."""
    return "0x" + bytes((number * 29 + index * 7 + 1) % 256 for index in range(20)).hex()


WETH, USDC, DAI = address(1), address(2), address(3)
CONTRACT = address(9)
POOLS = [address(20 + index) for index in range(6)]

AWAY: tuple[ChainHop, ...] = (
    PairHop(pool=POOLS[0], token_in=WETH, token_out=USDC, fee_pips=2_500),
    ConcentratedHop(pool=POOLS[1], token_in=USDC, token_out=DAI),
    SolidlyHop(pool=POOLS[2], token_in=DAI, token_out=USDC),
    V4Hop(
        pool=POOLS[3],
        token_in=USDC,
        token_out=WETH,
        fee_pips=500,
        tick_spacing=10,
        is_coin_out=True,
    ),
    VaultHop(pool=POOLS[4], token_in=WETH, token_out=USDC, pool_id="0x" + "5a" * 32),
    CurveHop(pool=POOLS[5], token_in=USDC, token_out=DAI, index_in=0, index_out=2),
)
HOME = CurveHop(
    pool=POOLS[5], token_in=DAI, token_out=WETH, index_in=2, index_out=1, is_unsigned=True
)


def route_of(
    kind: SourceKind, hops: tuple[ChainHop, ...] = (*AWAY, HOME), tip_bps: int = 9_000
) -> ChainRoute:
    """Return a route that a source pays for."""
    return ChainRoute(
        chain_id=8_453,
        contract=CONTRACT,
        source=Source(
            kind=kind,
            token=hops[0].token_in,
            amount_raw=3 * 10**18,
            address="" if kind in LENDERLESS else address(8),
            fee_raw=0 if kind in FREE else 10**15 + 7,
            is_token0=kind in OF_PAIRS,
        ),
        hops=hops,
        profit_min_raw=10**16 + 1,
        deadline_ts=1_800_000_000,
        tip_bps=tip_bps,
    )


def swap_of(hops: tuple[ChainHop, ...] = AWAY) -> ChainSwap:
    """Return a swap through pools."""
    return ChainSwap(
        chain_id=8_453,
        contract=CONTRACT,
        token_in=hops[0].token_in,
        amount_in_raw=3 * 10**18,
        token_out=hops[-1].token_out,
        amount_out_min_raw=10**16 + 1,
        hops=hops,
        deadline_ts=1_800_000_000,
    )


SWAPS = [swap_of(), *(swap_of((hop,)) for hop in AWAY)]
"""One through pools of every kind, and one through each."""

EXAMPLES = [route_of(kind) for kind in SourceKind]

addresses = st.binary(min_size=20, max_size=20).map(lambda some: "0x" + some.hex())
amounts = st.integers(0, AMOUNT_RAW_MAX)


@st.composite
def hops(draw: st.DrawFn, pool: str, token_in: str, token_out: str) -> ChainHop:
    both = {"pool": pool, "token_in": token_in, "token_out": token_out}
    match draw(st.integers(0, 5)):
        case 0:
            return PairHop(**both, fee_pips=draw(st.integers(0, PIPS - 1)))
        case 1:
            return ConcentratedHop(**both)
        case 2:
            return SolidlyHop(**both)
        case 3:
            coins = draw(st.sampled_from([(False, False), (True, False), (False, True)]))
            return V4Hop(
                **both,
                fee_pips=draw(st.integers(0, PIPS)),
                tick_spacing=draw(st.integers(1, TICK_SPACING_MAX)),
                is_coin_in=coins[0],
                is_coin_out=coins[1],
            )
        case 4:
            return VaultHop(**both, pool_id="0x" + draw(st.binary(min_size=32, max_size=32)).hex())
        case _:
            indices = st.integers(0, CURVE_INDEX_MAX)
            one, other = draw(st.lists(indices, min_size=2, max_size=2, unique=True))
            return CurveHop(**both, index_in=one, index_out=other, is_unsigned=draw(st.booleans()))


@st.composite
def routes(draw: st.DrawFn) -> ChainRoute:
    tokens = draw(st.lists(addresses, min_size=2, max_size=HOPS_MAX, unique=True))
    count = len(tokens)
    # No pool swaps while it lends, so all are different.
    lender, *pools = draw(st.lists(addresses, min_size=count + 1, max_size=count + 1, unique=True))
    ways = zip(pools, tokens, [*tokens[1:], tokens[0]], strict=True)
    drawn = tuple(draw(hops(*way)) for way in ways)
    kind = draw(st.sampled_from(SourceKind))
    if kind is SourceKind.FIRST_HOP and not isinstance(drawn[0], GIVES_FIRST):
        kind = SourceKind.OWN
    return ChainRoute(
        chain_id=draw(st.integers(1, CHAIN_ID_MAX)),
        contract=draw(addresses),
        source=Source(
            kind=kind,
            token=tokens[0],
            amount_raw=draw(st.integers(1, AMOUNT_RAW_MAX)),
            address="" if kind in LENDERLESS else lender,
            fee_raw=0 if kind in FREE else draw(amounts),
            is_token0=kind in OF_PAIRS and draw(st.booleans()),
        ),
        hops=drawn,
        profit_min_raw=draw(amounts),
        deadline_ts=draw(st.integers(0, DEADLINE_TS_MAX)),
        tip_bps=draw(st.integers(0, BPS)),
    )


@st.composite
def swaps(draw: st.DrawFn) -> ChainSwap:
    tokens = draw(st.lists(addresses, min_size=2, max_size=HOPS_MAX + 1, unique=True))
    if len(tokens) > 3:  # a route may pass through a token of its ends
        tokens[1 + draw(st.integers(0, len(tokens) - 4))] = draw(
            st.sampled_from([tokens[0], tokens[-1]])
        )
    ways = [way for way in pairwise(tokens) if way[0] != way[1]]
    return ChainSwap(
        chain_id=draw(st.integers(1, CHAIN_ID_MAX)),
        contract=draw(addresses),
        token_in=tokens[0],
        amount_in_raw=draw(st.integers(1, AMOUNT_RAW_MAX)),
        token_out=tokens[-1],
        amount_out_min_raw=draw(st.integers(1, AMOUNT_RAW_MAX)),
        hops=tuple(draw(hops(draw(addresses), *way)) for way in ways),
        deadline_ts=draw(st.integers(0, DEADLINE_TS_MAX)),
    )
