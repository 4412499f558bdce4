"""Caps of a day for orders at exchanges, and what an order counts for."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Final

from engine.signing.desk import MICRO_USD, USD_CAP
from engine.signing.venue_rules import Placing, usd_of_order
from engine.signing.venue_terms import ExchangeTerms

ORDERS_CAP: Final = "orders at exchanges"
MOVED_CAP: Final = "USD moved at exchanges"
UNWINDINGS_CAP: Final = "orders at exchanges that unwind"
UNWOUND_CAP: Final = "USD unwound at exchanges"
TESTS_CAP: Final = "orders of self-tests"

TESTS_DAY: Final = 24


def venue_caps(terms: ExchangeTerms) -> dict[str, int]:
    """Return all caps of a day; what unwinds has its own, which nothing else uses up."""
    if not terms.venues:
        return {}
    usd, count = int(terms.notional_day_usd * MICRO_USD), terms.orders_day
    return {
        MOVED_CAP: usd,
        UNWOUND_CAP: usd,
        ORDERS_CAP: count,
        UNWINDINGS_CAP: count,
        TESTS_CAP: TESTS_DAY,
    }


def charges_of(given: Placing) -> dict[str, int]:
    """Return what an order counts for."""
    usd = usd_of_order(given) or Decimal(0)
    micro = int((usd * MICRO_USD).to_integral_value(ROUND_CEILING))
    if given.is_unwinding:
        return {UNWOUND_CAP: micro, UNWINDINGS_CAP: 1}
    return {USD_CAP: micro, MOVED_CAP: micro, ORDERS_CAP: 1}


def together(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    """Return what two count for."""
    return {cap: first.get(cap, 0) + second.get(cap, 0) for cap in {**first, **second}}
