"""One leg through several pools or books at once: the optimal shares, and the leg's merged pieces.

Merged pieces let a route with parallel legs be sized as fast as any other; what each member takes
at the chosen input is then asked of `split`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.detect.sizing.pieces import Pieces, check_pieces
from engine.detect.sizing.routes import SideTables
from engine.domain.errors import BadValueError
from engine.kernels.sizing_layout import AMOUNT_MAX, FORM_GROUP, PIECE_COLUMNS, SIDE
from engine.kernels.splitting import MEMBERS_MAX, merge_sides, split_input


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What each member takes of an input, and what all give together."""

    shares: tuple[float, ...]
    output: float


def split(tables: SideTables, members: Sequence[int], amount: float) -> Split | None:
    """Share an input among sides in parallel; `None` if they cannot take it, or give nothing.

    Raises:
        BadValueError: no or too many members, a group among them, or an amount that is none.
    """
    sides = _rows(tables, members)
    if not 0.0 < amount <= AMOUNT_MAX:
        raise BadValueError(f"amount {amount} to split; it must be positive and finite")
    shares = np.zeros(len(members))
    _, pieces, curves = tables.arrays
    output = split_input(sides, 0, len(members), pieces, curves, amount, shares)
    if output <= 0.0 or shares.sum() < amount * (1.0 - 1e-9):
        return None
    return Split(shares=tuple(float(share) for share in shares), output=float(output))


def merge(tables: SideTables, members: Sequence[int]) -> Pieces | None:
    """Return the pieces of sides in parallel, all of pieces themselves; `None` if all are empty.

    Raises:
        BadValueError: no or too many members, or one that is not made of pieces.
    """
    sides = _rows(tables, members)
    if (sides[:, SIDE.FORM] != 0).any():
        raise BadValueError(f"sides {list(members)} are not all made of pieces")
    _, pieces, _ = tables.arrays
    merged = np.zeros((2 * len(pieces) + 2, PIECE_COLUMNS))
    count = merge_sides(sides, 0, len(members), pieces, merged)
    return check_pieces(merged[:count].copy(), what="merged sides") if count else None


def _rows(tables: SideTables, members: Sequence[int]) -> np.ndarray:
    sides, _, _ = tables.arrays
    if not 1 <= len(members) <= MEMBERS_MAX or not all(0 <= i < len(sides) for i in members):
        raise BadValueError(f"sides {list(members)}; from 1 to {MEMBERS_MAX} that exist")
    rows = np.ascontiguousarray(sides[list(members)])
    if (rows[:, SIDE.FORM] == FORM_GROUP).any():
        raise BadValueError(f"sides {list(members)} hold a group")
    return rows
