"""Pieces of pools and books, as `kernels.sizing_layout` wants them, checked once here.

Each maker returns float64 (pieces, PIECE_COLUMNS): one direction, nearest first, fees within. What
could mislead the kernels (a number that is none, pieces out of order, rates that rise along the
way) is refused by name.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.domain.errors import BadValueError
from engine.kernels.pieces import RISE_RATIO_MAX, are_concave
from engine.kernels.sizing_layout import AMOUNT_MAX, PIECE, PIECE_COLUMNS

Pieces = NDArray[np.float64]


def pieces_of_pair(*, reserve_in: float, reserve_out: float, keep_ratio: float) -> Pieces:
    """Return the one piece of a constant product pool; `keep_ratio` is 1 less the fee.

    Raises:
        BadValueError: numbers that no pool has.
    """
    for what, value in (("reserve_in", reserve_in), ("reserve_out", reserve_out)):
        if not 0.0 < value <= AMOUNT_MAX:
            raise BadValueError(f"{what} {value} of a pair; it must be positive and finite")
    if not 0.0 < keep_ratio <= 1.0:
        raise BadValueError(f"keep_ratio {keep_ratio} of a pair; it must be over 0 and at most 1")
    rate, bend = reserve_out / reserve_in * keep_ratio, keep_ratio / reserve_in
    pieces = np.array([(0.0, 0.0, rate, bend)])
    return (
        pieces if rate <= AMOUNT_MAX and bend <= AMOUNT_MAX else check_pieces(pieces, what="pair")
    )


def pieces_of_ranges(
    ranges: Sequence[tuple[float, float, float]],
    *,
    sqrt_price: float,
    range_index: int,
    fee_ratio: float,
    token_in: int,
) -> Pieces:
    """Return pieces from (low, high, liquidity) ranges that touch and rise, as a Whirlpool has.

    Raises:
        BadValueError: numbers that no pool has.
    """
    keep = 1.0 - fee_ratio
    if not (0.0 < keep <= 1.0 and 0 <= range_index < len(ranges) and token_in in {0, 1}):
        raise BadValueError(f"fee_ratio {fee_ratio}, range {range_index}, token {token_in}")
    rows, price, total_in, total_out = [], sqrt_price, 0.0, 0.0
    order = ranges[range_index::-1] if token_in == 0 else ranges[range_index:]
    for low, high, liquidity in order:
        if not (0.0 < low <= price <= high <= AMOUNT_MAX and 0.0 <= liquidity <= AMOUNT_MAX):
            raise BadValueError(f"sqrt_price {price} of a range from {low} to {high}")
        end = low if token_in == 0 else high
        if liquidity > 0.0 and end != price:
            amount_b = liquidity * abs(price - end)
            amount_a = amount_b / price / end
            rate = price * price if token_in == 0 else 1.0 / price / price
            bend = (price if token_in == 0 else 1.0 / price) / liquidity
            rows.append([total_in, total_out, rate * keep, bend * keep])
            total_in += (amount_a if token_in == 0 else amount_b) / keep
            total_out += amount_b if token_in == 0 else amount_a
        price = end
    rows.append([total_in, total_out, 0.0, 0.0])
    return check_pieces(np.array(rows, np.float64), what="pool of ranges")


def pieces_of_bids(levels: Iterable[tuple[float, float]], *, fee_ratio: float) -> Pieces:
    """Return the pieces of selling base into bids, (price, size) from the best one on.

    Raises:
        BadValueError: prices that rise, or numbers that no book has.
    """
    rows, total_in, total_out = [], 0.0, 0.0
    for price, size in levels:
        rate = price * (1.0 - fee_ratio)
        rows.append([total_in, total_out, rate, 0.0])
        total_in += size
        total_out += size * rate
    rows.append([total_in, total_out, 0.0, 0.0])
    return check_pieces(np.array(rows, np.float64), what="bids")


def pieces_of_asks(levels: Iterable[tuple[float, float]], *, fee_ratio: float) -> Pieces:
    """Return the pieces of paying quote into asks, (price, size) from the best one on.

    The fee is paid in the quote asset, on top.

    Raises:
        BadValueError: prices that fall, or numbers that no book has.
    """
    rows, total_in, total_out = [], 0.0, 0.0
    for price, size in levels:
        pays = price * (1.0 + fee_ratio)
        if not 0.0 < pays <= AMOUNT_MAX:
            raise BadValueError(f"price {price} of asks, fee_ratio {fee_ratio}")
        rows.append([total_in, total_out, 1.0 / pays, 0.0])
        total_in += size * pays
        total_out += size
    rows.append([total_in, total_out, 0.0, 0.0])
    return check_pieces(np.array(rows, np.float64), what="asks")


def check_pieces(pieces: Pieces, *, what: str) -> Pieces:
    """Return the pieces if they are those of a concave function from nothing on.

    Raises:
        BadValueError: what is wrong, with the first row where it is.
    """
    if pieces.ndim != 2 or pieces.shape[1] != PIECE_COLUMNS or not len(pieces):  # noqa: PLR2004 - rows and columns
        raise BadValueError(f"pieces of {what} have shape {pieces.shape}")
    checked = np.ascontiguousarray(pieces, np.float64)
    if not are_concave(checked):
        _say_what_is_wrong(checked, what)
    return checked


def _say_what_is_wrong(pieces: Pieces, what: str) -> None:
    bad = ~((pieces >= 0.0) & (pieces <= AMOUNT_MAX)).all(axis=1)
    if bad.any():
        row = int(bad.argmax())
        raise BadValueError(f"piece {row} of {what} is no number in range: {pieces[row].tolist()}")
    if pieces[0, PIECE.CIN] or pieces[0, PIECE.COUT]:
        raise BadValueError(f"the first piece of {what} starts at {pieces[0, :2].tolist()}, not 0")
    width = np.diff(pieces[:, PIECE.CIN])
    _refuse(width <= 0.0, pieces, f"of {what} does not start behind the one before")
    share = 1.0 / (1.0 + pieces[:-1, PIECE.BEND] * width)
    rises = pieces[1:, PIECE.RATE] > pieces[:-1, PIECE.RATE] * share * share * (
        1.0 + RISE_RATIO_MAX
    )
    _refuse(rises, pieces, f"of {what} pays more than the one before")


def _refuse(wrong: NDArray[np.bool_], pieces: Pieces, text: str) -> None:
    """Refuse pieces if one is wrong beside the one before it."""
    if wrong.any():
        row = int(wrong.argmax()) + 1
        raise BadValueError(f"piece {row} {text}: {pieces[row].tolist()}")
