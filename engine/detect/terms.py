"""Terms of all routes as the arrays that the gap kernel reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from engine.detect.routes import Route
from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument, Pair
from engine.kernels import layout
from engine.portfolio.costs import BPS_PER_UNIT, Costs

EDGE_MARGIN_BPS = 0.001
"""Screened above the minimum, so that rounding fees up does not sink what was screened at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What a candidate must be to be an opportunity.

    Attributes:
        edge_bps_min: least average net edge.
        age_ns_max: books without a change for longer are left out.
        size_base_max: most base bought at once, by pair; pairs left out have no such limit.
    """

    edge_bps_min: Decimal
    age_ns_max: int
    size_base_max: Mapping[Pair, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.edge_bps_min < BPS_PER_UNIT:
            raise BadValueError(
                f"least edge is {self.edge_bps_min} bps; it must be 0 or more and below "
                f"{BPS_PER_UNIT}"
            )
        if self.age_ns_max <= 0:
            raise BadValueError(f"age limit is {self.age_ns_max} ns; it must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Arrays for the gap kernel; see `kernels.layout`.

    Attributes:
        out: room for the candidates of the book with the most routes.
    """

    terms: npt.NDArray[np.float64]
    routes: npt.NDArray[np.float64]
    out: npt.NDArray[np.float64]


def make_tables(
    instruments: Sequence[Instrument], routes: Sequence[Route], costs: Costs, screen: Screen
) -> Tables:
    """Make the kernel's arrays.

    Raises:
        BadValueError: a venue of a route has no fee.
    """
    terms = np.zeros((max(len(instruments), 1), layout.TERM_COLUMNS))
    rows: list[list[float]] = []
    most = 1
    for book, instrument in enumerate(instruments):
        own = [route for route in routes if book in {route.buy_book, route.sell_book}]
        most = max(most, len(own))
        terms[book, layout.PRICE_SCALE] = 10.0**-instrument.price_decimals
        terms[book, layout.SIZE_SCALE] = 10.0**-instrument.size_decimals
        if own:
            terms[book, layout.FEE_RATIO] = float(costs.fee_bps(instrument.venue)) / BPS_PER_UNIT
        terms[book, layout.AGE_NS_MAX] = screen.age_ns_max
        terms[book, layout.ROUTES_FROM] = len(rows)
        rows.extend(_row(instruments, route, costs, screen) for route in own)
        terms[book, layout.ROUTES_TO] = len(rows)
    table = np.array(rows or [[0.0] * layout.ROUTE_COLUMNS], np.float64)
    return Tables(terms=terms, routes=table, out=np.zeros((most, layout.OUT_COLUMNS)))


def _row(
    instruments: Sequence[Instrument], route: Route, costs: Costs, screen: Screen
) -> list[float]:
    buy, sell = instruments[route.buy_book], instruments[route.sell_book]
    row = [0.0] * layout.ROUTE_COLUMNS
    row[layout.BUY_BOOK] = route.buy_book
    row[layout.SELL_BOOK] = route.sell_book
    transfer_bps = costs.transfer_bps_of(buy=buy.venue, sell=sell.venue)
    row[layout.TRANSFER_RATIO] = float(transfer_bps) / BPS_PER_UNIT
    row[layout.EDGE_RATIO_MIN] = (float(screen.edge_bps_min) + EDGE_MARGIN_BPS) / BPS_PER_UNIT
    size_base_max = screen.size_base_max.get(buy.pair)
    row[layout.SIZE_BASE_MAX] = np.inf if size_base_max is None else float(size_base_max)
    return row
