"""What stands beside the places of a route: other books and pools from one asset to the same other.

Read when a person asks for it; nothing of the graph changes.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.detect.graph.market_graph import MarketGraph
from engine.detect.graph.places import PLACES_FROM, Place
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.opportunities import Hop, HopKind
from engine.kernels.graph_layout import ALIVE_MIN
from engine.kernels.screen_layout import ASSET, COST, LEG
from engine.market.board import Board

PLACES_MAX: Final = 8
"""Most places that one leg is shared among: the engine waits while a person is answered."""


class ParallelPlaces:
    """Finds places beside those of a route, and what using them costs."""

    def __init__(
        self,
        board: Board,
        graph: MarketGraph,
        places: Mapping[int, Place],
        *,
        legs: NDArray[np.float64],
        costs: NDArray[np.float64],
        tokens: NDArray[np.float64],
    ) -> None:
        """Take the live graph's own parts: its places by edge, and arrays of `screen_layout`."""
        self._board = board
        self._graph = graph
        self._places = places
        self._legs = legs
        self._costs = costs
        self._tokens = tokens

    def beside(self, leg: Hop, at_ns: int) -> tuple[Place, ...]:
        """Return what turns a leg's asset into its other one at a time, the leg's own place first.

        Then come books and pools, the best rate first; none that is closed, stale or too old. At
        most PLACES_MAX are returned, and nothing if the leg's own place is not among them.

        Raises:
            BadValueError: the leg's place is in the graph no more.
        """
        own = self._edge_of(leg)
        edges = [edge for edge in self._graph.parallel_to(own) if self._is_open(edge, at_ns)]
        if own not in edges:
            return ()
        rates = self._graph.arrays[3]
        others = [
            edge
            for edge in sorted(edges, key=rates.__getitem__, reverse=True)
            if edge != own and self._places[edge].kind is not HopKind.BRIDGE
        ]
        return tuple(self._places[edge] for edge in [own, *others][:PLACES_MAX])

    def fixed_cost(self, place: Place, asset: AssetCode) -> float | None:
        """Return what a use of a place costs whatever the size: gas, or a bridge's fixed part.

        In units of an asset; None while the gas or that asset has no value.

        Raises:
            BadValueError: the place or the asset is in the graph no more.
        """
        leg = self._legs[self._edge_of(place)]
        gas_units, fixed_usd = float(leg[LEG.GAS_UNITS]), float(leg[LEG.FIXED_USD])
        if not gas_units and not fixed_usd:
            return 0.0
        gas_unit_usd = float(self._costs[COST.GAS_UNIT_USD + int(leg[LEG.CHAIN])])
        value_usd = float(self._tokens[self._graph.token(asset), ASSET.VALUE_USD])
        if gas_unit_usd < 0.0 or not value_usd > 0.0:
            return None
        return (gas_units * gas_unit_usd + fixed_usd) / value_usd

    def _edge_of(self, leg: Hop | Place) -> int:
        place = leg.row + PLACES_FROM[leg.kind]
        for edge in self._graph.edges_at(place):
            found = self._places[edge]
            if (found.source, found.target) == (leg.source, leg.target):
                return edge
        raise BadValueError(f"no edge from {leg.source} to {leg.target} at place {place}")

    def _is_open(self, edge: int, at_ns: int) -> bool:
        if not self._graph.arrays[3][edge] > ALIVE_MIN:
            return False
        place, age_ns_max = self._places[edge], int(self._costs[COST.AGE_NS_MAX])
        chain = int(self._legs[edge, LEG.CHAIN])
        if at_ns > self._costs[COST.CHAIN_UNTIL_NS + chain]:
            return False
        return place.kind is not HopKind.BOOK or self._board.is_fresh(
            place.row, at_ns=at_ns, age_ns_max=age_ns_max
        )
