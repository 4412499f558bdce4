"""Legs of routes in whole numbers: books by lots and ticks, pools by their contracts' arithmetic.

What paper trades have taken from a book is not there any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from engine.detect.graph.moved_pair import KnownPool
from engine.detect.graph.places import Place
from engine.detect.graph.pool_sides import PoolSide
from engine.detect.sizing.exact import ExactLeg, leg_of
from engine.detect.sizing.pieces import Pieces, pieces_of_asks, pieces_of_bids
from engine.domain.assets import AssetCode
from engine.domain.bridges import Bridge, BridgeLeg
from engine.domain.errors import BadValueError
from engine.domain.opportunities import Hop, HopKind, Side
from engine.domain.units import BPS_PER_UNIT
from engine.kernels.layout import ASK, BID, KEY, SIZE
from engine.market.board import Board
from engine.market.book_leg import ASSET_DECIMALS_MAX, OrderBookLeg, leg_of_book
from engine.portfolio.costs import Costs
from engine.portfolio.taken import Taken

BOOK_DECIMALS: Final = 18
"""Decimals in which an asset is counted that no pool of the route holds."""

LEVELS_MAX: Final = 128
"""Levels of a book that a route is confirmed through: no fewer than it is screened through."""


class ExactLegs:
    """Makes legs of one board, its pools and its bridges as they are now."""

    def __init__(
        self,
        board: Board,
        costs: Costs,
        taken: Taken,
        pools: Mapping[int, KnownPool],
        bridges: Sequence[Bridge] = (),
    ) -> None:
        self._board = board
        self._costs = costs
        self._taken = taken
        self._pools = pools
        self._bridges = bridges

    def decimals(self, legs: Iterable[Hop | Place]) -> dict[AssetCode, int]:
        """Return in how many decimals each asset is counted: those of the pools that hold it.

        Raises:
            BadValueError: two pools count an asset in different ones, or a pool is gone.
        """
        found: dict[AssetCode, int] = {}
        sources = []
        for leg in legs:
            sources.append(leg.source)
            if leg.kind is HopKind.POOL:
                for asset, decimals in self._pool(leg.row).pool.tokens:
                    if found.setdefault(asset, decimals) != decimals:
                        raise BadValueError(
                            f"{asset} has {found[asset]} and {decimals} decimals in one route"
                        )
        return {source: found.get(source, BOOK_DECIMALS) for source in sources}

    def leg(self, leg: Hop | Place, decimals: Mapping[AssetCode, int]) -> ExactLeg:
        """Return the exact form of a leg.

        Raises:
            BadValueError: nothing is left of its book, its numbers are none, or its pool is gone.
        """
        if leg.kind is HopKind.BOOK:
            return self.book_leg(leg, decimals)
        if leg.kind is HopKind.BRIDGE:
            return BridgeLeg(
                bridge=self._bridges[leg.row],
                source_decimals=decimals[leg.source],
                target_decimals=decimals[leg.target],
            )
        prepared = self._pool(leg.row)
        pool = prepared.pool
        return leg_of(
            prepared.state,
            token_in=pool.token_index(leg.source),
            token_out=pool.token_index(leg.target),
        )

    def side(self, place: Place) -> Pieces | PoolSide | None:
        """Return a place as it is sized in floats, None for a book of which nothing is left.

        Raises:
            BadValueError: its numbers are none, or its pool is gone.
        """
        if place.kind is HopKind.BRIDGE:
            rate = 1.0 - float(self._bridges[place.row].cost_bps) / BPS_PER_UNIT
            return np.array([[0.0, 0.0, rate, 0.0]])
        if place.kind is HopKind.POOL:
            ends = (place.source, place.target)
            sides = self._pool(place.row).sides
            return next(side for side in sides if (side.source, side.target) == ends)
        instrument = self._board.instruments[place.row]
        is_buy = place.source == instrument.pair.quote
        price_step, size_step = 10.0**-instrument.price_decimals, 10.0**-instrument.size_decimals
        levels = [
            (price * price_step, size * size_step)
            for price, size in self._levels(place.row, ASK if is_buy else BID)
        ]
        if not levels:
            return None
        fee_ratio = float(self._costs.fee_bps(instrument.venue)) / BPS_PER_UNIT
        pieces_of = pieces_of_asks if is_buy else pieces_of_bids
        return pieces_of(levels, fee_ratio=fee_ratio)

    def _pool(self, number: int) -> KnownPool:
        prepared = self._pools.get(number)
        if prepared is None:
            raise BadValueError(f"pool number {number} is gone")
        return prepared

    def book_leg(self, leg: Hop | Place, decimals: Mapping[AssetCode, int]) -> OrderBookLeg:
        """Return the exact form of a leg at a book.

        Raises:
            BadValueError: nothing is left of it.
        """
        instrument = self._board.instruments[leg.row]
        pair = instrument.pair
        is_buy = leg.source == pair.quote
        return leg_of_book(
            instrument,
            Side.BUY if is_buy else Side.SELL,
            self._levels(leg.row, ASK if is_buy else BID),
            fee_bps=self._costs.fee_bps(instrument.venue),
            base_decimals=min(decimals[pair.base], ASSET_DECIMALS_MAX),
            quote_decimals=min(decimals[pair.quote], ASSET_DECIMALS_MAX),
            fees_in_base=self._costs.takes_base(instrument.venue, Side.BUY),
        )

    def _levels(self, book: int, side: int) -> list[tuple[int, int]]:
        """Return (price, size) in steps of what is not taken, the best price first."""
        levels = []
        has_taken = self._taken.has_any(book)
        for level in self._board.side(book, side)[-LEVELS_MAX:][::-1].tolist():
            price, size = abs(level[KEY]), level[SIZE]
            if has_taken:
                size -= self._taken.steps_at(book, side, price)
            if size > 0:
                levels.append((price, size))
        return levels
