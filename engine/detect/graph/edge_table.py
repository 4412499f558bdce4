"""What edges are beside their rates: at which place, what a leg there costs, where pieces are."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.detect.graph.market_graph import MarketGraph
from engine.detect.graph.places import Place
from engine.detect.graph.pool_sides import PoolSide
from engine.detect.graph.side_arena import SideArena
from engine.domain.instruments import VenueId
from engine.kernels.graph_layout import NONE
from engine.kernels.screen_layout import LEG, LEG_COLUMNS


class EdgeTable:
    """The edges of a graph with their places, legs and sides.

    Attributes:
        market: rates, by tokens and edges.
        sides: pieces and curves.
        places: of each edge.
        legs: float64 (edges, LEG_COLUMNS) of `kernels.screen_layout`.
        filled: int64 (edges,): the CHANGES of its book when an edge's pieces were made.
    """

    def __init__(self, market: MarketGraph, sides: SideArena) -> None:
        self.market = market
        self.sides = sides
        self.places: dict[int, Place] = {}
        self.legs = np.zeros((market.edge_max, LEG_COLUMNS))
        self.filled = np.full(market.edge_max, -1, np.int64)
        self._venues: dict[VenueId, int] = {}

    def used_arrays(self) -> list[NDArray[np.float64] | NDArray[np.int64]]:
        """Return the rows of edges; see `core.checkpoint`."""
        edges = self.market.edges_used
        return [self.legs[:edges], self.filled[:edges]]

    def add(self, place: Place, *, log_rate: float, keep_ratio: float) -> int:
        """Add one direction of a place, whose assets have tokens; return its edge.

        Raises:
            BadValueError: it is there already, or there is no room.
        """
        edge = self.market.add_edge(
            source=self.market.token(place.source),
            target=self.market.token(place.target),
            place=place.number,
            log_rate=log_rate,
        )
        self.places[edge] = place
        leg = self.legs[edge]
        leg[:] = 0.0
        leg[LEG.BOOK] = leg[LEG.SIDE] = NONE
        leg[LEG.VENUE] = self._venues.setdefault(place.venue, len(self._venues))
        leg[LEG.KEEP] = keep_ratio
        self.filled[edge] = -1
        return edge

    def charge(self, edge: int, keep_ratio: float) -> None:
        """Have an edge keep another share; its pieces are made anew when they are next needed."""
        self.legs[edge, LEG.KEEP] = keep_ratio
        self.filled[edge] = -1

    def remove(self, place: int, edges: Iterable[int]) -> None:
        """Remove the edges of a place."""
        removed = list(edges)
        for edge in removed:
            self.sides.free(edge)
            del self.places[edge]
        if removed:
            self.market.remove_place(place)

    def set_side(self, edge: int, side: PoolSide) -> None:
        """Write a side of a prepared pool, whose pieces are checked, where there is room."""
        if side.pieces is not None:
            self.sides.write(edge, side.pieces)
        else:
            self.sides.set_curve(
                edge, side.form, side.row, token_in=side.token_in, token_out=side.token_out
            )
