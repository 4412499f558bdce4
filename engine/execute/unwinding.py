"""Unwinding: which order closes what some legs of a route filled and others did not.

Of each asset between two legs as much should be received as is given. What was received too much
is traded back by the leg before it, what was given too much by the leg after it, at the same venue.
Trading a middle leg back leaves something over at its other end, which is unwound in its turn,
until all is back in the asset that the route starts and ends in.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from engine.domain.assets import Amount, AssetCode
from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument
from engine.domain.opportunities import Leg, Side
from engine.domain.orders import Order, changes_by_asset
from engine.domain.plans import LeggedPlan, MixedPlan
from engine.domain.units import BPS_PER_UNIT
from engine.portfolio.costs import EXACT, Costs

_ZERO: Final = Decimal(0)


@dataclass(slots=True, kw_only=True)
class UnwindRules:
    """How what one leg left over is closed at its venue; the band may change.

    Attributes:
        band_bps: an unwinding order's limit lies at most so far behind the best price at the
            time it is sent.
        attempts_max: tries per asset between two legs; one at which the book is stale sends
            nothing but counts.
        wait_ms: until the next try after one at which the book was stale.
    """

    band_bps: Decimal = Decimal(50)
    attempts_max: int = 3
    wait_ms: int = 20

    def __post_init__(self) -> None:
        if not 0 <= self.band_bps < BPS_PER_UNIT or self.attempts_max < 0 or self.wait_ms <= 0:
            raise BadValueError(
                f"unwind band {self.band_bps} bps must be 0 or more and below {BPS_PER_UNIT}, "
                f"attempts {self.attempts_max} must not be negative, and the wait of "
                f"{self.wait_ms} ms must be above 0"
            )

    def set(self, *, band_bps: Decimal) -> None:
        """Go by another band with all that is sent from now on."""
        self.band_bps = band_bps
        self.__post_init__()


class Quotes(Protocol):
    """The best prices as they are now."""

    def best_price(
        self, plan: LeggedPlan | MixedPlan, leg: int, side: Side, at_ns: int
    ) -> Decimal | None:
        """Return the best price for an order of this side at a leg's book, None if it is stale."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwinding:
    """An order that unwinds; without a price its book is stale.

    Attributes:
        leg: number of the leg that it trades back.
        is_awaited: its book has not been live in this run yet: it is waited for, which is no try.
    """

    leg: int
    side: Side
    size_base: Decimal = _ZERO
    price_limit: Decimal | None = None
    is_awaited: bool = False


def excesses(legs: Sequence[Leg], orders: Iterable[Order]) -> list[Decimal]:
    """Return what is left over of each asset between two legs, negative if owed, in their order."""
    changes = changes_by_asset(orders)
    return [changes.get(leg.target, _ZERO) for leg in legs[:-1]]


def next_unwinding(
    plan: LeggedPlan,
    orders: Iterable[Order],
    *,
    quotes: Quotes,
    costs: Costs,
    rules: UnwindRules,
    at_ns: int,
) -> Unwinding | None:
    """Return the next order that unwinds, None if nothing is left over that makes a valid order."""
    for number, asset, excess in _to_trade_back(plan.legs, excesses(plan.legs, orders)):
        side = other_side(plan.legs[number].side)
        left = Amount(excess, asset)
        found = close(
            plan, number, side, left, quotes=quotes, costs=costs, rules=rules, at_ns=at_ns
        )
        if found is not None:
            return found
    return None


def other_side(side: Side) -> Side:
    """Return the side of an order that trades back."""
    return Side.SELL if side is Side.BUY else Side.BUY


def close(
    plan: LeggedPlan | MixedPlan,
    number: int,
    side: Side,
    excess: Amount,
    *,
    quotes: Quotes,
    costs: Costs,
    rules: UnwindRules,
    at_ns: int,
) -> Unwinding | None:
    """Return the order at a leg's book that takes up so much of one of its assets.

    None if that makes no valid order; one without a price if the book is stale.
    """
    instrument = plan.legs[number].instrument
    if not _is_size(instrument, _least_size(instrument, side, excess, costs)):
        return None
    best = quotes.best_price(plan, number, side, at_ns)
    if best is None:
        return Unwinding(leg=number, side=side)
    found = size_and_limit(instrument, side, excess, best=best, costs=costs, rules=rules)
    if found is None:
        return None
    return Unwinding(leg=number, side=side, size_base=found[0], price_limit=found[1])


def size_and_limit(
    instrument: Instrument,
    side: Side,
    excess: Amount,
    *,
    best: Decimal,
    costs: Costs,
    rules: UnwindRules,
) -> tuple[Decimal, Decimal] | None:
    """Return size in base and limit price of the order that takes up so much at a book.

    None if the venue would not take it: too small, or no price within the band.
    """
    size = _least_size(instrument, side, excess, costs)
    limit = _band_limit(instrument, side, best, rules)
    if limit <= 0:
        return None
    if excess.asset != instrument.pair.base:
        size = _size_for_quote(costs, instrument, side, excess.value, limit)
    return (size, limit) if is_order(instrument, size, limit) else None


def is_order(instrument: Instrument, size_base: Decimal, price_limit: Decimal) -> bool:
    """Say whether a venue takes an order of this size and price."""
    return (
        _is_size(instrument, size_base) and size_base * price_limit >= instrument.notional_min_quote
    )


def _to_trade_back(
    legs: Sequence[Leg], excess: Sequence[Decimal]
) -> Iterator[tuple[int, AssetCode, Decimal]]:
    """Yield the leg to trade back, the asset of it that is left over or owed, and how much."""
    for number, amount in enumerate(excess):
        if amount:
            yield number + (amount < 0), legs[number].target, abs(amount)


def _is_size(instrument: Instrument, size_base: Decimal) -> bool:
    return size_base > 0 and size_base >= instrument.size_min_base


def _least_size(instrument: Instrument, side: Side, excess: Amount, costs: Costs) -> Decimal:
    """Return the size of an order that takes up base; of one for quote a price decides."""
    if excess.asset != instrument.pair.base:
        return instrument.lot_base
    return _size_for_base(costs, instrument, side, excess.value)


def _size_for_base(costs: Costs, instrument: Instrument, side: Side, base: Decimal) -> Decimal:
    return instrument.floor_to_lot(costs.size_for(instrument.venue, side, base))


def _size_for_quote(
    costs: Costs, instrument: Instrument, side: Side, quote: Decimal, limit: Decimal
) -> Decimal:
    """Return what a buy can spend so much on, or a sale has to bring in, at the limit price."""
    fee_ratio = EXACT.divide(costs.fee_bps(instrument.venue), BPS_PER_UNIT)
    per_base = limit * (1 + fee_ratio if side is Side.BUY else 1 - fee_ratio)
    return instrument.floor_to_lot(EXACT.divide(quote, per_base))


def _band_limit(instrument: Instrument, side: Side, best: Decimal, rules: UnwindRules) -> Decimal:
    band = rules.band_bps / BPS_PER_UNIT
    if side is Side.BUY:
        return instrument.floor_to_tick(best * (1 + band))
    return instrument.ceil_to_tick(best * (1 - band))
