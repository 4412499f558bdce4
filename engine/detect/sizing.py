"""Routes sized to their optimum, net of everything, over tables of the market's sides.

The floats here screen and find the optimum; `exact_sizing` then confirms it in whole numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.pieces import Pieces, check_pieces
from engine.domain.errors import BadValueError
from engine.kernels import sizing_layout as layout
from engine.kernels.sizing import size_route, size_routes

Floats = NDArray[np.float64]

CURVE_FORMS = (layout.FORM_SOLIDLY, layout.FORM_STABLE_SWAP, layout.FORM_WEIGHTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTerms:
    """What a route costs and may use, in units of the token it starts and ends in.

    `flash_fee_ratio` is paid on the input, `fixed_cost` (gas, transfers) whatever the size; `value`
    of one unit in the reporting asset makes routes comparable.
    """

    flash_fee_ratio: float = 0.0
    fixed_cost: float = 0.0
    input_min: float = 0.0
    input_max: float = math.inf
    value: float = 1.0

    def __post_init__(self) -> None:
        for what, low, number in (
            ("flash_fee_ratio", 0.0, self.flash_fee_ratio),
            ("fixed_cost", 0.0, self.fixed_cost),
            ("input_min", 0.0, self.input_min),
        ):
            if not low <= number <= layout.AMOUNT_MAX:
                raise BadValueError(f"{what} {number} of a route; it must be from {low} on")
        if not self.input_min <= self.input_max:
            raise BadValueError(f"input_max {self.input_max} is below input_min {self.input_min}")
        if not 0.0 < self.value <= layout.AMOUNT_MAX:
            raise BadValueError(f"value {self.value} of a unit; it must be positive")

    def as_row(self) -> list[float]:
        """Give the row of `terms` that the kernels read."""
        pays = 1.0 + self.flash_fee_ratio
        return [pays, self.fixed_cost, self.input_min, self.input_max, self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedRoute:
    """The optimum of a route: amounts in units of its first token, value in the reporting asset.

    `rate_first` is what the first unit would bring: 1 and the edge at the margin.
    """

    route_index: int
    input: float
    output: float
    profit: float
    value: float
    rate_first: float


class SideTables:
    """All sides of a market as the arrays that kernels read; a row number names a side."""

    def __init__(self) -> None:
        self._sides: list[list[float]] = []
        self._pieces: list[Pieces] = []
        self._piece_count = 0
        self._curves: list[Floats] = []
        self._arrays: tuple[Floats, Floats, Floats] | None = None

    def add_pieces(self, pieces: Pieces, *, input_max: float = math.inf) -> int:
        """Add a side made of pieces and return its row.

        Raises:
            BadValueError: pieces of no concave function.
        """
        checked = check_pieces(pieces, what=f"side {len(self._sides)}")
        first = self._piece_count
        self._pieces.append(checked)
        self._piece_count += len(checked)
        return self._add(layout.FORM_PIECES, first, self._piece_count, input_max=input_max)

    def add_curve(
        self,
        form: int,
        row: Sequence[float],
        *,
        token_in: int,
        token_out: int,
        input_max: float = math.inf,
    ) -> int:
        """Add one direction of a curved pool, `row` as its own kernel has it; returns its row.

        Raises:
            BadValueError: no such form, or a row that is too wide.
        """
        if form not in CURVE_FORMS or len(row) > layout.CURVE_COLUMNS:
            raise BadValueError(f"form {form} with {len(row)} columns is no curve")
        curve = np.zeros(layout.CURVE_COLUMNS)
        curve[: len(row)] = row
        self._curves.append(curve)
        at = len(self._curves) - 1
        return self._add(form, at, at + 1, token_in, token_out, input_max=input_max)

    def add_group(self, members: Sequence[int], *, input_max: float = math.inf) -> int:
        """Add sides in parallel as one side, which shares an input among them; returns its row.

        Raises:
            BadValueError: no member, or one that is a group itself.
        """
        rows = [self._sides[member] for member in members]
        if not rows or any(row[layout.FORM] == layout.FORM_GROUP for row in rows):
            raise BadValueError(f"sides {list(members)} make no group")
        first = len(self._sides)
        self._sides += [list(row) for row in rows]
        return self._add(layout.FORM_GROUP, first, first + len(rows), input_max=input_max)

    @property
    def arrays(self) -> tuple[Floats, Floats, Floats]:
        """The arrays `sides`, `pieces` and `curves`."""
        if self._arrays is None:
            empty = np.zeros((0, layout.PIECE_COLUMNS))
            self._arrays = (
                np.array(self._sides, np.float64).reshape(-1, layout.SIDE_COLUMNS),
                np.concatenate([empty, *self._pieces]),
                np.array(self._curves, np.float64).reshape(-1, layout.CURVE_COLUMNS),
            )
        return self._arrays

    def _add(
        self,
        form: int,
        first: int,
        end: int,
        token_in: int = 0,
        token_out: int = 1,
        *,
        input_max: float,
    ) -> int:
        if not input_max > 0.0:
            raise BadValueError(f"input_max {input_max} of a side; it must be positive")
        self._sides.append([form, first, end, token_in, token_out, input_max])
        self._arrays = None
        return len(self._sides) - 1


def size(tables: SideTables, cycle: Sequence[int], terms: RouteTerms) -> SizedRoute | None:
    """Return a route at its optimum; `None` if nothing is gained net of everything."""
    out = np.zeros(layout.OUT_COLUMNS)
    legs = np.array(cycle, np.int64)
    if not size_route(legs, *tables.arrays, np.array(terms.as_row()), out):
        return None
    return _sized(out)


def size_best(
    tables: SideTables,
    cycles: Sequence[Sequence[int]],
    terms: Sequence[RouteTerms],
    *,
    count_max: int,
) -> list[SizedRoute]:
    """Return the best routes by net value, the best one first.

    Raises:
        BadValueError: not one row of terms per route, or a route of more than LEGS_MAX legs.
    """
    if len(cycles) != len(terms) or count_max < 1:
        raise BadValueError(f"{len(cycles)} routes, {len(terms)} terms, count_max {count_max}")
    legs = np.full((len(cycles), layout.LEGS_MAX), layout.NO_LEG, np.int64)
    for row, cycle in zip(legs, cycles, strict=True):
        if len(cycle) > layout.LEGS_MAX:
            raise BadValueError(f"{len(cycle)} legs of a route; at most {layout.LEGS_MAX}")
        row[: len(cycle)] = cycle
    rows = np.array([one.as_row() for one in terms]).reshape(-1, layout.TERM_COLUMNS)
    out = np.zeros((count_max + 1, layout.OUT_COLUMNS))
    filled = size_routes(legs, *tables.arrays, rows, out)
    return [_sized(out[k]) for k in range(filled)]


def _sized(out: Floats) -> SizedRoute:
    return SizedRoute(
        route_index=int(out[layout.OUT_ROUTE]),
        input=float(out[layout.OUT_INPUT]),
        output=float(out[layout.OUT_OUTPUT]),
        profit=float(out[layout.OUT_PROFIT]),
        value=float(out[layout.OUT_VALUE]),
        rate_first=float(out[layout.OUT_RATE]),
    )
