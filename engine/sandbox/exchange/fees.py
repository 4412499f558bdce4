"""What a fill costs at a venue, and in which asset: the quote, what is received, or a third."""

from collections.abc import Mapping
from decimal import ROUND_UP, Decimal
from typing import Final

from engine.sandbox.exchange.model import Balance, FeeFrom, Market, Ordered, VenueTerms

_FEE_STEP: Final = Decimal("1E-8")


def worst_fee(notional: Decimal, terms: VenueTerms) -> Decimal:
    """Return the most that an order may cost in its quote asset."""
    return rounded(notional * max(terms.taker_ratio, terms.maker_ratio))


def fee_of(
    fill: tuple[Decimal, Decimal],
    ordered: Ordered,
    market: Market,
    terms: VenueTerms,
    balances: Mapping[str, Balance],
    *,
    is_maker: bool,
) -> tuple[Decimal, str]:
    """Return what a fill of a price and a size costs, and the asset.

    A third asset pays if there is enough of it; otherwise it is as if there were none.
    """
    price, size = fill
    ratio = terms.maker_ratio if is_maker else terms.taker_ratio
    if terms.third_asset:
        third = rounded(price * size * ratio / terms.third_price)
        have = balances.get(terms.third_asset)
        if have is not None and have.free >= third:
            return third, terms.third_asset
    in_base = terms.fee_from is FeeFrom.RECEIVED and ordered.is_buy
    return rounded((size if in_base else price * size) * ratio), (
        market.base if in_base else market.quote
    )


def rounded(amount: Decimal) -> Decimal:
    """Round a fee as the venues do: up, to the least step."""
    return amount.quantize(_FEE_STEP, rounding=ROUND_UP)
