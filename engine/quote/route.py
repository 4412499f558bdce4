"""Exact confirmation of any route: books by lots and ticks, pools by their contracts' arithmetic.

A route through pools cannot be traded yet. Who asks for one gets it confirmed all the same: what
whole numbers give now, and not what floats promise. It takes about a millisecond, which is why
routes that are only watched are not confirmed as they come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from engine.detect.sizing.exact import ExactLeg, confirm_exact
from engine.domain.errors import BadValueError
from engine.domain.figures import four_digits
from engine.domain.opportunities import Opportunity, Reason
from engine.portfolio.costs import Costs, ceil_share, ceil_to_quote_step
from engine.quote.exact_legs import ExactLegs
from engine.quote.gap import Unconfirmed

PIPS_PER_BPS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRules:
    """How a route is confirmed, and what it costs beside its legs' fees and transfers.

    Attributes:
        reach: raw units to either side of the screened input, and of each leg's output, that are
            tried.
    """

    flash_fee_bps: Decimal = Decimal(0)
    reach: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """What one route costs beside its legs' fees.

    Attributes:
        is_on_one_chain: whether it pays the flash fee, and then no transfers.
        venue_changes: each costs half of what leaving a venue and coming back does.
        fixed_quote: gas and bridges, reckoned.
    """

    is_on_one_chain: bool
    venue_changes: int
    fixed_quote: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedRoute:
    """A route at its exact amounts, in units of the asset that it starts and ends in.

    Attributes:
        profit_quote: what is got less what is paid, flash fee, transfers and reckoned gas.
        amounts_raw: what is there before each leg and after the last, in raw units.
    """

    paid: Decimal
    got: Decimal
    profit_quote: Decimal
    amounts_raw: tuple[int, ...]


class RouteConfirmer:
    """Confirms routes on one board and its pools."""

    def __init__(self, legs: ExactLegs, costs: Costs, rules: RouteRules) -> None:
        self._legs = legs
        self._costs = costs
        self._rules = rules

    def confirm(self, route: Opportunity) -> ConfirmedRoute | Unconfirmed:
        """Carry whole amounts through all legs; dust that makes no whole lot is lost on the way."""
        try:
            decimals = self._legs.decimals(route.hops)
            legs = [self._legs.leg(hop, decimals) for hop in route.hops]
        except BadValueError as error:
            return Unconfirmed(reason=Reason.NOT_CONFIRMED, detail=str(error))
        charges = Charges(
            is_on_one_chain=route.is_on_one_chain,
            venue_changes=route.venue_changes,
            fixed_quote=route.gas_quote,
        )
        unit_decimals = decimals[route.quote]
        input_raw = to_raw(route.hops[0].amount_in, unit_decimals)
        found = self.carry(legs, input_raw, charges, decimals=unit_decimals)
        if found is None:
            return Unconfirmed(
                reason=Reason.NOT_CONFIRMED,
                detail=f"nothing is left of {four_digits(route.hops[0].amount_in)} {route.quote} "
                "in whole lots and units",
            )
        return found

    def carry(
        self, legs: Sequence[ExactLeg], input_raw: int, charges: Charges, *, decimals: int
    ) -> ConfirmedRoute | None:
        """Return the best whole input near one and what it brings; `None` if nothing is left of it.

        Args:
            legs: the route.
            input_raw: the optimum in floats, floored.
            charges: what is taken off.
            decimals: of the raw unit of the asset that the route starts and ends in.
        """
        flash_fee_bps = self._rules.flash_fee_bps if charges.is_on_one_chain else Decimal(0)
        found = confirm_exact(
            legs,
            input_raw,
            reach=self._rules.reach,
            flash_fee_pips=int(flash_fee_bps * PIPS_PER_BPS),
        )
        if found is None:
            return None
        paid = Decimal(found.input_raw).scaleb(-decimals)
        got = Decimal(found.output_raw).scaleb(-decimals)
        changes = 0 if charges.is_on_one_chain else charges.venue_changes
        costs = self._costs.transfer_quote(paid, venue_changes=changes)
        costs += ceil_share(paid, flash_fee_bps)
        costs += ceil_to_quote_step(Decimal(charges.fixed_quote))
        return ConfirmedRoute(
            paid=paid, got=got, profit_quote=got - paid - costs, amounts_raw=found.amounts_raw
        )


def to_raw(amount: float, decimals: int) -> int:
    """Return an amount in whole raw units, floored."""
    return int(Fraction(amount) * 10**decimals)
