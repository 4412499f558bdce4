"""One direction of an order book as an exact leg of a route, in whole raw units like a pool.

A raw unit is 10**-decimals of an asset: what the pools of the same route count in. An order is a
whole number of lots, walked through the levels from the best price on; the fee is paid in the quote
asset on the whole notional, or at some venues out of the base that a buy receives, and rounded up
to FEE_DECIMALS places, as `portfolio.costs` does. Input
that makes no whole lot, or is more than the book takes, is not spent, but counts as paid: the leg
never seems better than it is.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction

from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument
from engine.domain.opportunities import Side
from engine.domain.units import BPS_PER_UNIT
from engine.pools.integers import UINT256_MAX, check_whole, divide_up

FEE_DECIMALS = 8
ASSET_DECIMALS_MAX = 24
LEVELS_MAX = 10_000
STEPS_MAX = 10**30
"""Of a price or size: beyond any wire's."""

_WIDE = Context(prec=100)
_NEAR = 2
"""Lots by which a guess may be off, by the rounding of fees, and still shorten a search."""


@dataclass(frozen=True, slots=True)
class _Walk:
    """Levels added up; `lot_steps` times `lots_max` is what they hold."""

    prices: tuple[int, ...]
    sizes_sum: tuple[int, ...]
    notionals_sum: tuple[int, ...]
    lot_steps: int
    lots_max: int

    def notional_steps(self, lots: int) -> int:
        """Return what the first lots cost, in steps of price times steps of size."""
        steps = lots * self.lot_steps
        at = bisect_left(self.sizes_sum, steps)
        return self.notionals_sum[at] - (self.sizes_sum[at] - steps) * self.prices[at]

    def lots_about(self, notional_steps: int) -> int:
        """Return how many lots a notional makes, or about as many."""
        at = bisect_left(self.notionals_sum, notional_steps)
        if at == len(self.prices):
            return self.lots_max
        left_steps = (self.notionals_sum[at] - notional_steps) // self.prices[at]
        return (self.sizes_sum[at] - left_steps) // self.lot_steps

    def price_worst_steps(self, lots: int) -> int:
        """Return the price of the last of the first lots."""
        return self.prices[bisect_left(self.sizes_sum, lots * self.lot_steps)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """An order of whole lots, before fees, as the levels would fill it."""

    size_base: Decimal
    notional_quote: Decimal
    price_worst: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBookLeg:
    """Buying with quote from the asks, or selling base into the bids; `leg_of_book` makes one.

    Attributes:
        lot_raw: base of one lot in raw units.
        lots_min, lots_max: what the venue's least size and least notional ask, and the book holds.
        base_decimals, quote_decimals: of the raw units of the two assets.
        takes_base: whether the fee of this leg, a buy, is taken out of the base received.
    """

    instrument: Instrument
    side: Side
    fee_bps: Decimal
    lot_raw: int
    lots_min: int
    lots_max: int
    base_decimals: int
    quote_decimals: int
    takes_base: bool
    walk: _Walk

    def amount_out(self, amount_in_raw: int) -> int:
        """Return what an order of at most this input gives, floored.

        Raises:
            BadValueError: too little for the venue's least order.
        """
        lots = self.lots_of(amount_in_raw)
        return self._bought_raw(lots) if self.side is Side.BUY else self._received_raw(lots)

    def amount_in(self, amount_out_raw: int) -> int:
        """Return the least input that gives at least this output.

        Raises:
            BadValueError: nothing is asked, or more than the book gives.
        """
        check_whole(amount_out_raw, what="amount_out_raw", low=1, high=UINT256_MAX)
        if self.side is Side.BUY:
            lots = _least_near(
                self._lots_bought_about(amount_out_raw),
                lambda tried: self._bought_raw(tried) >= amount_out_raw,
                self.lots_min,
                self.lots_max + 1,
            )
        else:
            lots = _least_near(
                self._lots_about(amount_out_raw, sign=-1),
                lambda tried: self._received_raw(tried) >= amount_out_raw,
                self.lots_min,
                self.lots_max + 1,
            )
        if lots > self.lots_max:
            raise BadValueError(f"{self} gives no {amount_out_raw} raw units: that is all it has")
        return self._paid_raw(lots) if self.side is Side.BUY else lots * self.lot_raw

    def amount_taken(self, amount_in_raw: int) -> int:
        """Return the input: what is more than the levels hold is left."""
        return amount_in_raw

    def amount_spent(self, amount_in_raw: int) -> int:
        """Return what an order of at most this input spends: its whole lots.

        Raises:
            BadValueError: as `amount_out`.
        """
        lots = self.lots_of(amount_in_raw)
        return self._paid_raw(lots) if self.side is Side.BUY else lots * self.lot_raw

    def lots_of(self, amount_in_raw: int) -> int:
        """Return how many lots an input makes, at most those of the book.

        Raises:
            BadValueError: too few for the venue's least order.
        """
        check_whole(amount_in_raw, what="amount_in_raw", low=1, high=UINT256_MAX)
        if self.side is Side.SELL:
            lots = min(amount_in_raw // self.lot_raw, self.lots_max)
        else:
            over = _least_near(
                self._lots_about(amount_in_raw, sign=1),
                lambda tried: self._paid_raw(tried) > amount_in_raw,
                1,
                self.lots_max + 1,
            )
            lots = over - 1
        if lots < self.lots_min:
            raise BadValueError(
                f"{amount_in_raw} raw units are {lots} lots at {self}; its least order has"
                f" {self.lots_min}"
            )
        return lots

    def walked(self, amount_in_raw: int) -> Walked:
        """Return the order that at most this input makes.

        Raises:
            BadValueError: as `amount_out`.
        """
        lots = self.lots_of(amount_in_raw)
        decimals = self.instrument.price_decimals + self.instrument.size_decimals
        return Walked(
            size_base=self.instrument.size_of(lots * self.walk.lot_steps),
            notional_quote=Decimal(self.walk.notional_steps(lots)).scaleb(-decimals, _WIDE),
            price_worst=self.instrument.price_of(self.walk.price_worst_steps(lots)),
        )

    def price_limit(self, amount_in_raw: int) -> Decimal:
        """Return the price limit on a tick at which the order still fills as walked.

        Raises:
            BadValueError: as `amount_out`.
        """
        worst = self.instrument.price_of(self.walk.price_worst_steps(self.lots_of(amount_in_raw)))
        if self.side is Side.BUY:
            return self.instrument.ceil_to_tick(worst)
        return self.instrument.floor_to_tick(worst)

    def __str__(self) -> str:
        return f"{self.side} of {self.instrument}"

    def _paid_raw(self, lots: int) -> int:
        numerator, scale = self._total(self.walk.notional_steps(lots), sign=1)
        return divide_up(numerator * int(10**self.quote_decimals), scale)

    def _bought_raw(self, lots: int) -> int:
        gross_raw = lots * self.lot_raw
        if not self.takes_base:
            return gross_raw
        share, whole = self.fee_bps.as_integer_ratio()
        unit, fee_unit = int(10**self.base_decimals), int(10**FEE_DECIMALS)
        fee = divide_up(gross_raw * share * fee_unit, whole * BPS_PER_UNIT * unit)
        return max((gross_raw * fee_unit - fee * unit) // fee_unit, 0)

    def _received_raw(self, lots: int) -> int:
        numerator, scale = self._total(self.walk.notional_steps(lots), sign=-1)
        return max(numerator * int(10**self.quote_decimals) // scale, 0)

    def _lots_about(self, quote_raw: int, *, sign: int) -> int:
        """Return about how many lots an amount of quote pays for, the fee on top or taken off."""
        decimals = self.instrument.price_decimals + self.instrument.size_decimals
        share, whole = self._quote_share()
        scale = int(10**self.quote_decimals) * (whole * BPS_PER_UNIT + sign * share)
        return self.walk.lots_about(quote_raw * 10**decimals * whole * BPS_PER_UNIT // scale)

    def _lots_bought_about(self, base_raw: int) -> int:
        """Return about how many lots receive an amount of base, the fee taken out of it."""
        if not self.takes_base:
            return divide_up(base_raw, self.lot_raw)
        share, whole = self.fee_bps.as_integer_ratio()
        return divide_up(
            base_raw * whole * BPS_PER_UNIT, self.lot_raw * (whole * BPS_PER_UNIT - share)
        )

    def _quote_share(self) -> tuple[int, int]:
        """Return the fee in basis points of the notional as a fraction."""
        return (0, 1) if self.takes_base else self.fee_bps.as_integer_ratio()

    def _total(self, notional: int, *, sign: int) -> tuple[int, int]:
        """Return a notional with the fee on top or taken off, as a number and what divides it."""
        decimals = self.instrument.price_decimals + self.instrument.size_decimals
        share, whole = self._quote_share()
        fee = divide_up(notional * share * 10**FEE_DECIMALS, whole * BPS_PER_UNIT * 10**decimals)
        scale = 10 ** max(decimals, FEE_DECIMALS)
        return notional * (scale // 10**decimals) + sign * fee * (scale // 10**FEE_DECIMALS), scale


def leg_of_book(
    instrument: Instrument,
    side: Side,
    levels: Sequence[tuple[int, int]],
    *,
    fee_bps: Decimal,
    base_decimals: int,
    quote_decimals: int,
    fees_in_base: bool = False,
) -> OrderBookLeg:
    """Make a leg from the levels that an order of this side meets.

    Args:
        instrument: the rules of the venue.
        side: of the order: a buy meets asks and spends quote, a sale meets bids and spends base.
        levels: (price, size) in the instrument's steps, the best price first.
        fee_bps: taker fee on the notional.
        base_decimals: of the base asset's raw unit.
        quote_decimals: of the quote asset's raw unit.
        fees_in_base: whether the venue takes the fee of a buy out of the base received.

    Raises:
        BadValueError: levels that no book has, a fee of all, or lots finer than a raw unit.
    """
    for what, decimals in (("base", base_decimals), ("quote", quote_decimals)):
        check_whole(decimals, what=f"{what}_decimals", low=0, high=ASSET_DECIMALS_MAX)
    if not (fee_bps.is_finite() and 0 <= fee_bps < BPS_PER_UNIT):
        raise BadValueError(
            f"fee of {instrument} is {fee_bps} bps; it must be below {BPS_PER_UNIT}"
        )
    _check_levels(instrument, side, levels)
    takes_base = fees_in_base and side is Side.BUY
    lot_base = _sound_lot(instrument, side, levels, fee_bps, takes_base=takes_base)
    lot_raw = lot_base.scaleb(base_decimals)
    if lot_raw != int(lot_raw):
        raise BadValueError(f"lot {lot_base:f} of {instrument} is finer than a raw unit")
    walk = _walk_of(levels, lot_steps=int(lot_base.scaleb(instrument.size_decimals)))
    size_lots = int((instrument.size_min_base / lot_base).to_integral_value(ROUND_CEILING))
    return OrderBookLeg(
        instrument=instrument,
        side=side,
        fee_bps=fee_bps,
        lot_raw=int(lot_raw),
        lots_min=max(size_lots, _lots_of_notional(walk, instrument), 1),
        lots_max=walk.lots_max,
        base_decimals=base_decimals,
        quote_decimals=quote_decimals,
        takes_base=takes_base,
        walk=walk,
    )


def _sound_lot(
    instrument: Instrument,
    side: Side,
    levels: Sequence[tuple[int, int]],
    fee_bps: Decimal,
    *,
    takes_base: bool,
) -> Decimal:
    """Return the lot, or so many of it that one more is worth more than the fee's rounding.

    Otherwise a sale of one lot more could bring less, or a purchase with its fee in base.
    """
    if side is Side.BUY and not takes_base:
        return instrument.lot_base
    price = Fraction(1) if takes_base else Fraction(instrument.price_of(levels[-1][0]))
    gained = price * Fraction(instrument.lot_base) * (1 - Fraction(fee_bps) / BPS_PER_UNIT)
    return instrument.lot_base * -(-Fraction(1, 10**FEE_DECIMALS) // gained)


def _check_levels(instrument: Instrument, side: Side, levels: Sequence[tuple[int, int]]) -> None:
    if not 0 < len(levels) <= LEVELS_MAX:
        raise BadValueError(f"{len(levels)} levels of {instrument}; 1 to {LEVELS_MAX} can be")
    before = 0
    price_name, size_name = f"price of {instrument} in steps", f"size of {instrument} in steps"
    for price, size in levels:
        check_whole(price, what=price_name, low=1, high=STEPS_MAX)
        check_whole(size, what=size_name, low=1, high=STEPS_MAX)
        if before and (price <= before) == (side is Side.BUY):
            raise BadValueError(
                f"price {price} follows {before}: levels that a {side} of {instrument} meets must"
                f" {'rise' if side is Side.BUY else 'fall'}"
            )
        before = price


def _walk_of(levels: Sequence[tuple[int, int]], *, lot_steps: int) -> _Walk:
    sizes, notionals = [], []
    size_sum = notional_sum = 0
    for price, size in levels:
        size_sum += size
        notional_sum += price * size
        sizes.append(size_sum)
        notionals.append(notional_sum)
    return _Walk(
        prices=tuple(price for price, _ in levels),
        sizes_sum=tuple(sizes),
        notionals_sum=tuple(notionals),
        lot_steps=lot_steps,
        lots_max=size_sum // lot_steps,
    )


def _lots_of_notional(walk: _Walk, instrument: Instrument) -> int:
    if not instrument.notional_min_quote:
        return 0
    decimals = instrument.price_decimals + instrument.size_decimals
    least = Fraction(instrument.notional_min_quote) * 10**decimals
    return _least(lambda lots: walk.notional_steps(lots) >= least, 0, walk.lots_max + 1)


def _least_near(guess: int, is_enough: Callable[[int], bool], low: int, high: int) -> int:
    """Return the same as `_least`, sooner if it is next to a guess."""
    first, last = guess - _NEAR, guess + _NEAR
    if low <= first < high and not is_enough(first):
        low = first + 1
    if low <= last < high and is_enough(last):
        high = last
    return _least(is_enough, low, high)


def _least(is_enough: Callable[[int], bool], low: int, high: int) -> int:
    """Return the least number from low to before high that is enough, else high."""
    while low < high:
        middle = (low + high) // 2
        if is_enough(middle):
            high = middle
        else:
            low = middle + 1
    return low
