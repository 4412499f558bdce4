"""Plans under way: what they may still cost, from the decision until the execution is booked."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Context, Decimal

from engine.domain.exact import exact_sum
from engine.domain.holdings import Place
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Leg, Side
from engine.domain.plans import (
    AtomicPlan,
    GasBound,
    LeggedPlan,
    MixedPlan,
    Plan,
    RoutePart,
    Swaps,
    closes_of,
    is_live,
)
from engine.domain.residuals import Place as ResidualPlace
from engine.portfolio.costs import EXACT, QUOTE_STEP

Need = tuple[Place, Decimal]

_SHORT = Context(prec=18, rounding=ROUND_CEILING)
_ZERO = Decimal(0)


def exposure_quote(parts: Iterable[RoutePart]) -> Decimal:
    """Return the most that a plan can leave us holding and owing, at the decided prices.

    Each leg turns about what the first one pays; at its limit price a buy may pay more. Any legs
    may fill without the others, so that each asset between two legs may be held or owed whole. A
    transaction is one of them: it may land and no order fill, or the other way round.
    """
    values = values_quote(parts)
    return (len(values) - 1) * max(values)


def values_quote(parts: Iterable[RoutePart]) -> list[Decimal]:
    """Return what each leg turns at the most, in the asset that the route starts and ends in."""
    first, *others = parts
    values = [_given_at_limit(first)]
    for leg in others:
        if leg.source == first.target and leg.target == first.source:
            values.append(leg.received)
        else:
            values.append(first.given * _given_at_limit(leg) / leg.given)
    return values


def venues_usd(parts: Sequence[RoutePart], usd_per_quote: Decimal) -> dict[VenueId, Decimal]:
    """Return what the legs at each venue turn at the most, in USD; a wallet is no venue."""
    sums: dict[VenueId, Decimal] = {}
    for part, value in zip(parts, values_quote(parts), strict=True):
        if isinstance(part, Leg):
            sums[part.venue] = sums.get(part.venue, _ZERO) + value * usd_per_quote
    return sums


def _given_at_limit(leg: RoutePart) -> Decimal:
    if isinstance(leg, Swaps):
        return leg.given
    return leg.size_base * leg.price_limit if leg.side is Side.BUY else leg.size_base


def needs(legs: Iterable[Leg]) -> list[Need]:
    """Return what each leg may draw on at its venue, at its limit price and with its fee.

    A sell delivers its base; its fee comes out of what it receives.
    """
    return [_need(leg) for leg in legs]


def _need(leg: Leg) -> Need:
    venue, pair = leg.instrument.venue, leg.instrument.pair
    if leg.side is Side.SELL:
        return (venue, pair.base), leg.size_base
    limit_quote = EXACT.multiply(leg.size_base, leg.price_limit)
    # A fee is a share of what is paid; how far the limit is above that is a short number upwards.
    above_ratio = _SHORT.divide(limit_quote, leg.notional_quote)
    total_quote = EXACT.fma(leg.fee_quote, above_ratio, limit_quote)
    return (venue, pair.quote), total_quote.quantize(QUOTE_STEP, ROUND_CEILING, EXACT)


def mixed_needs(legs: Iterable[Leg], swaps: Swaps) -> list[Need]:
    """Return what the orders of a mixed plan may draw on, and its transaction but for gas."""
    return [*needs(legs), ((swaps.venue, swaps.source), swaps.given)]


def gas_need(wallet: VenueId, gas: GasBound) -> Need:
    """Return what a transaction may draw on for gas, whatever its size."""
    return (wallet, gas.asset), gas.amount


def closed_place(plan: LeggedPlan) -> ResidualPlace:
    """Return where the leftover is that a plan closes."""
    instrument = plan.legs[0].instrument
    return instrument.venue, instrument.pair.base, instrument.pair.quote


class PlansUnderWay:
    """Exposure and gas by plan, and what all of them have reserved by place."""

    def __init__(self) -> None:
        self._usd_by_plan: dict[str, Decimal] = {}
        self._gas_usd_by_plan: dict[str, Decimal] = {}
        self._gas_by_plan: dict[str, Need] = {}
        self._needs_by_plan: dict[str, list[Need]] = {}
        self._reserved: dict[Place, Decimal] = {}
        self._usd_at_by_plan: dict[str, dict[VenueId, Decimal]] = {}
        self._closing: dict[str, ResidualPlace] = {}
        self._wallet_by_plan: dict[str, VenueId] = {}

    def add(self, plan: Plan) -> None:
        """Count a plan that was just made."""
        if isinstance(plan, LeggedPlan):
            self._usd_by_plan[plan.plan_id] = exposure_quote(plan.legs) * plan.usd_per_quote
            reserving = needs(plan.legs)
            if closes_of(plan) is not None:
                self._closing[plan.plan_id] = closed_place(plan)
        elif isinstance(plan, MixedPlan):
            self._usd_by_plan[plan.plan_id] = exposure_quote(plan.parts) * plan.usd_per_quote
            self._gas_usd_by_plan[plan.plan_id] = plan.gas.quote * plan.usd_per_quote
            reserving = [*mixed_needs(plan.legs, plan.swaps), gas_need(plan.swaps.venue, plan.gas)]
        else:
            # It does all or nothing: it leaves nothing over, but its gas may be for nothing.
            self._gas_usd_by_plan[plan.plan_id] = plan.gas.quote * plan.usd_per_quote
            reserving = plan.needs
        if not isinstance(plan, LeggedPlan):
            self._gas_by_plan[plan.plan_id] = gas_need(plan.wallet, plan.gas)
        if is_live(plan) and isinstance(plan, MixedPlan):
            self._wallet_by_plan[plan.plan_id] = plan.wallet
        if is_live(plan) and not isinstance(plan, AtomicPlan):
            at_venues = venues_usd(plan.parts, plan.usd_per_quote)
            # What is left over counts as that; closing it adds nothing.
            is_closing = plan.plan_id in self._closing
            self._usd_at_by_plan[plan.plan_id] = (
                dict.fromkeys(at_venues, _ZERO) if is_closing else at_venues
            )
        self._needs_by_plan[plan.plan_id] = reserving
        for place, amount in reserving:
            self._reserved[place] = EXACT.add(self.reserved(place), amount)

    def remove(self, plan_id: str) -> None:
        """Stop counting a plan whose execution is booked in the positions."""
        self._usd_by_plan.pop(plan_id, None)
        self._gas_usd_by_plan.pop(plan_id, None)
        self._gas_by_plan.pop(plan_id, None)
        self._usd_at_by_plan.pop(plan_id, None)
        self._closing.pop(plan_id, None)
        self._wallet_by_plan.pop(plan_id, None)
        for place, amount in self._needs_by_plan.pop(plan_id):
            self._reserved[place] = EXACT.subtract(self.reserved(place), amount)

    def closes(self, place: ResidualPlace) -> bool:
        """Say whether a plan under way closes what is left over there."""
        return place in self._closing.values()

    def reserved(self, place: Place) -> Decimal:
        """Return what plans under way may still draw on at a place."""
        return self._reserved.get(place, _ZERO)

    def usd_at(self, venue: VenueId) -> Decimal:
        """Return what the orders of live plans under way turn at a venue at the most."""
        return sum((one.get(venue, _ZERO) for one in self._usd_at_by_plan.values()), _ZERO)

    @property
    def venues(self) -> frozenset[VenueId]:
        """Venues at which live plans have orders under way."""
        return frozenset(venue for one in self._usd_at_by_plan.values() for venue in one)

    @property
    def wallets(self) -> frozenset[VenueId]:
        """Wallets of which live plans trade something that is booked with their orders alone."""
        return frozenset(self._wallet_by_plan.values())

    @property
    def total_usd(self) -> Decimal:
        """Exposure of all plans under way."""
        return sum(self._usd_by_plan.values(), Decimal(0))

    def gas_at(self, wallet: VenueId) -> Decimal:
        """Return what plans under way may still pay for gas from a wallet, in its chain's coins."""
        return exact_sum(
            amount for (venue, _), amount in self._gas_by_plan.values() if venue == wallet
        )

    @property
    def gas_usd(self) -> Decimal:
        """Gas that all plans under way may pay for nothing."""
        return sum(self._gas_usd_by_plan.values(), Decimal(0))

    def __len__(self) -> int:
        return len(self._needs_by_plan)
