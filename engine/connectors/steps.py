"""Exact numbers of the wire, for the slow paths: instrument lists and audits."""

from decimal import Decimal
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.instruments import DECIMALS_MAX, Pair

SIZE_STEPS_MAX: Final = 10**18
"""As `kernels.number_text` has it, which takes eighty megabytes with it."""

SPARE_DECIMALS = 2
COMMON_DECIMALS = 8
"""Old orders may rest on a finer grid than today's; two spare decimals up to eight take them in.

Eight decimals leave 1e10 units, beyond which a size counts as that many; a grid finer than eight
decimals is used as it is listed, because what has such a price or size is cheap or counted in
fractions.
"""

_STEPS_MAX = 2**63
_DIGITS_MAX = 40


def parse_steps(text: str, decimals: int) -> int | None:
    """Parse a wire number to whole steps of 10**-decimals; None if it is not one, exactly."""
    steps = _whole_steps(text, decimals)
    return None if steps is None or abs(steps) >= _STEPS_MAX else steps


def parse_size_steps(text: str, decimals: int) -> int | None:
    """Parse a size as the board does: one of more than SIZE_STEPS_MAX steps counts as that."""
    steps = _whole_steps(text, decimals)
    return None if steps is None else min(steps, SIZE_STEPS_MAX)


def _whole_steps(text: str, decimals: int) -> int | None:
    try:
        steps = Decimal(text).scaleb(decimals)
        is_short = steps.is_finite() and steps.adjusted() <= _DIGITS_MAX
        is_whole = is_short and steps == steps.to_integral_value()
    except ArithmeticError:
        return None
    return int(steps) if is_whole else None


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a step has: 2 for 0.01, 0 for 1.

    Raises:
        BadValueError: the step is not above 0, or finer than a book can hold.
    """
    if not step.is_finite() or step <= 0:
        raise BadValueError(f"step {step} is not above 0")
    exponent = step.normalize().as_tuple().exponent
    decimals = max(0, -int(exponent))
    if decimals > DECIMALS_MAX:
        raise BadValueError(f"step {step} has {decimals} decimals, {DECIMALS_MAX} at most")
    return decimals


def wire_decimals(step: Decimal) -> int:
    """Return the decimals a book keeps for an order step of this size.

    Raises:
        BadValueError: see `decimals_of`.
    """
    listed = decimals_of(step)
    return max(listed, min(listed + SPARE_DECIMALS, COMMON_DECIMALS))


def make_pair(base: str, quote: str) -> Pair:
    """Make a pair of two wire codes.

    Raises:
        BadValueError: they are no two different codes.
    """
    text = f"{base}-{quote}".upper()
    pair = Pair.parse(text)
    return Pair(AssetCode(pair.base), AssetCode(pair.quote))
