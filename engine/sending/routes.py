"""A plan as the route that a transaction carries out: every bound as tight as the plan's.

Pure. What a plan leaves open is settled here: who lends, and how each pool is called. A pool that
gives before it is paid lends for nothing; else whoever lends is named by the chain's terms.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final

import msgspec

from engine.domain.chains import DEADLINE_BLOCKS, block_ms
from engine.domain.errors import BadValueError
from engine.domain.handed import PoolTerms
from engine.domain.plans import AtomicPlan, MixedPlan, Step
from engine.domain.pools import Pool, Protocol
from engine.domain.routes_on_chain import (
    BPS,
    GIVES_FIRST,
    PIPS,
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
from engine.domain.tokens import NATIVE_ADDRESS
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.portfolio.costs import EXACT

_PAIRS: Final = frozenset(
    {
        Protocol.UNISWAP_V2,
        Protocol.SUSHISWAP_V2,
        Protocol.PANCAKESWAP_V2,
        Protocol.QUICKSWAP_V2,
        Protocol.BASESWAP_V2,
        Protocol.BISWAP_V2,
    }
)
_SOLIDLY: Final = frozenset(
    {Protocol.AERODROME_V2, Protocol.VELODROME_V2, Protocol.THENA_V1, Protocol.CAMELOT_V2}
)
_IN_VAULT: Final = frozenset({Protocol.BALANCER_WEIGHTED, Protocol.BALANCER_STABLE})
_CONCENTRATED: Final = frozenset(
    {
        Protocol.UNISWAP_V3,
        Protocol.SUSHISWAP_V3,
        Protocol.PANCAKESWAP_V3,
        Protocol.QUICKSWAP_V3,
        Protocol.CAMELOT_V3,
        Protocol.THENA_FUSION,
        Protocol.AERODROME_SLIPSTREAM,
        Protocol.VELODROME_SLIPSTREAM,
    }
)


class RouteTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What of a chain a call has to name.

    Attributes:
        chain_id: of the chain.
        contract: of ours, which is called.
        wrapped: token of the chain's own asset.
        v4_manager, vault: of Uniswap V4 and Balancer; empty where there is none.
        aave: Aave's pool, which lends where no pool of the route does; empty where there is none.
        aave_fee_bps: what it takes.
        tip_bps: share of a gain in the wrapped coin for whoever makes the block.
    """

    chain_id: int
    contract: str
    wrapped: str
    v4_manager: str = ""
    vault: str = ""
    aave: str = ""
    aave_fee_bps: Decimal = Decimal(5)
    tip_bps: int = 0


