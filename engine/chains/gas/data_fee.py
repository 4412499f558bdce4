"""What a rollup of the OP stack takes for putting a transaction's bytes on Ethereum, to the unit.

https://specs.optimism.io/protocol/exec-engine.html (Ecotone), fjord, isthmus and jovian likewise.
Numbers are whole; each division is rounded down where the chain does.
"""

from enum import StrEnum
from typing import Final

import msgspec

from engine.chains.gas.fastlz import fastlz_size
from engine.domain.errors import BadValueError

_ZERO_GAS: Final = 4
_BYTE_GAS: Final = 16
_SCALE: Final = 10**6
_INTERCEPT: Final = -42_585_600
_COEFFICIENT: Final = 836_500
_SIZE_MIN: Final = 100 * _SCALE
_JOVIAN_FACTOR: Final = 100
_SIGNATURE_BYTES: Final = 68
"""What `GasPriceOracle` adds for the signature of a transaction that has none yet."""

WEI_MAX: Final = 10**18
_SCALAR_MAX: Final = (1 << 32) - 1
_CONSTANT_MAX: Final = (1 << 64) - 1


class Fork(StrEnum):
    """Since which upgrade a chain reckons so."""

    ECOTONE = "ecotone"
    FJORD = "fjord"
    ISTHMUS = "isthmus"
    JOVIAN = "jovian"


class L1Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the chain's `L1Block` says, as of one block.

    Attributes:
        operator_scalar, operator_constant: from Isthmus on.
    """

    fork: Fork
    base_fee_wei: int
    blob_base_fee_wei: int
    base_fee_scalar: int
    blob_base_fee_scalar: int
    operator_scalar: int = 0
    operator_constant: int = 0

    def __post_init__(self) -> None:
        for fee in (self.base_fee_wei, self.blob_base_fee_wei):
            if not 0 <= fee <= WEI_MAX:
                raise BadValueError(f"a base fee of {fee} wei on L1 cannot be")
        scalars = (self.base_fee_scalar, self.blob_base_fee_scalar, self.operator_scalar)
        if not all(0 <= scalar <= _SCALAR_MAX for scalar in scalars):
            raise BadValueError(f"scalars {scalars} of the L1 fee are not of 32 bits")
        if not 0 <= self.operator_constant <= _CONSTANT_MAX:
            raise BadValueError(f"operator fee of {self.operator_constant} is not of 64 bits")

    @property
    def wei_per_byte_e6(self) -> int:
        """Return what a byte costs, in millionths of wei."""
        base = _BYTE_GAS * self.base_fee_scalar * self.base_fee_wei
        return base + self.blob_base_fee_scalar * self.blob_base_fee_wei


def data_fee_wei(terms: L1Terms, signed: bytes) -> int:
    """Return the L1 data fee of a signed transaction as it goes over the wire."""
    if terms.fork is Fork.ECOTONE:
        return _ecotone(terms, _calldata_gas(signed))
    return _fjord(terms, fastlz_size(signed))


def unsigned_data_fee_wei(terms: L1Terms, unsigned: bytes) -> int:
    """Return what `GasPriceOracle.getL1Fee` says of a transaction without a signature."""
    if terms.fork is Fork.ECOTONE:
        return _ecotone(terms, _calldata_gas(unsigned) + _SIGNATURE_BYTES * _BYTE_GAS)
    return _fjord(terms, fastlz_size(unsigned) + _SIGNATURE_BYTES)


def operator_fee_wei(terms: L1Terms, gas: int) -> int:
    """Return what the operator takes beside it, for so much gas."""
    if terms.fork is Fork.ISTHMUS:
        return gas * terms.operator_scalar // _SCALE + terms.operator_constant
    if terms.fork is Fork.JOVIAN:
        return gas * terms.operator_scalar * _JOVIAN_FACTOR + terms.operator_constant
    return 0


def _calldata_gas(data: bytes) -> int:
    zeros = data.count(0)
    return _ZERO_GAS * zeros + _BYTE_GAS * (len(data) - zeros)


def _ecotone(terms: L1Terms, calldata_gas: int) -> int:
    return calldata_gas * terms.wei_per_byte_e6 // (_BYTE_GAS * _SCALE)


def _fjord(terms: L1Terms, size: int) -> int:
    scaled = max(_INTERCEPT + _COEFFICIENT * size, _SIZE_MIN)
    return scaled * terms.wei_per_byte_e6 // _SCALE**2
