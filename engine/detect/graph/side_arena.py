"""Room for the pieces and curves of a market's sides, changed in place while it runs."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.detect.sizing.pieces import Pieces, check_pieces
from engine.detect.sizing.routes import CURVE_FORMS
from engine.domain.errors import BadValueError
from engine.kernels.sizing_layout import (
    CURVE_COLUMNS,
    FORM_PIECES,
    PIECE_COLUMNS,
    SIDE,
    SIDE_COLUMNS,
)

Floats = NDArray[np.float64]

ROOM_MIN: Final = 2


class SideArena:
    """One side per edge of the market graph; an edge's number is its side's row.

    Spans of pieces have a power of two of rows, so that one that was given back fits the next.

    Attributes:
        arrays: `sides`, `pieces` and `curves`, see `kernels.sizing_layout`; never replaced.
    """

    def __init__(self, *, edge_max: int, piece_max: int) -> None:
        sides = np.zeros((edge_max, SIDE_COLUMNS))
        sides[:, SIDE.INPUT_MAX] = np.inf
        self.arrays: tuple[Floats, Floats, Floats] = (
            sides,
            np.zeros((piece_max, PIECE_COLUMNS)),
            np.zeros((edge_max, CURVE_COLUMNS)),
        )
        self._spans: dict[int, tuple[int, int]] = {}
        self._free: defaultdict[int, list[int]] = defaultdict(list)
        self._used = 0
        self._edges_used = 0

    def used_arrays(self) -> list[Floats]:
        """Return what has held sides; see `core.checkpoint`."""
        sides, pieces, curves = self.arrays
        edges = self._edges_used
        return [sides[:edges], pieces[: self._used], curves[:edges]]

    def reserve(self, edge: int, rows: int) -> int:
        """Give an edge room for so many pieces and return its first row; its pieces stay.

        Raises:
            BadValueError: there is no room left; the edge is as it was.
        """
        room = max(ROOM_MIN, 1 << (rows - 1).bit_length())
        held = self._spans.get(edge)
        if held is not None and held[1] >= room:
            return held[0]
        if self._free[room]:
            first = self._free[room].pop()
        elif self._used + room <= len(self.arrays[1]):
            first = self._used
            self._used += room
        else:
            raise BadValueError(
                f"no room for {rows} pieces of edge {edge}: {len(self.arrays[1])} rows are there"
            )
        side, pieces = self.arrays[0][edge], self.arrays[1]
        count = 0
        if held is not None:
            count = int(side[SIDE.TO]) - held[0]
            pieces[first : first + count] = pieces[held[0] : held[0] + count]
            self.free(edge)
        self._spans[edge] = (first, room)
        self._edges_used = max(self._edges_used, edge + 1)
        side[SIDE.FORM] = FORM_PIECES
        side[SIDE.FROM] = first
        side[SIDE.TO] = first + count
        return first

    def set_pieces(self, edge: int, pieces: Pieces) -> None:
        """Make an edge's side of these pieces.

        Raises:
            BadValueError: they are those of no concave function, or there is no room.
        """
        checked = check_pieces(pieces, what=f"edge {edge}")
        self.reserve(edge, len(checked))
        self.write(edge, checked)

    def write(self, edge: int, pieces: Pieces) -> None:
        """Make an edge's side of pieces that are checked already; it has reserved room for them."""
        first, room = self._spans[edge]
        end = first + len(pieces)
        assert end <= first + room
        sides, held, _ = self.arrays
        held[first:end] = pieces
        sides[edge, SIDE.TO] = end

    def write_single(self, edges: Sequence[int], pieces: Sequence[Pieces]) -> None:
        """Make edges' sides of one checked piece each; they have room for it."""
        if not edges:
            return
        sides, held, _ = self.arrays
        rows = sides[edges, SIDE.FROM].astype(np.intp)
        held[rows] = np.concatenate(pieces)
        sides[edges, SIDE.TO] = rows + 1

    def set_curve(
        self, edge: int, form: int, row: Sequence[float], *, token_in: int, token_out: int
    ) -> None:
        """Make an edge's side a curve, `row` as its own kernel has it.

        Raises:
            BadValueError: no such form, or a row that is too wide.
        """
        if form not in CURVE_FORMS or len(row) > CURVE_COLUMNS:
            raise BadValueError(f"form {form} with {len(row)} columns is no curve")
        self.free(edge)
        self._edges_used = max(self._edges_used, edge + 1)
        sides, _, curves = self.arrays
        curves[edge] = 0.0
        curves[edge, : len(row)] = row
        sides[edge, : SIDE.INPUT_MAX] = (form, edge, edge + 1, token_in, token_out)

    def free(self, edge: int) -> None:
        """Give an edge's room back."""
        held = self._spans.pop(edge, None)
        if held is not None:
            self._free[held[1]].append(held[0])
            sides = self.arrays[0]
            sides[edge, SIDE.TO] = sides[edge, SIDE.FROM]
