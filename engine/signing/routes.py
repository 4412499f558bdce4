"""Whether a transaction carries out its plan, and nothing else: taken apart, and compared.

What the sender says of the route counts for nothing: the route is what the call's bytes say, and it
has to be the plan's, pool for pool and token for token, with every bound as tight or tighter.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.chains import DEADLINE_BLOCKS, block_ms
from engine.domain.errors import BadValueError
from engine.domain.plans import AtomicPlan, OnChain
from engine.domain.routes_on_chain import BPS, ChainHop, ChainRoute, SourceKind
from engine.domain.signing import Purpose, RefusalKind, SignRefusal
from engine.domain.tokens import Token, is_code
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.sending.encoding import decode
from engine.sending.packed_hops import pool_of
from engine.signing.rules import Given, refused
from engine.signing.worth import check_worth

_WEI_DIGITS: Final = 18
DECIMALS_MAX: Final = 36
DIGITS_MAX: Final = 80
_GAIN_MIN_RAW: Final = 1
"""A transaction that may gain nothing is none of ours."""


def check_route(given: Given, plan: AtomicPlan, *, now_ns: int) -> SignRefusal | None:
    """Look at what carries a plan of one transaction out."""
    if given.intent.purpose is Purpose.ALLOW:
        return refused(RefusalKind.PLAN, "its plan takes nothing by an allowance")
    try:
        route = decode(given.transaction.data, contract=given.transaction.to)
    except BadValueError as error:
        return refused(RefusalKind.CALL, str(error))
    return (
        check_numbers(plan, [plan.profit_min_quote])
        or check_place(plan, route.chain_id, given)
        or check_hops(plan, route.hops)
        or _check_loan(plan, route)
        or _check_gain(plan, route, tip_bps_max=given.terms.tip_bps_max)
        or _check_times(plan, route, given.intent.purpose, now_ns)
        or check_gas(plan, given)
        or check_worth(given)
    )


def check_numbers(plan: OnChain, signed: Sequence[Decimal] = ()) -> SignRefusal | None:
    """A plan comes over a wire: none of its numbers may be what cannot be reckoned with.

    Args:
        plan: of a transaction.
        signed: further numbers of it, which may be below nothing.
    """
    bounded = [
        *(plan.flash_fee, plan.gas.amount, plan.gas.data_amount, plan.gas.quote),
        *(plan.notional_usd, plan.usd_per_quote),
    ]
    for step in plan.steps:
        bounded += [step.amount_in, step.amount_out, step.amount_out_min]
        if not (0 <= step.decimals_in <= DECIMALS_MAX and 0 <= step.decimals_out <= DECIMALS_MAX):
            return refused(RefusalKind.PLAN, f"a token of {step.decimals_in} decimals")
    is_sound = all(
        one.is_finite() and -DIGITS_MAX <= one.adjusted() <= DIGITS_MAX
        for one in (*bounded, *signed)
    )
    if not (plan.steps and is_sound and all(one >= 0 for one in bounded)):
        return refused(RefusalKind.PLAN, "the plan has numbers that cannot be reckoned with")
    return None


def check_place(plan: OnChain, called_id: int, given: Given) -> SignRefusal | None:
    """Call, plan and transaction are of one chain."""
    chain_id = given.transaction.chain_id
    if called_id != chain_id:
        return refused(
            RefusalKind.CHAIN, f"the call is for chain id {called_id}, not for {chain_id}"
        )
    if plan.chain != given.chain:
        return refused(RefusalKind.CHAIN, f"the plan is for {plan.chain}, not for {given.chain}")
    return None


def check_hops(plan: OnChain, hops: Sequence[ChainHop]) -> SignRefusal | None:
    """Each swap is at the pool, and of the tokens, of the plan's step."""
    if len(hops) != len(plan.steps):
        return refused(
            RefusalKind.PLAN, f"it swaps {len(hops)} times, the plan {len(plan.steps)} times"
        )
    for number, (hop, step) in enumerate(zip(hops, plan.steps, strict=True), 1):
        if pool_of(hop) != step.address.lower():
            return refused(
                RefusalKind.PLAN,
                f"swap {number} is at {pool_of(hop)}, in the plan at {step.address}",
            )
        for address, asset, decimals in (
            (hop.token_in, step.source, step.decimals_in),
            (hop.token_out, step.target, step.decimals_out),
        ):
            try:
                is_same = is_of(asset, plan.chain, address, decimals)
            except BadValueError as error:
                return refused(RefusalKind.PLAN, str(error))
            if not is_same:
                return refused(RefusalKind.PLAN, f"swap {number} is of {address}, not of {asset}")
    return None


