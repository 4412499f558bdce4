"""The base fee of the block that comes next, as the rules of each chain make it of its newest one.

EIP-1559 with other numbers: a rollup of the OP stack says its own in every header (Holocene,
Jovian), a producer on Polygon may choose within bounds, BNB charges none.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from engine.domain.errors import BadValueError

GAS_MAX: Final = 1 << 40
"""Far above what a block of any chain can hold (Arbitrum's limit is 2**50 by name, never used)."""
LIMIT_MAX: Final = 1 << 60
BASE_FEE_MAX_WEI: Final = 10**15
"""A million gwei: nobody ever paid that, and no number of it can be true."""

_HOLOCENE_BYTES: Final = 9
_JOVIAN_BYTES: Final = 17
_WORD_MAX: Final = 1_000_000
"""Largest denominator and elasticity that are believed."""


class FeeHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What of a block's header decides the base fee of the next one.

    Attributes:
        blob_gas_used: of blobs; under Jovian the block's footprint of data.
    """

    number: int
    base_fee_wei: int
    gas_used: int
    gas_limit: int
    extra: bytes = b""
    blob_gas_used: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.base_fee_wei <= BASE_FEE_MAX_WEI:
            raise BadValueError(f"base fee of block {self.number} is {self.base_fee_wei} wei")
        if not 0 < self.gas_limit <= LIMIT_MAX or not 0 <= self.gas_used <= GAS_MAX:
            raise BadValueError(f"block {self.number} used {self.gas_used} of {self.gas_limit} gas")
        if not 0 <= self.blob_gas_used <= GAS_MAX:
            raise BadValueError(f"block {self.number} used {self.blob_gas_used} gas of blobs")


class BaseFee(StrEnum):
    """How a chain comes to its next base fee."""

    FIXED = "fixed"
    """EIP-1559 with the chain's own numbers, to the unit."""
    IN_HEADER = "in_header"
    """The same with the numbers of the header's extra data: OP stack from Holocene on."""
    BOUNDED = "bounded"
    """Whoever makes the block chooses, no further from the last one than a share of it."""
    TOLD = "told"
    """By a rule that no header tells whole (Arbitrum): the last one stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRule:
    """The numbers of a chain.

    Attributes:
        target_percent: of the limit, which a block is to use.
        denominator: the greatest change is that part of the fee, times how far off the target.
        change_percent_max: how far a producer may go, of `BOUNDED`.
    """

    base_fee: BaseFee
    target_percent: int = 50
    denominator: int = 8
    change_percent_max: int = 0


class HeaderTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the header of an OP-stack chain says of its own rules.

    Attributes:
        base_fee_min_wei: None before Jovian.
    """

    denominator: int
    elasticity: int
    base_fee_min_wei: int | None


def header_terms(extra: bytes) -> HeaderTerms:
    """Read the extra data of a header: version, denominator, elasticity, least base fee.

    https://specs.optimism.io/protocol/holocene/exec-engine.html, and jovian likewise.

    Raises:
        BadValueError: it is of neither form.
    """
    version, is_jovian = extra[:1], len(extra) == _JOVIAN_BYTES
    if len(extra) not in {_HOLOCENE_BYTES, _JOVIAN_BYTES} or version != bytes([is_jovian]):
        raise BadValueError(
            f"extra data of {len(extra)} bytes, version {version.hex() or 'none'}, says no fee rule"
        )
    denominator, elasticity = (int.from_bytes(extra[at : at + 4]) for at in (1, 5))
    if not 0 < denominator <= _WORD_MAX or not 0 < elasticity <= _WORD_MAX:
        raise BadValueError(f"denominator {denominator} and elasticity {elasticity} are no rule")
    least = int.from_bytes(extra[9:]) if is_jovian else None
    if least is not None and least > BASE_FEE_MAX_WEI:
        raise BadValueError(f"least base fee is {least} wei")
    return HeaderTerms(denominator=denominator, elasticity=elasticity, base_fee_min_wei=least)


def next_base_fee_wei(header: FeeHeader, rule: FeeRule) -> int:
    """Return the base fee of the next block: exact of `FIXED` and `IN_HEADER`, else the likeliest.

    Raises:
        BadValueError: the header says no rule where it has to.
    """
    if rule.base_fee is BaseFee.TOLD:
        return header.base_fee_wei
    if rule.base_fee is BaseFee.IN_HEADER:
        terms = header_terms(header.extra)
        used = header.gas_used
        if terms.base_fee_min_wei is not None:
            used = max(used, header.blob_gas_used)
        target = header.gas_limit // terms.elasticity
        fee = _moved(header.base_fee_wei, used, target, terms.denominator)
        return max(fee, terms.base_fee_min_wei or 0)
    target = header.gas_limit * rule.target_percent // 100
    fee = _moved(header.base_fee_wei, header.gas_used, target, rule.denominator)
    if rule.base_fee is BaseFee.BOUNDED:
        step = max(header.base_fee_wei * rule.change_percent_max // 100, 1)
        return min(max(fee, header.base_fee_wei - step), header.base_fee_wei + step)
    return fee


def is_possible(told_wei: int, header: FeeHeader, rule: FeeRule) -> bool:
    """Say whether a node's word on the next base fee can be true.

    Raises:
        BadValueError: the header says no rule where it has to.
    """
    if rule.base_fee is BaseFee.BOUNDED:
        step = max(header.base_fee_wei * rule.change_percent_max // 100, 1)
        return abs(told_wei - header.base_fee_wei) <= step
    if rule.base_fee is BaseFee.TOLD:
        # Arbitrum's may move by any factor in a second of congestion; this is a bound on lies.
        return told_wei <= BASE_FEE_MAX_WEI
    return told_wei == next_base_fee_wei(header, rule)


def _moved(base_fee_wei: int, used: int, target: int, denominator: int) -> int:
    """Move a base fee as EIP-1559 does, divisions rounded down one by one."""
    if target <= 0:
        raise BadValueError(f"a gas target of {target} is none")
    if used > target:
        step = base_fee_wei * (used - target) // target // denominator
        return base_fee_wei + max(step, 1)
    step = base_fee_wei * (target - used) // target // denominator
    return base_fee_wei - step
