"""What a transaction that is really sent may pay for gas: its whole limit, at fees until its end.

A decision is made at the prices of one block, and the transaction lands in a later one: its limit
is above what it will use, as refunds come after it, and each full block in between raises the base
fee by an eighth. What is approved can pay for all of that, so that whoever sends has no reason to
refuse it; what is expected is said apart, and profits are reckoned with that.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

import msgspec

from engine.domain.chains import CHAINS, DEADLINE_BLOCKS, BlockTerms, GasModel
from engine.domain.gas import GasPrice, grown_wei, with_margin
from engine.domain.plans import GasBound
from engine.domain.pools import Pool, Protocol
from engine.domain.units import BPS_PER_UNIT, GWEI_DECIMALS, NATIVE_DECIMALS
from engine.portfolio.costs import EXACT, ceil_to_quote_step

TELLING_MS: Final = 3_000
"""A chain's price is read again no sooner than after so long: it may be as old."""

BLOCKS_MAX: Final = 8
"""Base fees that are foretold for longer than so many blocks would allow any price: 2.6 times as
much. Chains with faster blocks (Arbitrum) move theirs by seconds, not by blocks."""

L1_BLOCKS: Final = 2
"""Blocks of Ethereum while a plan lives, each of which may raise the price of bytes."""

LOAN_GAS: Final = 140_000
"""What a lender takes beside the swaps where no pool gives first; Aave's, the dearest."""

ALLOWANCE_GAS: Final = 47_000
"""What allows our contract a token, by a transaction of its own; see `contracts/snapshots`."""

SWAP_GAS: Final = 45_000
"""What a swap takes beside those of its pools: of the wallet, and back to it."""

_NEVER_FIRST: Final = frozenset(
    {Protocol.BALANCER_WEIGHTED, Protocol.BALANCER_STABLE, Protocol.CURVE}
)
"""Pools that want to be paid before they give."""


class LiveGas(msgspec.Struct, frozen=True, kw_only=True):
    """How a chain's transactions are bound.

    Attributes:
        blocks: that may raise the base fee between its price and the transaction's last block.
        bid_share_bps: see `BlockTerms`.
    """

    blocks: int
    bid_share_bps: int = 0


def blocks_until_end(block_ms: int, ttl_ms: int) -> int:
    """Return how many blocks may come between a decision's price and the last that may hold it.

    Args:
        block_ms: time between two; 0 if nobody says.
        ttl_ms: so long after the decision it may still be sent.
    """
    if block_ms <= 0:
        return BLOCKS_MAX
    waits_ms = max(TELLING_MS, block_ms) + ttl_ms
    return min(-(waits_ms // -block_ms) + DEADLINE_BLOCKS, BLOCKS_MAX)


def live_gas(chains: Mapping[str, BlockTerms], ttl_ms: int) -> dict[str, LiveGas]:
    """Return how the transactions of each chain are bound; see `blocks_until_end`."""
    return {
        chain: LiveGas(
            blocks=blocks_until_end(one.block_ms, ttl_ms), bid_share_bps=one.bid_share_bps
        )
        for chain, one in chains.items()
    }


def needs_loan(pools: Sequence[Pool]) -> bool:
    """Say whether somebody else than the first pool has to lend what it takes."""
    first, *others = pools
    is_again = any(one.address == first.address for one in others)
    return first.protocol in _NEVER_FIRST or (
        is_again and first.protocol is not Protocol.UNISWAP_V4
    )


def live_bound(
    paper: GasBound,
    price: GasPrice,
    pools: Sequence[Pool],
    terms: LiveGas,
    *,
    gain: Decimal,
    rate: Decimal | None,
    is_swap: bool = False,
) -> GasBound:
    """Return what a transaction may pay, and what it is expected to.

    Args:
        paper: the same at prices of now.
        price: of a unit and of bytes.
        pools: that it goes through.
        terms: of the chain.
        gain: before gas, loan paid, in the asset that the route starts and ends in.
        rate: of that asset for one of the chain's own; None if it is the chain's own.
        is_swap: it gives one token of the wallet for another, and what allows that goes ahead of
            it: both are bound together. Else it is a round, which somebody may have to lend for.
    """
    loan_gas = LOAN_GAS if needs_loan(pools) else 0
    units = paper.units + (ALLOWANCE_GAS + SWAP_GAS if is_swap else loan_gas)
    tip_gwei = Decimal(0) if price.tips is None else price.tips.now
    base_wei, tip_wei = _wei(price.gwei - tip_gwei), _wei(tip_gwei)
    # Of rollups the bytes of what allows it are those of one more transaction, of one call.
    data_raw = price.data_raw(len(pools)) + (price.data_raw(1) if is_swap else 0)
    limit_units, data_wei = with_margin(units), grown_wei(data_raw, L1_BLOCKS)
    most_wei = limit_units * (grown_wei(base_wei, terms.blocks) + tip_wei)
    if data_wei and _has_bytes_as_gas(pools[0].chain):
        limit_units += -(data_wei // -max(base_wei, 1))
        most_wei, data_wei = most_wei + data_wei, 0
    native = gain if rate is None else EXACT.divide(gain, rate)
    gain_wei = native.scaleb(NATIVE_DECIMALS, EXACT)
    left_wei = max(int(gain_wei.to_integral_value(ROUND_FLOOR)) - most_wei - data_wei, 0)
    bid_wei = left_wei * terms.bid_share_bps // BPS_PER_UNIT
    # It pays its bid by the unit, for those that it uses.
    expected_wei = units * _wei(price.gwei) + data_raw
    expected_wei += -(bid_wei * units // -limit_units)
    amount, expected = _coins(most_wei + data_wei + bid_wei), _coins(expected_wei)
    return GasBound(
        asset=paper.asset,
        units=units,
        price_gwei=paper.price_gwei,
        amount=amount,
        quote=in_quote(amount, rate),
        data_amount=_coins(data_wei),
        limit_units=limit_units,
        expected=expected,
        expected_quote=in_quote(expected, rate),
        bid=_coins(bid_wei),
    )


def in_quote(amount: Decimal, rate: Decimal | None) -> Decimal:
    """Return an amount of a chain's own asset in the asset of a route, rounded up; see `rate`."""
    return amount if rate is None else ceil_to_quote_step(EXACT.multiply(amount, rate))


def _has_bytes_as_gas(chain: str) -> bool:
    facts = CHAINS.get(chain)
    return facts is not None and facts.gas_model is GasModel.ARBITRUM


def _wei(gwei: Decimal) -> int:
    return int(gwei.scaleb(GWEI_DECIMALS, EXACT).to_integral_value(ROUND_CEILING))


def _coins(wei: int) -> Decimal:
    return Decimal(wei).scaleb(-NATIVE_DECIMALS, EXACT)
