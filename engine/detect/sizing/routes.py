"""Routes sized to their optimum, net of everything, over tables of the market's sides.

The floats here screen and find the optimum; `exact` then confirms it in whole numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.sizing.pieces import Pieces, check_pieces
from engine.domain.errors import BadValueError
from engine.kernels.sizing import size_route
from engine.kernels.sizing_layout import (
    AMOUNT_MAX,
    CURVE_COLUMNS,
    FORM_GROUP,
    FORM_PIECES,
    FORM_SOLIDLY,
    FORM_STABLE_SWAP,
    FORM_WEIGHTED,
    PIECE_COLUMNS,
    SIDE,
    SIDE_COLUMNS,
    SIZED,
    SIZED_COLUMNS,
)

Floats = NDArray[np.float64]

CURVE_FORMS = (FORM_SOLIDLY, FORM_STABLE_SWAP, FORM_WEIGHTED)


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
            if not low <= number <= AMOUNT_MAX:
                raise BadValueError(f"{what} {number} of a route; it must be from {low} on")
        if not self.input_min <= self.input_max:
            raise BadValueError(f"input_max {self.input_max} is below input_min {self.input_min}")
        if not 0.0 < self.value <= AMOUNT_MAX:
            raise BadValueError(f"value {self.value} of a unit; it must be positive")

    def as_row(self) -> list[float]:
        """Give the row of `terms` that the kernels read."""
        pays = 1.0 + self.flash_fee_ratio
        return [pays, self.fixed_cost, self.input_min, self.input_max, self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedRoute:
    """The optimum of a route: amounts in units of its first token."""

    input: float
    output: float
    profit: float


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
        return self._add(FORM_PIECES, first, self._piece_count, input_max=input_max)

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
        if form not in CURVE_FORMS or len(row) > CURVE_COLUMNS:
            raise BadValueError(f"form {form} with {len(row)} columns is no curve")
        curve = np.zeros(CURVE_COLUMNS)
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
        if not rows or any(row[SIDE.FORM] == FORM_GROUP for row in rows):
            raise BadValueError(f"sides {list(members)} make no group")
        first = len(self._sides)
        self._sides += [list(row) for row in rows]
        return self._add(FORM_GROUP, first, first + len(rows), input_max=input_max)

    @property
    def arrays(self) -> tuple[Floats, Floats, Floats]:
        """The arrays `sides`, `pieces` and `curves`."""
        if self._arrays is None:
            empty = np.zeros((0, PIECE_COLUMNS))
            self._arrays = (
                np.array(self._sides, np.float64).reshape(-1, SIDE_COLUMNS),
                np.concatenate([empty, *self._pieces]),
                np.array(self._curves, np.float64).reshape(-1, CURVE_COLUMNS),
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
    out = np.zeros(SIZED_COLUMNS)
    legs = np.array(cycle, np.int64)
    if not size_route(legs, *tables.arrays, np.array(terms.as_row()), out):
        return None
    return SizedRoute(
        input=float(out[SIZED.INPUT]),
        output=float(out[SIZED.OUTPUT]),
        profit=float(out[SIZED.PROFIT]),
    )