@lru_cache(maxsize=1_024)
def is_of(asset: AssetCode, chain: str, address: str, decimals: int) -> bool:
    """Say whether an asset is a token; it is the same for ever, and asked of each swap.

    Raises:
        BadValueError: see `tokens.asset_of`.
    """
    return is_code(asset, Token(chain=chain, address=address, decimals=decimals))


def _check_loan(plan: AtomicPlan, route: ChainRoute) -> SignRefusal | None:
    source, first = route.source, plan.steps[0]
    amount_raw = raw_exact(first.amount_in, first.decimals_in)
    if source.amount_raw != amount_raw:
        return refused(
            RefusalKind.PLAN,
            f"it begins with {source.amount_raw} units of {first.source}, the plan with"
            f" {first.amount_in:f} {first.source}",
        )
    if plan.has_flash_loan == (source.kind is SourceKind.OWN):
        says = "borrows" if plan.has_flash_loan else "borrows nothing"
        return refused(RefusalKind.PLAN, f"its source is {source.kind}, and the plan {says}")
    fee_max_raw = raw_floor(plan.flash_fee, first.decimals_in)
    if source.fee_raw > fee_max_raw:
        return refused(
            RefusalKind.PLAN,
            f"its lender may take {source.fee_raw} units, in the plan {fee_max_raw}",
        )
    return None


def _check_gain(plan: AtomicPlan, route: ChainRoute, *, tip_bps_max: int) -> SignRefusal | None:
    first, last = plan.steps[0], plan.steps[-1]
    if route.tip_bps > min(tip_bps_max, BPS - 1):
        return refused(
            RefusalKind.PROFIT, f"the builder gets {route.tip_bps} bps; {tip_bps_max} are allowed"
        )
    least_raw = max(raw_ceil(plan.profit_min_quote, first.decimals_in), _GAIN_MIN_RAW)
    if route.profit_min_raw < least_raw:
        return refused(
            RefusalKind.PROFIT,
            f"it may gain as little as {route.profit_min_raw} units; the plan's least is"
            f" {least_raw}",
        )
    # The steps bound what comes back before the builder has its share.
    back_min_raw = raw_ceil(last.amount_out_min, last.decimals_out)
    paid_raw = route.source.amount_raw + route.source.fee_raw
    gain_min_raw = route.profit_min_raw * BPS // (BPS - route.tip_bps)
    if paid_raw + gain_min_raw < back_min_raw:
        return refused(
            RefusalKind.PROFIT,
            f"it may give back as little as {paid_raw + gain_min_raw} units; the plan's least is"
            f" {back_min_raw}",
        )
    return None


def _check_times(
    plan: AtomicPlan, route: ChainRoute, purpose: Purpose, now_ns: int
) -> SignRefusal | None:
    if purpose is Purpose.ROUTE and now_ns > plan.deadline_ns:
        late_ms = (now_ns - plan.deadline_ns) // NS_PER_MS
        return refused(RefusalKind.DEADLINE, f"the plan ended {late_ms} ms ago")
    if route.deadline_ts * NS_PER_S < now_ns:
        return refused(RefusalKind.DEADLINE, "no block takes it any more: its deadline is past")
    wait_ns = DEADLINE_BLOCKS * block_ms(plan.chain) * NS_PER_MS
    latest_ts = -((plan.deadline_ns + wait_ns) // -NS_PER_S)
    if route.deadline_ts > latest_ts:
        return refused(
            RefusalKind.DEADLINE,
            f"it could land until {route.deadline_ts}; the plan ends by {latest_ts}",
        )
    return None


def check_gas(plan: OnChain, given: Given) -> SignRefusal | None:
    """All that a plan's transactions may pay for gas is within its bound."""
    bound_wei = raw_floor(plan.gas.amount - plan.gas.data_amount, _WEI_DIGITS)
    gas_wei = given.transaction.gas_max_wei + given.beside_wei
    if gas_wei > bound_wei:
        return refused(
            RefusalKind.GAS,
            f"it may pay {gas_wei} wei for gas; its plan allows {bound_wei} wei",
        )
    return None


def raw_exact(amount: Decimal, decimals: int) -> int | None:
    """Return an amount in raw units; None if it is no whole number of them."""
    whole, rest = _raw(amount, decimals)
    return None if rest else whole


def raw_floor(amount: Decimal, decimals: int) -> int:
    """Return an amount in raw units, rounded down."""
    return _raw(amount, decimals)[0]


def raw_ceil(amount: Decimal, decimals: int) -> int:
    """Return an amount in raw units, rounded up."""
    whole, rest = _raw(amount, decimals)
    return whole + bool(rest)


def _raw(amount: Decimal, decimals: int) -> tuple[int, int]:
    """Return whole raw units and what is left, by integers: a context of decimals would round."""
    above, below = amount.as_integer_ratio()
    return divmod(above * int(10**decimals), below)
