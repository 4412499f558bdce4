"""Slow twin of weighted pools: the power itself, in eighty digits."""

from decimal import Decimal, localcontext

from tests.reference.solidly import DIGITS


def swap_out(
    balances: tuple[Decimal, Decimal], exponent: Decimal, net: Decimal, *, kept_error: Decimal
) -> Decimal:
    """Return the output for an input net of fee; balances are (in, out).

    `kept_error`: the relative error by which the contract widens the power against the trader.
    """
    with localcontext() as context:
        context.prec = DIGITS
        kept = (balances[0] / (balances[0] + net)) ** exponent
        return max(balances[1] * (1 - kept * (1 + kept_error)), Decimal(0))