def route_of(plan: AtomicPlan, pools: Sequence[PoolTerms], terms: RouteTerms) -> ChainRoute:
    """Return what the transaction of a plan does.

    Raises:
        BadValueError: no call of our contract does that; the text says why.
    """
    if len(pools) != len(plan.steps):
        raise BadValueError(f"{plan.plan_id} has {len(plan.steps)} steps, {len(pools)} pools known")
    hops = tuple(_hop(step, known, terms) for step, known in zip(plan.steps, pools, strict=True))
    first, last = plan.steps[0], plan.steps[-1]
    amount_raw = _exact_raw(first.amount_in, first.decimals_in)
    source = _source(plan, hops, amount_raw, terms)
    tip_bps = terms.tip_bps if source.token == terms.wrapped else 0
    back_min_raw = _ceil_raw(last.amount_out_min, last.decimals_out)
    least_raw = max(
        _ceil_raw(plan.profit_min_quote, first.decimals_in),
        -(-(back_min_raw - amount_raw - source.fee_raw) * (10_000 - tip_bps) // 10_000),
        1,
    )
    wait_ns = DEADLINE_BLOCKS * block_ms(plan.chain) * NS_PER_MS
    return ChainRoute(
        chain_id=terms.chain_id,
        contract=terms.contract,
        source=source,
        hops=hops,
        profit_min_raw=least_raw,
        deadline_ts=(plan.deadline_ns + wait_ns) // NS_PER_S,
        tip_bps=tip_bps,
    )


def swap_of(
    plan: MixedPlan, pools: Sequence[PoolTerms], terms: RouteTerms, *, until_ns: int
) -> ChainSwap:
    """Return what the transaction of a plan of orders and a transaction does.

    Args:
        plan: with the amounts that are to be traded: of what follows those in proportion.
        pools: of its steps.
        terms: of the chain.
        until_ns: instant until which it may leave (wall clock); blocks take it a little longer.

    Raises:
        BadValueError: no call of our contract does that; the text says why.
    """
    if len(pools) != len(plan.steps):
        raise BadValueError(f"{plan.plan_id} has {len(plan.steps)} steps, {len(pools)} pools known")
    hops = tuple(_hop(step, known, terms) for step, known in zip(plan.steps, pools, strict=True))
    first, last = plan.steps[0], plan.steps[-1]
    wait_ns = DEADLINE_BLOCKS * block_ms(plan.chain) * NS_PER_MS
    return ChainSwap(
        chain_id=terms.chain_id,
        contract=terms.contract,
        token_in=hops[0].token_in,
        amount_in_raw=_exact_raw(first.amount_in, first.decimals_in),
        token_out=hops[-1].token_out,
        amount_out_min_raw=max(_ceil_raw(last.amount_out_min, last.decimals_out), 1),
        hops=hops,
        deadline_ts=(until_ns + wait_ns) // NS_PER_S,
    )


def gains_expected_raw(plan: AtomicPlan, route: ChainRoute) -> range:
    """Return what a route may gain if it is as planned; see `gain_expected_raw`.

    Of a fee that is no whole number of units Aave takes the nearest or the next, by its version.
    """
    least_raw = gain_expected_raw(plan, route)
    return range(least_raw, least_raw + 1 + (route.source.kind is SourceKind.AAVE_V3))


def gain_expected_raw(plan: AtomicPlan, route: ChainRoute) -> int:
    """Return what a route gains exactly as planned, before the builder's tip, in raw units."""
    last = plan.steps[-1]
    back_raw = _exact_raw(last.amount_out, last.decimals_out)
    return back_raw - route.source.amount_raw - route.source.fee_raw


def _source(
    plan: AtomicPlan, hops: tuple[ChainHop, ...], amount_raw: int, terms: RouteTerms
) -> Source:
    token = hops[0].token_in
    if not plan.has_flash_loan:
        return Source(kind=SourceKind.OWN, token=token, amount_raw=amount_raw)
    is_again = any(hop.pool == hops[0].pool for hop in hops[1:])
    if isinstance(hops[0], GIVES_FIRST) and (isinstance(hops[0], V4Hop) or not is_again):
        return Source(kind=SourceKind.FIRST_HOP, token=token, amount_raw=amount_raw)
    if not terms.aave:
        raise BadValueError(f"nobody lends {token} for {plan.plan_id} on {plan.chain}")
    fee_raw = _whole(EXACT.divide(EXACT.multiply(Decimal(amount_raw), terms.aave_fee_bps), BPS))
    return Source(
        kind=SourceKind.AAVE_V3,
        token=token,
        amount_raw=amount_raw,
        address=terms.aave,
        fee_raw=fee_raw,
    )


def _hop(step: Step, known: PoolTerms, terms: RouteTerms) -> ChainHop:
    pool = known.pool
    address = pool.address.lower()
    if address != step.address.lower() or not pool.token_addresses:
        raise BadValueError(f"{step.address} at {step.venue} is not known by its tokens' addresses")
    index_in, index_out = pool.token_index(step.source), pool.token_index(step.target)
    told_in, told_out = (pool.token_addresses[one].lower() for one in (index_in, index_out))
    token_in, token_out = (
        terms.wrapped if one == NATIVE_ADDRESS else one for one in (told_in, told_out)
    )
    if pool.protocol in _PAIRS:
        return PairHop(
            pool=address, token_in=token_in, token_out=token_out, fee_pips=_fee_pips(pool)
        )
    if pool.protocol in _CONCENTRATED:
        return ConcentratedHop(pool=address, token_in=token_in, token_out=token_out)
    if pool.protocol in _SOLIDLY:
        return SolidlyHop(pool=address, token_in=token_in, token_out=token_out)
    if pool.protocol is Protocol.UNISWAP_V4 and terms.v4_manager:
        return V4Hop(
            pool=terms.v4_manager,
            token_in=token_in,
            token_out=token_out,
            fee_pips=_fee_pips(pool),
            tick_spacing=known.tick_spacing,
            is_coin_in=told_in == NATIVE_ADDRESS,
            is_coin_out=told_out == NATIVE_ADDRESS,
        )
    if pool.protocol in _IN_VAULT and terms.vault:
        return VaultHop(
            pool=terms.vault,
            token_in=token_in,
            token_out=token_out,
            pool_id=address,
        )
    if pool.protocol is Protocol.CURVE:
        return CurveHop(
            pool=address,
            token_in=token_in,
            token_out=token_out,
            index_in=index_in,
            index_out=index_out,
        )
    raise BadValueError(f"no call of ours swaps at {pool}, {pool.pool_id}")


def _fee_pips(pool: Pool) -> int:
    pips = pool.fee_ratio * PIPS
    if pips != int(pips):
        raise BadValueError(f"the fee of {pool}, {pool.pool_id}, is no whole number of millionths")
    return int(pips)


def _exact_raw(amount: Decimal, decimals: int) -> int:
    scaled = amount.scaleb(decimals)
    if scaled != int(scaled):
        raise BadValueError(f"{amount:f} is no whole number of units of a token of {decimals}")
    return int(scaled)


def _ceil_raw(amount: Decimal, decimals: int) -> int:
    return _whole(amount.scaleb(decimals, EXACT))


def _whole(amount: Decimal) -> int:
    """Round up: a division of decimals by `//` would cut off, whatever the sign."""
    return int(amount.to_integral_value(ROUND_CEILING, EXACT))
