"""Exact confirmation of any route: books by lots and ticks, pools by their contracts' arithmetic.

A route of more than two books, or through pools, cannot be traded yet. Who asks for one gets it
confirmed all the same: what whole numbers give now, and not what floats promise. It takes about a
millisecond, which is why routes that are only watched are not confirmed as they come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from engine.decide.confirm import Unconfirmed
from engine.detect.exact_sizing import ExactLeg, confirm_exact, leg_of
from engine.detect.pool_sides import PreparedPool
from engine.domain.assets import AssetCode
from engine.domain.bridges import Bridge, BridgeLeg
from engine.domain.errors import BadValueError
from engine.domain.opportunities import Hop, HopKind, Opportunity, Reason, Side
from engine.kernels.layout import ASK, BID, KEY, SIZE
from engine.market.board import Board
from engine.pools.order_book import ASSET_DECIMALS_MAX, OrderBookLeg, leg_of_book
from engine.portfolio.costs import Costs, ceil_share_quote, ceil_to_quote_step
from engine.portfolio.taken import Taken

BOOK_DECIMALS: Final = 18
"""Decimals in which an asset is counted that no pool of the route holds."""

LEVELS_MAX: Final = 128
"""Levels of a book that a route is confirmed through: no fewer than it is screened through."""

PIPS_PER_BPS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRules:
    """Costs of a route beside its legs' fees.

    Attributes:
        bridges: of the run, by their numbers.
        reach: raw units to either side of the screened input, and of each leg's output, that are
            tried.
    """

    flash_fee_bps: Decimal = Decimal(0)
    bridges: Sequence[Bridge] = ()
    reach: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedRoute:
    """A route at its exact amounts, in units of the asset that it starts and ends in.

    Attributes:
        profit_quote: what is got less what is paid, flash fee, transfers and reckoned gas.
    """

    paid: Decimal
    got: Decimal
    profit_quote: Decimal


class RouteConfirmer:
    """Confirms routes on one board and its pools."""

    def __init__(
        self,
        board: Board,
        costs: Costs,
        taken: Taken,
        pools: Mapping[int, PreparedPool],
        rules: RouteRules,
    ) -> None:
        self._board = board
        self._costs = costs
        self._taken = taken
        self._pools = pools
        self._rules = rules

    def confirm(self, route: Opportunity) -> ConfirmedRoute | Unconfirmed:
        """Carry whole amounts through all legs; dust that makes no whole lot is lost on the way."""
        try:
            decimals = self._decimals(route.hops)
            legs = [self._leg(hop, decimals) for hop in route.hops]
        except BadValueError as error:
            return Unconfirmed(reason=Reason.NOT_CONFIRMED, detail=str(error))
        unit = 10 ** decimals[route.quote]
        flash_fee_bps = self._rules.flash_fee_bps if route.has_only_pools else Decimal(0)
        found = confirm_exact(
            legs,
            int(Fraction(route.hops[0].amount_in) * unit),
            reach=self._rules.reach,
            flash_fee_pips=int(flash_fee_bps * PIPS_PER_BPS),
        )
        if found is None:
            return Unconfirmed(
                reason=Reason.NOT_CONFIRMED,
                detail=f"nothing is left of {route.hops[0].amount_in:.8g} {route.quote} in whole "
                "lots and units",
            )
        paid = Decimal(found.input_raw).scaleb(-decimals[route.quote])
        got = Decimal(found.output_raw).scaleb(-decimals[route.quote])
        costs = self._transfer(route, paid) + ceil_share_quote(paid, flash_fee_bps)
        costs += ceil_to_quote_step(Decimal(route.gas_quote))
        return ConfirmedRoute(paid=paid, got=got, profit_quote=got - paid - costs)

    def _decimals(self, hops: Sequence[Hop]) -> dict[AssetCode, int]:
        """Return in how many decimals each asset is counted: those of the pools that hold it."""
        found: dict[AssetCode, int] = {}
        for hop in hops:
            if hop.kind is HopKind.POOL:
                for asset, decimals in self._pools[hop.row].snapshot.pool.tokens:
                    if found.setdefault(asset, decimals) != decimals:
                        raise BadValueError(
                            f"{asset} has {found[asset]} and {decimals} decimals in one route"
                        )
        return {hop.source: found.get(hop.source, BOOK_DECIMALS) for hop in hops}

    def _leg(self, hop: Hop, decimals: Mapping[AssetCode, int]) -> ExactLeg:
        if hop.kind is HopKind.BOOK:
            return self._book_leg(hop, decimals)
        if hop.kind is HopKind.BRIDGE:
            return BridgeLeg(
                bridge=self._rules.bridges[hop.row],
                source_decimals=decimals[hop.source],
                target_decimals=decimals[hop.target],
            )
        prepared = self._pools[hop.row]
        pool = prepared.snapshot.pool
        return leg_of(
            prepared.state,
            token_in=pool.token_index(hop.source),
            token_out=pool.token_index(hop.target),
        )

    def _book_leg(self, hop: Hop, decimals: Mapping[AssetCode, int]) -> OrderBookLeg:
        instrument = self._board.instruments[hop.row]
        pair = instrument.pair
        is_buy = hop.source == pair.quote
        side = ASK if is_buy else BID
        levels = []
        has_taken = self._taken.has_any(hop.row)
        for level in self._board.side(hop.row, side)[-LEVELS_MAX:][::-1].tolist():
            price, size = abs(level[KEY]), level[SIZE]
            if has_taken:
                size -= self._taken.steps_at(hop.row, side, price)
            if size > 0:
                levels.append((price, size))
        return leg_of_book(
            instrument,
            Side.BUY if is_buy else Side.SELL,
            levels,
            fee_bps=self._costs.fee_bps(instrument.venue),
            base_decimals=min(decimals[pair.base], ASSET_DECIMALS_MAX),
            quote_decimals=min(decimals[pair.quote], ASSET_DECIMALS_MAX),
        )

    def _transfer(self, route: Opportunity, paid: Decimal) -> Decimal:
        if route.has_only_pools:
            return Decimal(0)
        return ceil_share_quote(paid, self._costs.transfer_bps * route.venue_changes / 2)
