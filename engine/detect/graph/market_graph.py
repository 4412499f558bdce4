"""The market as a graph: what turns into what, where, and at which marginal rate after fees.

Pools, books, bridges and transfers are alike here: a *place* with directed edges. All checks of
input are made here; the kernels trust indices, and treat a rate that is none as no edge at all.
"""

import math
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from engine.domain.errors import BadValueError
from engine.kernels import graph as kernels
from engine.kernels.graph_layout import (
    DEAD,
    EDGE,
    EDGE_COLUMNS,
    GRAPH_STATE,
    LANES,
    LOG_MAX,
    NONE,
    PAIR,
    PAIR_COLUMNS,
    PLANES,
    POTENTIAL_ROWS,
    POTENTIALS,
    STATE_ENTRIES,
    TOKEN,
    TOKEN_COLUMNS,
    WEIGHT_MIN,
)

TOKENS_MAX: Final = 65_536
CORE_MAX: Final = 4_096
EDGES_MAX: Final = 1_000_000
RATE_MAX: Final = 1e80
"""Largest rate, and the inverse of the least; beyond it is a broken pool, not a price."""

_CACHE_LINE: Final = 64
Number = TypeVar("Number", np.float32, np.int32)

Arrays = tuple[
    npt.NDArray[np.float32],
    npt.NDArray[np.int32],
    npt.NDArray[np.int32],
    npt.NDArray[np.float64],
    npt.NDArray[np.int32],
    npt.NDArray[np.float32],
    npt.NDArray[np.int32],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
]


