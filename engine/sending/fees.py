"""What a transaction bids for its place: EIP-1559 fees, within what its plan allows for gas.

All amounts are whole wei. A bid is never more than the plan's bound, whatever becomes of the base
fee: where that is not enough there is no bid, and the sentence says so.
"""

from typing import Final

import msgspec

from engine.chains.gas.base_fee import BASE_FEE_MAX_WEI
from engine.chains.gas.data_fee import L1Terms, data_fee_wei, operator_fee_wei
from engine.chains.gas.rules import GasRule
from engine.domain.errors import BadValueError
from engine.domain.gas import grown_wei
from engine.domain.units import BPS_PER_UNIT

BUMP_BPS: Final = 1_250
"""A node replaces a transaction for an eighth more, of both fees (BNB and others take a tenth)."""

HEADROOM_BLOCKS: Final = 2
"""Blocks that may be full in a row before the fee no longer covers the base fee."""

CANCEL_GAS: Final = 21_000
"""Of a transfer of nothing; a chain that charges bytes as gas is asked."""


class Bid(msgspec.Struct, frozen=True, kw_only=True):
    """What a transaction bids.

    Attributes:
        gas_limit: in units.
        fee_wei: the most for each, base fee and tip together.
        tip_wei: of it, for whoever makes the block.
    """

    gas_limit: int
    fee_wei: int
    tip_wei: int

    def __post_init__(self) -> None:
        if self.gas_limit <= 0 or not 0 <= self.tip_wei <= self.fee_wei or not self.fee_wei:
            raise BadValueError(
                f"a bid of {self.tip_wei} in {self.fee_wei} wei for {self.gas_limit} gas is none"
            )

    @property
    def most_wei(self) -> int:
        """The most that it pays."""
        return self.gas_limit * self.fee_wei

    def outbids(self, before: "Bid") -> bool:
        """Say whether nodes let it take the place of another."""
        return self.fee_wei >= bumped(before.fee_wei) and self.tip_wei >= bumped(before.tip_wei)


class FeeTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What gas costs as of the newest block.

    Attributes:
        base_fee_wei: of the block that comes next.
        tip_wei: what newest blocks were tipped.
        head_base_fee_wei: of the newest block: where the next one's is not foretold exactly, it is
            within an eighth of that.
        l1: what a rollup of the OP stack takes for bytes; None elsewhere.
        gas_of_bytes: where bytes are paid as further gas (Arbitrum), in wei: for any transaction,
            and for each of its swaps; None elsewhere.
    """

    base_fee_wei: int
    tip_wei: int
    head_base_fee_wei: int = 0
    l1: L1Terms | None = None
    gas_of_bytes: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.base_fee_wei <= BASE_FEE_MAX_WEI and self.tip_wei >= 0):
            raise BadValueError(f"base fee {self.base_fee_wei} wei, tip {self.tip_wei} wei")


class NoBid(msgspec.Struct, frozen=True, kw_only=True):
    """There is no bid to be had, and why."""

    why: str


def bumped(wei: int) -> int:
    """Return the least fee that replaces another."""
    return max(-(wei * (BPS_PER_UNIT + BUMP_BPS) // -BPS_PER_UNIT), wei + 1)


def least_tip_wei(terms: FeeTerms, rule: GasRule) -> int:
    """Return the tip below which nobody takes a transaction."""
    if not rule.takes_tips:
        return 0
    return max(rule.tip_wei_min, rule.price_wei_min - terms.base_fee_wei, 0)


def first_bid(
    terms: FeeTerms,
    rule: GasRule,
    *,
    gas_limit: int,
    bound_wei: int,
    place_wei: int = 0,
) -> Bid | NoBid:
    """Return the first bid of a plan.

    Args:
        terms: prices now.
        rule: of the chain.
        gas_limit: that it may use.
        bound_wei: the most that the plan may pay for gas.
        place_wei: of it, for a place in front, where tips decide the order; it is spread over the
            limit, so that no more than that is paid for it.
    """
    cap_wei = bound_wei // gas_limit
    least_wei = least_tip_wei(terms, rule)
    # Of equal tips whoever makes the block takes any first: a wei more than usual is in front.
    tip_wei = max(least_wei, terms.tip_wei + 1, place_wei // gas_limit) if rule.takes_tips else 0
    # What is left beside the base fee goes to the tip; what the base fee may grow by comes second.
    tip_wei = min(tip_wei, cap_wei - terms.base_fee_wei)
    if tip_wei < least_wei or cap_wei < 1:
        return NoBid(
            why=f"gas costs {terms.base_fee_wei + least_wei} wei, and the plan pays {cap_wei} wei"
        )
    rises_from_wei = max(terms.base_fee_wei, terms.head_base_fee_wei)
    return Bid(
        gas_limit=gas_limit,
        # Where gas is free a bid is still one: of a wei, as none is no bid.
        fee_wei=max(1, min(cap_wei, grown_wei(rises_from_wei, HEADROOM_BLOCKS) + tip_wei)),
        tip_wei=tip_wei,
    )


def raised_bid(
    before: Bid, terms: FeeTerms, rule: GasRule, *, bound_wei: int, is_far: bool = False
) -> Bid | NoBid:
    """Return the least bid that takes another's place and covers the base fee.

    Where that was too low by nobody knows how much (`is_far`) it is doubled, as far as there is
    room.
    """
    fee_wei, tip_wei = _raised(before, terms, rule)
    cap_wei = bound_wei // before.gas_limit
    if fee_wei > cap_wei:
        return NoBid(why=f"{fee_wei} wei would replace it, and the plan pays {cap_wei} wei")
    if is_far:
        both = fee_wei, tip_wei
        fee_wei, tip_wei = _doubled(before, both, cap_wei, terms.base_fee_wei)
    return Bid(gas_limit=before.gas_limit, fee_wei=fee_wei, tip_wei=tip_wei)


def cancel_bid(
    before: Bid,
    terms: FeeTerms,
    rule: GasRule,
    *,
    gas_limit: int,
    bound_wei: int,
    is_far: bool = False,
) -> Bid | NoBid:
    """Return the least bid by which nothing takes a transaction's place; see `raised_bid`."""
    fee_wei, tip_wei = _raised(before, terms, rule)
    if fee_wei * gas_limit > bound_wei:
        return NoBid(
            why=f"a cancel costs up to {fee_wei * gas_limit} wei, and {bound_wei} wei are allowed"
        )
    cap_wei = bound_wei // gas_limit
    if is_far:
        both = fee_wei, tip_wei
        fee_wei, tip_wei = _doubled(before, both, cap_wei, terms.base_fee_wei)
    return Bid(gas_limit=gas_limit, fee_wei=fee_wei, tip_wei=tip_wei)


def bytes_gas(terms: FeeTerms, swaps: int) -> int:
    """Return how much gas the bytes of a transaction take, where they are paid so."""
    if terms.gas_of_bytes is None:
        return 0
    fixed_wei, leg_wei = terms.gas_of_bytes
    return -((fixed_wei + swaps * leg_wei) // -max(terms.base_fee_wei, 1))


def bytes_wei(terms: FeeTerms, raw: bytes, *, gas_limit: int) -> int:
    """Return what a rollup of the OP stack takes for a signed transaction beside its gas."""
    if terms.l1 is None:
        return 0
    return data_fee_wei(terms.l1, raw) + operator_fee_wei(terms.l1, gas_limit)


def _raised(before: Bid, terms: FeeTerms, rule: GasRule) -> tuple[int, int]:
    tip_wei = max(bumped(before.tip_wei), least_tip_wei(terms, rule))
    fee_wei = max(bumped(before.fee_wei), terms.base_fee_wei + tip_wei)
    return fee_wei, tip_wei


def _doubled(before: Bid, bid: tuple[int, int], cap_wei: int, base_fee_wei: int) -> tuple[int, int]:
    fee_wei = min(cap_wei, max(bid[0], 2 * before.fee_wei))
    tip_wei = min(2 * before.tip_wei, fee_wei - base_fee_wei)
    return fee_wei, max(bid[1], tip_wei)