class MarketGraph:
    """Tokens, places and edges of all venues, changed in place.

    Tokens have numbers. Those below `core_size` are the core: they are scanned by whole rows, which
    takes the same time however many pools they have. The others are the tail, for tokens with a
    few pools each.

    Attributes:
        arrays: see `kernels.graph_layout`; numbers of edges index its columns.
        core_size: room for tokens in the core, a multiple of 64.
        edges_used: no edge ever had this number or a higher one.
    """

    def __init__(self, *, core_size: int, token_max: int, edge_max: int) -> None:
        if not (0 < core_size <= CORE_MAX and core_size <= token_max <= TOKENS_MAX):
            raise BadValueError(
                f"core for {core_size} and room for {token_max} tokens; the core takes 1 to "
                f"{CORE_MAX}, all together at least as many and up to {TOKENS_MAX}"
            )
        if not 0 < edge_max <= EDGES_MAX:
            raise BadValueError(f"room for {edge_max} edges; it must be 1 to {EDGES_MAX}")
        self.core_size = -(-core_size // LANES) * LANES
        self.token_max = max(token_max, self.core_size)
        self.edge_max = edge_max
        self.arrays = _make_arrays(self.core_size, self.token_max, edge_max)
        self.edges_used = 0
        self._tokens: dict[str, int] = {}
        self._names: list[str | None] = [None] * self.token_max
        self._core_free = list(range(self.core_size - 1, -1, -1))
        self._tail_free = list(range(self.token_max - 1, self.core_size - 1, -1))
        self._places: dict[int, set[int]] = {}

    def used_arrays(self) -> list[npt.NDArray[Any]]:
        """Return what has held tokens or edges; see `core.checkpoint`.

        There are as many pairs as edges at most, and numbers that are free again come first.
        """
        dense, pair_of, edges, rates, pairs, weights = self.arrays[:6]
        columns, used = int(self.arrays[8][GRAPH_STATE.COLUMNS]), self.edges_used
        return [
            dense[:, :columns, :columns],
            pair_of[:columns, :columns],
            *(rows[:used] for rows in (edges, rates, pairs, weights)),
        ]

    def add_token(self, name: str, *, in_tail: bool = False) -> int:
        """Add a token to the core, or to the tail if asked to or if the core is full.

        Returns:
            Its number, until it is removed.

        Raises:
            BadValueError: the name is empty or known already, or there is no room.
        """
        if not name or name in self._tokens:
            raise BadValueError(f"token {name!r} is {'known already' if name else 'without name'}")
        free = self._tail_free if in_tail or not self._core_free else self._core_free
        if not free:
            raise BadValueError(f"no room for token {name!r}: {len(self._tokens)} are there")
        token = free.pop()
        self._tokens[name] = token
        self._names[token] = name
        if token < self.core_size:
            used = -(-(token + 1) // LANES) * LANES
            state = self.arrays[8]
            state[GRAPH_STATE.COLUMNS] = max(int(state[GRAPH_STATE.COLUMNS]), used)
        return token

    def remove_token(self, name: str) -> None:
        """Remove a token that has no edges.

        Raises:
            BadValueError: the token is unknown or has edges.
        """
        token = self.token(name)
        if self.has_edges(token):
            raise BadValueError(f"token {name!r} still has edges; remove its places first")
        del self._tokens[name]
        self._names[token] = None
        (self._core_free if token < self.core_size else self._tail_free).append(token)

    def token(self, name: str) -> int:
        """Return the number of a token.

        Raises:
            BadValueError: it is unknown.
        """
        token = self._tokens.get(name)
        if token is None:
            raise BadValueError(f"token {name!r} is unknown; add it first")
        return token

    def name_of(self, token: int) -> str:
        """Return the name of a token.

        Raises:
            BadValueError: no token has this number.
        """
        name = self._names[token] if 0 <= token < self.token_max else None
        if name is None:
            raise BadValueError(f"no token has number {token}")
        return name

    def has_edges(self, token: int) -> bool:
        """Tell whether anything leads to or from a token.

        Raises:
            BadValueError: no token has this number.
        """
        self.name_of(token)
        return bool(self.arrays[6][token, TOKEN.PAIRS])

    def add_edge(self, *, source: int, target: int, place: int, log_rate: float) -> int:
        """Add a directed edge of a place; the place comes into being with its first edge.

        A place of several tokens has an edge for each ordered couple of them.

        Args:
            source: number of the token that is given.
            target: number of the token that is received.
            place: any number below 2**31 that the caller knows the place by.
            log_rate: log of target per source at the margin, after all proportional costs.

        Returns:
            The edge's number, until it is removed.

        Raises:
            BadValueError: a token is unknown, both are the same, the place has this edge
                already, the rate is none, or there is no room.
        """
        named = f"{self.name_of(source)} to {self.name_of(target)} at place {place}"
        if source == target:
            raise BadValueError(f"edge from {named} is a loop; a place must not hold a token twice")
        if not 0 <= place < 2**31:
            raise BadValueError(f"place is {place}; it must be 0 or more and below 2**31")
        _check(log_rate, named)
        held = self._places.get(place, set())
        edges = self.arrays[2]
        ends = (EDGE.SOURCE, EDGE.TARGET)
        if any(tuple(edges[edge, ends]) == (source, target) for edge in held):
            raise BadValueError(f"edge from {named} is there already")
        edge = int(kernels.add_edge(self.arrays, source, target, place, float(log_rate)))
        if edge == NONE:
            raise BadValueError(f"no room for the edge from {named}: {self.edge_max} are there")
        self.edges_used = max(self.edges_used, edge + 1)
        held.add(edge)
        self._places[place] = held
        return edge

    def remove_place(self, place: int) -> None:
        """Remove a place with all of its edges.

        Raises:
            BadValueError: the place is unknown.
        """
        for edge in self.edges_at(place):
            kernels.remove_edge(self.arrays, edge)
        del self._places[place]

    def edges_at(self, place: int) -> tuple[int, ...]:
        """Return the edges of a place.

        Raises:
            BadValueError: the place is unknown.
        """
        if place not in self._places:
            raise BadValueError(f"place {place} is unknown")
        return tuple(sorted(self._places[place]))

    def parallel_to(self, edge: int) -> tuple[int, ...]:
        """Return all edges from the source of an edge to its target, itself among them.

        Raises:
            BadValueError: the edge does not exist.
        """
        self._check_edge(edge)
        edges, pairs = self.arrays[2], self.arrays[4]
        found = []
        at = int(pairs[edges[edge, EDGE.PAIR], PAIR.HEAD])
        while at != NONE:
            found.append(at)
            at = int(edges[at, EDGE.NEXT])
        return tuple(found)

    def close_edge(self, edge: int) -> None:
        """Take an edge out of all cycles until its next rate: a stale book, a paused pool.

        Raises:
            BadValueError: the edge does not exist.
        """
        self._check_edge(edge)
        kernels.set_rates(self.arrays, np.array([edge], np.int32), np.array([DEAD]))

    def set_chain(self, edge: int, chain: int) -> None:
        """Say of which chain an edge's pool is, from 1 on; NONE where no transaction goes.

        Without a word it is of none, as an order book's is.

        Raises:
            BadValueError: the edge does not exist.
        """
        self._check_edge(edge)
        self.arrays[2][edge, EDGE.CHAIN] = chain

    def potential(self, token: int) -> float:
        """Return the log of a token's value, as `set_potential` or its first edge had it.

        Raises:
            BadValueError: the token is unknown.
        """
        self.name_of(token)
        return -float(self.arrays[7][POTENTIALS.OWN, token])

    def set_potential(self, token: int, potential: float) -> None:
        """Give a token the log of its value, so that weights around it are near zero.

        Scans find the same with any potentials, only faster with good ones. Takes 0.15 ms
        in a core of 1,024.

        Raises:
            BadValueError: the token is unknown or the value is not within `LOG_MAX`.
        """
        named = self.name_of(token)
        _check(potential, f"potential of {named}")
        # A weight is rate + source - target: a unit of a dear token makes many of a cheap one.
        kernels.set_potential(self.arrays, token, -potential)

    def _check_edge(self, edge: int) -> None:
        if not 0 <= edge < self.edge_max or self.arrays[2][edge, EDGE.PAIR] < 0:
            raise BadValueError(f"edge {edge} does not exist")


def _check(log_rate: float, named: str) -> None:
    if not -LOG_MAX <= log_rate <= LOG_MAX:
        raise BadValueError(
            f"log rate of {named} is {log_rate}; it must be finite and within {LOG_MAX:g} of zero"
        )


def _aligned(shape: tuple[int, ...], fill: float, kind: type[Number]) -> npt.NDArray[Number]:
    """Make a filled array that begins at a cache line, so that no vector or row spans two."""
    byte_count = math.prod(shape) * np.dtype(kind).itemsize
    room = np.empty(byte_count + _CACHE_LINE, np.uint8)
    begin = -room.ctypes.data % _CACHE_LINE
    made = room[begin : begin + byte_count].view(kind).reshape(shape)
    made.fill(fill)
    return made


def _make_arrays(core: int, tokens: int, edges: int) -> Arrays:
    edge_table = _aligned((edges, EDGE_COLUMNS), NONE, np.int32)
    edge_table[:, [EDGE.STAMP, EDGE.WATCH]] = 0
    edge_table[:-1, EDGE.NEXT] = np.arange(1, edges)
    pair_table = _aligned((edges, PAIR_COLUMNS), NONE, np.int32)
    pair_table[:-1, PAIR.OUT_NEXT] = np.arange(1, edges)
    token_table = _aligned((tokens, TOKEN_COLUMNS), NONE, np.int32)
    token_table[:, TOKEN.PAIRS] = 0
    potentials = np.full((POTENTIAL_ROWS, tokens), DEAD)
    potentials[[POTENTIALS.OWN, POTENTIALS.RAISES_SEEN]] = 0.0
    state = np.zeros(STATE_ENTRIES)
    state[GRAPH_STATE.SCALE] = -WEIGHT_MIN
    return (
        _aligned((PLANES, core, core), DEAD, np.float32),
        np.full((core, core), NONE, np.int32),
        edge_table,
        np.full(edges, DEAD),
        pair_table,
        np.full(edges, DEAD, np.float32),
        token_table,
        potentials,
        state,
    )
